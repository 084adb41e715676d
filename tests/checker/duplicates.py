"""Each receipt after the first, explained one by one or not at all. Pure.

An attempt may be repeated only where its outcome was unknown to the sender: the receiver itself did not take the one
before; or the sender was broken while it was under way, and has written down one success at most. Under way is what
came within WINDOW_SECONDS before, and the last IN_FLIGHT_MAX that a body had got by then, however long a busy machine
kept the sender from reading their answers.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.checker.model import Fault, Receipt

WINDOW_SECONDS = 2.0
"""How long an answer may wait to be written down; what was under way at a kill began to arrive no longer before."""
FLIGHT_SECONDS = 1.0
"""How long the bytes of a sender that is gone may still be on their way to a receiver that is busy; the next one takes
longer than that to start."""
IN_FLIGHT_MAX = 8
"""Deliveries to one body at the same time, at most."""
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
    forgetting = [(fault, _last_before(fault, came)) for fault in faults if fault.name.endswith(FORGETTING)]
    for webhook_id, rows in came.items():
        successes = sum(status is not None and 200 <= status < 300 for status in attempts.get(webhook_id, ()))
        for before, after in pairwise(rows):
            pause = after.received_at - before.received_at
            why = _reason(before, after, forgetting)
            if why and before.taken and successes > 1:
                unexplained.append(Explained(webhook_id, after.org, pause, f"{successes} successes are written down"))
            elif why:
                explained.append(Explained(webhook_id, after.org, pause, why))
            else:
                unexplained.append(Explained(webhook_id, after.org, pause, "no attempt was under way at a fault"))
    return explained, unexplained


def _last_before(fault: Fault, came: Mapping[str, Sequence[Receipt]]) -> frozenset[Receipt]:
    """The last receipts of each body before a fault."""
    last: dict[str, list[Receipt]] = defaultdict(list)
    rows = (row for rows in came.values() for row in rows if row.received_at <= fault.at)
    for row in sorted(rows, key=lambda row: row.received_at):
        last[row.org] = [*last[row.org][1 - IN_FLIGHT_MAX :], row]
    return frozenset(row for rows in last.values() for row in rows)


def _reason(before: Receipt, after: Receipt, forgetting: Sequence[tuple[Fault, frozenset[Receipt]]]) -> str:
    if not before.taken:
        return f"the receiver answered the one before with {before.answered}"
    return next(_faults_between(before, after, forgetting), "")


def _faults_between(
    before: Receipt, after: Receipt, forgetting: Sequence[tuple[Fault, frozenset[Receipt]]]
) -> Iterator[str]:
    """The fault came while the attempt was under way, or while its answer waited to be written down."""
    for fault, last in forgetting:
        shortly = fault.at - WINDOW_SECONDS <= before.received_at <= fault.gone_at + FLIGHT_SECONDS
        if (shortly or before in last) and after.received_at > fault.at:
            yield f"{fault.name} {fault.at - before.received_at:+.3f} s after it had come"
