"""The process's logging: put back after a test, and read as the lines that a service writes."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest


@contextmanager
def kept_logging() -> Iterator[None]:
    """Loggers as a fresh process has them; everything about them is afterwards as it was before."""
    loggers = [logging.getLogger(name) for name in (None, "aiokafka", "uvicorn", "uvicorn.error")]
    before = [(logger, logger.handlers[:], logger.level, logger.propagate, logger.disabled) for logger in loggers]
    for logger in loggers[1:]:
        logger.handlers[:], logger.propagate, logger.disabled = [], True, False
        logger.setLevel(logging.NOTSET)
    try:
        yield
    finally:
        for logger, handlers, level, propagate, disabled in before:
            logger.handlers[:], logger.propagate, logger.disabled = handlers, propagate, disabled
            logger.setLevel(level)


def lines(capture: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    """The lines written since the last call; nothing but JSON lines may have been written."""
    written = capture.readouterr()
    assert written.err == ""
    return [orjson.loads(line) for line in written.out.splitlines()]
