"""Kafka's ahead-of-time cache: its classes are read, checked and linked once, not at each start (JEP 483, JEP 514).

A start with it takes half the CPU. The JVM refuses a cache that was not made by this Java from these very jars, and
then starts as if there were none, so it can make a start slower, never wrong.
"""

import asyncio
import fcntl
import hashlib
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from deploy.local.faults import EngineFailed
from deploy.local.progress import Progress, step

STEP = "Prepare Kafka for quick starts, once"
_QUIET = "-Xlog:aot*=off"
"""What the JVM cannot take from a cache it makes itself; a line about each would fill the log."""


@dataclass(frozen=True, slots=True)
class AotCache:
    """The cache for one Java, one set of jars and one set of options; it lies beside the jars."""

    file: Path

    @classmethod
    def of(cls, jars: Sequence[Path], *, java: Path, options: Sequence[str]) -> "AotCache":
        """Named by all that the JVM holds a cache to: another Java, jar or option has a cache of its own."""
        stats = [(jar, jar.stat()) for jar in jars]
        parts = [(java.parent.parent / "release").read_text(), *options]
        parts += [f"{jar}:{stat.st_size}:{stat.st_mtime_ns}" for jar, stat in stats]
        digest = hashlib.sha256("\n".join(parts).encode()).hexdigest()
        return cls(jars[0].parent / f"{digest[:16]}.aot")

    @property
    def options(self) -> tuple[str, ...]:
        """The JVM's options for a start: none while there is no cache."""
        return (f"-XX:AOTCache={self.file}", _QUIET) if self.file.is_file() else ()

    async def make(self, train: Callable[[Path, tuple[str, ...]], Awaitable[None]], progress: Progress) -> None:
        """Make it if there is none; runners that start at the same time wait for the one that does.

        `train` runs a Kafka in a folder, with these options of the JVM, until it answers, and ends it cleanly: the JVM
        writes the cache at its end. Where that fails, starts go on without a cache.
        """
        if self.file.is_file():
            return
        with step(progress, STEP):
            async with _alone(self.file.with_suffix(".making")) as folder:
                if not self.file.is_file():
                    await self._make(train, folder, progress)

    async def _make(
        self, train: Callable[[Path, tuple[str, ...]], Awaitable[None]], folder: Path, progress: Progress
    ) -> None:
        made = folder / self.file.name
        try:
            await train(folder, (f"-XX:AOTCacheOutput={made}", _QUIET))
            made.replace(self.file)  # whole, so that a start beside this one sees all of it or nothing
        except (EngineFailed, FileNotFoundError) as fault:
            progress.said(f"Kafka starts without its cache of classes, as it could not be made: {fault}")


@asynccontextmanager
async def _alone(lock: Path) -> AsyncIterator[Path]:
    """A new folder beside the lock, for one runner at a time; the end of its process lets go as well."""
    with lock.open("a") as held:
        await asyncio.to_thread(fcntl.flock, held, fcntl.LOCK_EX)
        with tempfile.TemporaryDirectory(dir=lock.parent) as folder:
            yield Path(folder)
