"""Each receipt after the first, explained one by one or not at all. Pure.

An attempt may be repeated only where its outcome was unknown to the sender: the receiver itself did not take the one
before; or the sender was broken within WINDOW_SECONDS after it, and has written down one success at most.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.checker.model import Fault, Receipt

WINDOW_SECONDS = 2.0
"""How long an answer may wait to be written down; what was under way at a kill began to arrive no longer before."""
FLIGHT_SECONDS = 0.5
"""How long the bytes of a sender that is gone may still be on their way to a receiver that is busy."""
FORGETTING = ("notifier", "postgres")
"""Whose end makes the outcome of an attempt unknown: who sends, and where it is written."""


@dataclass(frozen=True, slots=True)
class Explained:
    """A repeat: of what, to whom, how many seconds after the one before, and why it may be (or that it may not)."""

    webhook_id: str
    org: str
    after_seconds: float
    why: str


def by_id(receipts: Iterable[Receipt]) -> Mapping[str, Sequence[Receipt]]:
    """What came under each webhook-id, in order of time."""
    found: dict[str, list[Receipt]] = defaultdict(list)
    for row in sorted(receipts, key=lambda row: row.received_at):
        found[row.webhook_id].append(row)
    return found


def judged(
    came: Mapping[str, Sequence[Receipt]],
    faults: Sequence[Fault],
    attempts: Mapping[str, Sequence[int | None]],
) -> tuple[list[Explained], list[Explained]]:
    """The repeats that are explained, and those that are not."""
    explained: list[Explained] = []
    unexplained: list[Explained] = []
    for webhook_id, rows in came.items():
        successes = sum(status is not None and 200 <= status < 300 for status in attempts.get(webhook_id, ()))
        for before, after in pairwise(rows):
            pause = after.received_at - before.received_at
            why = _reason(before, after, faults)
            if why and before.taken and successes > 1:
                unexplained.append(Explained(webhook_id, after.org, pause, f"{successes} successes are written down"))
            elif why:
                explained.append(Explained(webhook_id, after.org, pause, why))
            else:
                unexplained.append(Explained(webhook_id, after.org, pause, "no attempt was under way at a fault"))
    return explained, unexplained


def _reason(before: Receipt, after: Receipt, faults: Sequence[Fault]) -> str:
    if not before.taken:
        return f"the receiver answered the one before with {before.answered}"
    return next(_faults_between(before, after, faults), "")


def _faults_between(before: Receipt, after: Receipt, faults: Sequence[Fault]) -> Iterator[str]:
    """The fault came while the attempt was under way, or while its answer waited to be written down."""
    for fault in faults:
        under_way = fault.at - WINDOW_SECONDS <= before.received_at <= fault.gone_at + FLIGHT_SECONDS
        if fault.name.endswith(FORGETTING) and under_way and after.received_at > fault.at:
            yield f"{fault.name} {fault.at - before.received_at:+.3f} s after it had come"
