"""Waiting on a condition with a deadline: the only way in which a test waits. No other module of the tests sleeps."""

import asyncio
import inspect
from collections.abc import Awaitable, Callable

POLL_SECONDS = 0.02


async def until(
    condition: Callable[[], bool] | Callable[[], Awaitable[bool]],
    *,
    seconds: float = 30,
    what: str = "",
    every_seconds: float = POLL_SECONDS,
) -> None:
    """Return as soon as the condition holds; fail with `what` when it does not within the deadline."""
    try:
        async with asyncio.timeout(seconds):
            while not await _holds(condition):  # noqa: ASYNC110 - what is waited for is outside this process
                await asyncio.sleep(every_seconds)
    except TimeoutError:
        raise AssertionError(f"not within {seconds} s: {what or inspect.getsource(condition).strip()}") from None


async def _holds(condition: Callable[[], bool] | Callable[[], Awaitable[bool]]) -> bool:
    value = condition()
    return await value if inspect.isawaitable(value) else bool(value)


async def dawdle(seconds: float) -> None:
    """What a slow peer does between two bytes. A test never waits by it."""
    await asyncio.sleep(seconds)
