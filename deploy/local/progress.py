"""How the runner tells what it is doing: a live display, plain lines, one JSON object per line, or nothing."""

import json
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol, TextIO


class Progress(Protocol):
    """Hears of each step."""

    def started(self, step: str) -> None:
        """A step begins."""
        ...

    def advanced(self, step: str, done: int, total: int) -> None:
        """So much of a long step is done."""
        ...

    def finished(self, step: str, seconds: float) -> None:
        """A step is done."""
        ...

    def said(self, text: str) -> None:
        """Something worth knowing that is no step."""
        ...


@contextmanager
def step(progress: Progress, name: str) -> Iterator[None]:
    """Tell `progress` of one step and how long it took; a step that fails is never told as finished."""
    begun = time.monotonic()
    progress.started(name)
    yield
    progress.finished(name, time.monotonic() - begun)


class Silent:
    """Tells nobody."""

    def started(self, step: str) -> None:
        """Nothing."""

    def advanced(self, step: str, done: int, total: int) -> None:
        """Nothing."""

    def finished(self, step: str, seconds: float) -> None:
        """Nothing."""

    def said(self, text: str) -> None:
        """Nothing."""


class Lines:
    """One plain line per finished step, and one per quarter of a long one."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._quarter: dict[str, int] = {}

    def started(self, step: str) -> None:
        """Nothing: the line comes when the step is done."""

    def advanced(self, step: str, done: int, total: int) -> None:
        """A line for each quarter passed."""
        quarter = done * 4 // max(total, 1)
        if quarter > self._quarter.get(step, 0):
            self._quarter[step] = quarter
            self._write(f"  {step}: {done} of {total}")

    def finished(self, step: str, seconds: float) -> None:
        """The step and how long it took."""
        self._write(f"  {step} ({seconds:.1f} s)")

    def said(self, text: str) -> None:
        """The text as it is."""
        self._write(text)

    def _write(self, text: str) -> None:
        print(text, file=self._out, flush=True)


class JsonLines:
    """One JSON object per event, for machines."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr

    def started(self, step: str) -> None:
        """`{"event": "started"}`."""
        self._write(event="started", step=step)

    def advanced(self, step: str, done: int, total: int) -> None:
        """`{"event": "advanced"}` with `done` of `total`."""
        self._write(event="advanced", step=step, done=done, total=total)

    def finished(self, step: str, seconds: float) -> None:
        """`{"event": "finished"}` with `seconds`."""
        self._write(event="finished", step=step, seconds=round(seconds, 3))

    def said(self, text: str) -> None:
        """`{"event": "said"}` with `text`."""
        self._write(event="said", text=text)

    def _write(self, **event: object) -> None:
        print(json.dumps(event), file=self._out, flush=True)
