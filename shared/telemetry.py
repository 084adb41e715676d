"""One wide line per unit of work, and the metrics that go with it. Use cases contain no log calls."""

import logging
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
from prometheus_client import Counter, Gauge, Histogram

from shared.clock import Clock, SystemClock

WORK_SECONDS = Histogram(
    "concordat_work_seconds",
    "Duration of a unit of work, in seconds",
    ["unit", "outcome"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
ITEMS = Counter("concordat_items_total", "Items handled by units of work", ["unit", "outcome"])
ALARMS = Counter("concordat_alarms_total", "Alarms raised for people", ["alarm"])
LAG = Gauge("concordat_consumer_lag", "Records not yet handled, by topic", ["topic"])
LINES_LOST = Counter("concordat_lines_lost_total", "Lines that could not be written: the disk of the log is full")
PARKED = Counter("concordat_parked_total", "Poison records set aside", ["topic"])

REPEAT_SECONDS = 600.0
TEMPLATES_MAX = 500
MESSAGE_LENGTH_MAX = 200
_NUMBER = re.compile(r"0x[0-9a-f]+|\d+")
"""What differs between two tellings of one thing: counts, ports, addresses of objects."""


class Telemetry:
    """Writes the lines of one service. A line is one JSON object; no field ever holds personal data."""

    def __init__(self, service: str, *, clock: Clock | None = None) -> None:
        self._service = service
        self._clock = clock or SystemClock()

    def line(self, event: str, **fields: Any) -> None:
        """Write one line: `event`, the moment, the service, and the fields given.

        What cannot be written is counted and gone: no work fails because its line has no room.
        """
        row = {"at": self._clock.now().isoformat(), "service": self._service, "event": event, **fields}
        try:
            sys.stdout.buffer.write(orjson.dumps(row, default=str) + b"\n")
            sys.stdout.buffer.flush()
        except OSError:
            LINES_LOST.inc()

    def alarm(self, alarm: str, **fields: Any) -> None:
        """Write a line that a person must look at, and count it."""
        ALARMS.labels(alarm).inc()
        self.line("alarm", alarm=alarm, **fields)

    @contextmanager
    def unit(self, event: str, **fields: Any) -> Iterator[dict[str, Any]]:
        """Time a unit of work and write its line; the body adds fields to what it is given.

        `outcome` is `ok` unless the body sets it or raises (then: the name of the exception's class).
        `items` counts what the unit handled.
        """
        row: dict[str, Any] = {"outcome": "ok", "items": 1, **fields}
        started = time.perf_counter()
        try:
            yield row
        except BaseException as error:
            row["outcome"] = type(error).__name__
            raise
        finally:
            seconds = time.perf_counter() - started
            WORK_SECONDS.labels(event, row["outcome"]).observe(seconds)
            ITEMS.labels(event, row["outcome"]).inc(row["items"])
            self.line(event, **row, duration_ms=round(seconds * 1000, 3))


class _LibraryLines(logging.Handler):
    """Writes what libraries log as our lines: each text once (whatever its numbers), then not for REPEAT_SECONDS.

    A library that cannot connect says so many times a second, for as long as that lasts.
    """

    def __init__(self, telemetry: Telemetry) -> None:
        super().__init__()
        self._telemetry = telemetry
        self._said_at: dict[tuple[str, str], float] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Write the line, with the fault's class alone: the text of a fault may hold values of a row."""
        template = (record.name, _NUMBER.sub("#", str(record.msg)))
        if 0 <= record.created - self._said_at.get(template, float("-inf")) < REPEAT_SECONDS:
            return
        if len(self._said_at) >= TEMPLATES_MAX:
            self._said_at.clear()
        self._said_at[template] = record.created
        first_line = record.getMessage().partition("\n")[0][:MESSAGE_LENGTH_MAX]
        fault = record.exc_info[0].__name__ if record.exc_info and record.exc_info[0] else None
        level = record.levelname.lower()
        self._telemetry.line("library", logger=record.name, level=level, message=first_line, fault=fault)


def route_library_logs(telemetry: Telemetry) -> None:
    """Make the lines of this process ours alone: warnings of libraries, errors only of the Kafka client."""
    root = logging.getLogger()
    root.handlers[:] = [_LibraryLines(telemetry)]
    root.setLevel(logging.WARNING)
    logging.getLogger("aiokafka").setLevel(logging.ERROR)  # it warns at every rebalance
