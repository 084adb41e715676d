"""The valid time of graph objects as intervals, which the store keeps to refuse overlaps and to search by day.

An interval is of one facet of one object. A facet may not overlap itself; nor may two versions of a lineage.
"""

import hashlib
from collections.abc import Iterator
from datetime import date
from typing import Any, NamedTuple

from services.registry.domain.model import Row
from shared.agreements.load.overlaps import scope_of

IN_FORCE = "in_force"
"""An agreement or duty until its end or its termination, whichever comes first; may hold no day at all."""
PARTY = "party"
"""One body's capacity in it; `party` names the body."""
SUSPENDED = "suspended"
EXISTS = "exists"
REMIT = "remit"
"""Begins the facet of a remit; the rest is a digest of what it covers."""
AGREEMENT = "agreement"
ORGANISATION = "organisation"
TIMED = frozenset({AGREEMENT, "duty", ORGANISATION})
"""Kinds of objects that have intervals."""
TIMELESS = frozenset({"vocabulary", "policy", "forum", "source"})
"""Kinds of objects that have no valid time at all."""
_DIGEST_CHARS = 16


class Interval(NamedTuple):
    """Half-open `[start, end)` in civil days of Europe/London, as ISO 8601 text; None is no known bound.

    It holds no day where `end` is not later than `start`. A tuple, because a large import has 400,000 of them.
    """

    kind: str
    object_id: str
    facet: str
    start: str | None
    end: str | None
    party: str = ""
    lineage: str = ""


def intervals_of(row: Row) -> Iterator[Interval]:
    """The intervals of an object that has passed the reader of the graph; none for kinds without valid time."""
    if row["kind"] == ORGANISATION:
        yield _interval(row, EXISTS, row["exists"])
        for remit in row["remits"]:
            yield _interval(row, f"{REMIT}-{_digest(scope_of(remit))}", remit)
    elif row["kind"] in TIMED:
        yield from _signed(row)


def applies_on(row: Row, day: date) -> bool:
    """Whether an object that is no agreement applies on the day: by its own dates, whichever its kind has."""
    match row["kind"]:
        case "succession":
            return row["effective"] is not None and bool(row["effective"] <= day.isoformat())
        case "lead_rule":
            return bool(row.get("not_before", "") <= day.isoformat())
        case "organisation":
            return covers(row["exists"], day)
        case "duty":
            return _is_in_force(row, day)
        case "bar":
            return covers(row["in_force"], day)
        case _:
            return True


def covers(bounds: Row, day: date) -> bool:
    """Whether `{from, to}` covers the day, half-open."""
    return bool((bounds["from"] or "") <= day.isoformat() < (bounds["to"] or "~"))


def _is_in_force(row: Row, day: date) -> bool:
    is_suspended = any(covers(span, day) for span in row.get("suspended", ()))
    return covers(row["in_force"], day) and not is_suspended and day.isoformat() < row.get("terminated", "~")


def _signed(row: Row) -> Iterator[Interval]:
    """A later version starts where the earlier one ends: the reader sees to that, so nothing more is cut off here."""
    start, end = row["in_force"]["from"], row["in_force"]["to"]
    last = min((day for day in (end, row.get("terminated")) if day is not None), default=None)
    yield _interval(row, IN_FORCE, {"from": start, "to": last}, lineage=row.get("lineage", ""))
    for party in row["parties"]:
        yield _interval(row, PARTY, party, party=party["org"])
    for span in row.get("suspended", ()):
        yield _interval(row, SUSPENDED, span)


def _interval(row: Row, facet: str, bounds: Any, **more: str) -> Interval:
    return Interval(row["kind"], row["id"], facet, bounds["from"], bounds["to"], **more)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGEST_CHARS]
