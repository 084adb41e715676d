"""The process's logging: put back after a test, and read as the lines that a service writes."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest


@contextmanager
def kept_logging() -> Iterator[None]:
    """Everything about logging is afterwards as it was before."""
    root, kafka = logging.getLogger(), logging.getLogger("aiokafka")
    handlers, levels = root.handlers[:], (root.level, kafka.level)
    try:
        yield
    finally:
        root.handlers[:] = handlers
        root.setLevel(levels[0])
        kafka.setLevel(levels[1])


def lines(capture: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines written since the last call; nothing but JSON lines may have been written."""
    written = capture.readouterr()
    assert written.err == ""
    return [orjson.loads(line) for line in written.out.splitlines()]
