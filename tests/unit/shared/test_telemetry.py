"""Lines of work: one that cannot be written costs nobody the work."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from shared.telemetry import LINES_LOST, Telemetry

FULL = Path("/dev/full")
"""The kernel's own device that has no room for a single byte."""


def test_no_work_fails_because_the_disk_of_the_log_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    lost, done, telemetry = LINES_LOST._value.get(), 0, Telemetry("test")
    with FULL.open("wb", buffering=0) as full:
        monkeypatch.setattr("sys.stdout", SimpleNamespace(buffer=full))
        for _ in range(100):
            with telemetry.unit("work"):
                done += 1
        telemetry.alarm("something")
        monkeypatch.undo()
    assert done == 100
    assert LINES_LOST._value.get() - lost == done + 1
