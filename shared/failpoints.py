"""Named points where a test can end the process; without a setting they cost one comparison."""

import os
import signal
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class FailPoints:
    """At most one armed point. `NAME:kill:COUNT:FILE` ends the process by SIGKILL at the COUNTth time it is reached.

    The point writes its name to FILE first, so that a test can assert that it was reached.
    """

    name: str = ""
    count: int = 0
    marker: Path | None = None
    reached: int = field(default=0)

    @classmethod
    def parse(cls, text: str) -> "FailPoints":
        """Read the setting; an empty text arms nothing. Raises ValueError for any other form."""
        if not text:
            return cls()
        name, action, count, marker = text.split(":", 3)
        if action != "kill":
            raise ValueError(f"fail point action {action!r} is not known: only kill is")
        return cls(name=name, count=int(count), marker=Path(marker))

    def hit(self, name: str) -> None:
        """Say that the point `name` is reached."""
        if name != self.name or self.marker is None:
            return
        self.reached += 1
        if self.reached == self.count:
            self.marker.write_text(name)
            os.kill(os.getpid(), signal.SIGKILL)
