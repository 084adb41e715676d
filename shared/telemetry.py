"""One wide line per unit of work, and the metrics that go with it. Use cases contain no log calls."""

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
PARKED = Counter("concordat_parked_total", "Poison records set aside", ["topic"])


class Telemetry:
    """Writes the lines of one service. A line is one JSON object; no field ever holds personal data."""

    def __init__(self, service: str, *, clock: Clock | None = None) -> None:
        self._service = service
        self._clock = clock or SystemClock()

    def line(self, event: str, **fields: Any) -> None:
        """Write one line: `event`, the moment, the service, and the fields given."""
        row = {"at": self._clock.now().isoformat(), "service": self._service, "event": event, **fields}
        sys.stdout.buffer.write(orjson.dumps(row, default=str) + b"\n")
        sys.stdout.buffer.flush()

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
