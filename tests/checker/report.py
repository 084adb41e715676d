"""What a run comes to, for people and for machines."""

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from tests.checker.reconcile import Counts
from tests.checker.run import Outcome

SHOWN_MAX = 20
DUPLICATES = "unexplained duplicate"


def so_far(documents: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The equation over all runs that are over."""
    found = summary(documents)
    yield f"so far: {found['runs']} runs, {found['faults']} faults, {found['differences']} differences"
    for row in equation(Counts(**found["totals"])):
        yield f"  {row}"
    yield f"  repeats {found['repeats_explained']} explained one by one"


def equation(counts: Counts) -> list[str]:
    """The published equation with its terms; what is unknown may or may not have been stored."""
    left = counts.owed - counts.received - counts.pending - counts.parked
    accepted = counts.accepted - counts.stored
    aside = f"(refused {counts.refused}, unknown {counts.unknown})"
    return [
        f"accepted {counts.accepted} - stored {counts.stored} = {accepted}  {aside}",
        f"owed {counts.owed} - received {counts.received} - pending {counts.pending} - parked {counts.parked} = {left}",
    ]


def lines(outcome: Outcome) -> Iterator[str]:
    """One run for people."""
    plan, verdict = outcome.plan, outcome.verdict
    yield f"run {plan.run}: {plan.count} concerns at {plan.rate_per_second:g}/s; {verdict.counts.receipts} receipts"
    for row in equation(verdict.counts):
        yield f"  {row}"
    bad = sum(one.name == DUPLICATES for one in verdict.differences)
    yield f"  repeats {len(verdict.explained)} explained, {bad} unexplained = {bad}; read whole: {outcome.read_whole}"
    for recovery in outcome.recoveries:
        yield (
            f"  {recovery.name}: back after {recovery.away_seconds:.2f} s,"
            f" all accepted before received {recovery.caught_up_seconds:.2f} s later"
        )
    yield "  " + ", ".join(f"{part} {seconds:.1f} s" for part, seconds in outcome.seconds.items())
    for one in verdict.explained[:SHOWN_MAX]:
        yield f"  repeat {one.webhook_id} to {one.org} after {one.after_seconds:.3f} s: {one.why}"
    for difference in verdict.differences[:SHOWN_MAX]:
        yield f"  DIFFERENCE {difference.name}: {difference.about}: {difference.seen}"
    if (more := len(verdict.differences) - SHOWN_MAX) > 0:
        yield f"  and {more} differences more"


def document(outcome: Outcome) -> dict[str, Any]:
    """One run for machines."""
    return {
        "run": outcome.plan.run,
        "rate_per_second": outcome.plan.rate_per_second,
        "counts": asdict(outcome.verdict.counts),
        "differences": [asdict(one) for one in outcome.verdict.differences],
        "repeats": [asdict(one) for one in outcome.verdict.explained],
        "recoveries": [asdict(one) for one in outcome.recoveries],
        "read_whole": outcome.read_whole,
        "seconds": dict(outcome.seconds),
    }


def summary(documents: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """All runs together, from what `document` made of each."""
    recoveries = [recovery for one in documents for recovery in one["recoveries"]]
    return {
        "runs": len(documents),
        "totals": {name: sum(one["counts"][name] for one in documents) for name in Counts.__dataclass_fields__},
        "faults": len(recoveries),
        "repeats_explained": sum(len(one["repeats"]) for one in documents),
        "differences": sum(len(one["differences"]) for one in documents),
        "away_seconds": _figures([one["away_seconds"] for one in recoveries]),
        "caught_up_seconds": _figures([one["caught_up_seconds"] for one in recoveries]),
    }


def _figures(values: Sequence[float]) -> dict[str, float]:
    if not values:
        return {}
    late = sorted(values)[min(int(len(values) * 0.95), len(values) - 1)]
    return {"median": round(statistics.median(values), 2), "p95": round(late, 2), "max": round(max(values), 2)}
