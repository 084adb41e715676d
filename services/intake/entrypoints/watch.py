"""Says whether the accepting loop gets on, for `/readyz`: a batch that hangs while others wait must show."""

from collections.abc import Callable
from dataclasses import dataclass

from shared.supervision import Progress

LOOK_SECONDS = 1.0


@dataclass(slots=True)
class BatchWatch:
    """Looks once a second. `ended_count` counts the batches that came to an end, whichever end it was."""

    progress: Progress
    ended_count: int = 0
    seen_count: int = 0

    def ended(self) -> None:
        """A batch came to its end."""
        self.ended_count += 1

    async def look(self, waiting_count: Callable[[], int]) -> float:
        """Report; gives the seconds until the next look."""
        waiting, moved = waiting_count(), self.ended_count != self.seen_count
        self.seen_count = self.ended_count
        if moved or not waiting:
            self.progress.made(waiting=waiting)
        else:
            self.progress.beat(waiting=waiting)
        return LOOK_SECONDS
