"""Waiting on a condition with a deadline: the only way in which a test waits."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

POLL_SECONDS = 0.02


async def until(
    condition: Callable[[], bool] | Callable[[], Awaitable[bool]], *, seconds: float = 10, what: str = ""
) -> None:
    """Return as soon as the condition holds; fail with `what` when it does not within the deadline."""
    try:
        async with asyncio.timeout(seconds):
            while not await _holds(condition):  # noqa: ASYNC110 - what is waited for is outside this process
                await asyncio.sleep(POLL_SECONDS)
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s: {what or inspect.getsource(condition).strip()}") from None


async def _holds(condition: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> bool:
    value = condition()
    return await value if inspect.isawaitable(value) else bool(value)
