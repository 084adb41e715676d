"""The one way in which the runner waits for something that happens in another process."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from pathlib import Path

from deploy.local.faults import TooLate

POLL_SECONDS = 0.02


async def together(*work: Coroutine[None, None, None]) -> None:
    """Do several things at once. The first fault cancels the rest and is raised as itself, not as one of a group."""
    try:
        async with asyncio.TaskGroup() as group:
            for part in work:
                group.create_task(part)
    except ExceptionGroup as faults:
        raise faults.exceptions[0] from faults


async def until(condition: Callable[[], Awaitable[bool]], *, seconds: float) -> None:
    """Ask again and again until the condition holds. Raises TimeoutError when it does not within `seconds`."""
    async with asyncio.timeout(seconds):
        while not await condition():  # noqa: ASYNC110 - another process sets no event of ours
            await asyncio.sleep(POLL_SECONDS)


async def eventually(condition: Callable[[], Awaitable[bool]], *, seconds: float, what: str, log: Path) -> None:
    """As `until`. Raises TooLate, which names what was waited for and the log to look into."""
    try:
        await until(condition, seconds=seconds)
    except TimeoutError:
        raise TooLate(f"{what}: not within {seconds:g} s", f"Look into {log}.") from None
