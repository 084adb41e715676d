"""What the in-memory parts of intake lean on: lines that are kept, and the reach of a relation."""

import json
from collections.abc import Callable, Iterable
from typing import Any, TypeVar

from shared.telemetry import Telemetry
from tests.support.clock import FrozenClock

Name = TypeVar("Name")


def closure(name: Name, reach: Callable[[Name], Iterable[Name]]) -> set[Name]:
    """All that can be reached from there, itself included."""
    found = {name}
    waiting = [name]
    while waiting:
        waiting += set(reach(waiting.pop())) - found
        found.update(waiting)
    return found


class QuietTelemetry(Telemetry):
    """Keeps its lines."""

    def __init__(self) -> None:
        super().__init__("intake", clock=FrozenClock())
        self.lines: list[dict[str, Any]] = []

    def line(self, event: str, **fields: Any) -> None:
        self.lines.append({"event": event, **fields})

    @property
    def text(self) -> str:
        """All lines as one text, to be searched."""
        return json.dumps(self.lines, default=str)
