"""The live display of progress, for a person at a terminal; and which display suits whom."""

import sys
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from deploy.local import progress


class Display:
    """Steps under way with a spinner, long ones with a bar; finished ones stay as lines."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(20), TimeElapsedColumn())
        self._bars = Progress(*columns, console=self._console, transient=True)
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.stop()

    def started(self, step: str) -> None:
        """A spinner for the step."""
        self._tasks[step] = self._bars.add_task(step, total=None)

    def advanced(self, step: str, done: int, total: int) -> None:
        """The bar of the step."""
        self._bars.update(self._tasks[step], completed=done, total=total)

    def finished(self, step: str, seconds: float) -> None:
        """A line that stays."""
        self._bars.remove_task(self._tasks.pop(step))
        self._console.print(f"[green]✓[/] {step} [dim]{seconds:.1f} s[/]", highlight=False)

    def said(self, text: str) -> None:
        """The text, above the spinners."""
        self._console.print(text, highlight=False, markup=False)


class Unframed:
    """Lends a progress that needs no opening and closing to a `with`."""

    def __init__(self, inner: progress.Progress) -> None:
        self._inner = inner

    def __enter__(self) -> progress.Progress:
        return self._inner

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Nothing to close."""


def suited(*, as_json: bool) -> Display | Unframed:
    """JSON for machines, a live display for a terminal, plain lines for everything else."""
    if as_json:
        return Unframed(progress.JsonLines())
    return Display() if sys.stderr.isatty() else Unframed(progress.Lines())
