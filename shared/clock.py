"""The one place where time is read."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Protocol


class Clock(Protocol):
    """Tells the time; everything that depends on time takes one."""

    def now(self) -> datetime:
        """The present moment, in UTC."""
        ...


@dataclass(frozen=True, slots=True)
class SystemClock:
    """The machine's clock, moved by the seconds that `offset_file` holds where one is given (test builds only)."""

    offset_file: Path | None = None

    def now(self) -> datetime:
        """The present moment, in UTC."""
        moment = datetime.now(UTC)  # noqa: TID251 - the one place
        return moment if self.offset_file is None else moment + self._offset(self.offset_file)

    @staticmethod
    def _offset(file: Path) -> timedelta:
        try:
            return timedelta(seconds=float(file.read_text() or 0))
        except FileNotFoundError:
            return timedelta(0)
