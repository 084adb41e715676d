"""Each receipt after the first, explained one by one or not at all. Pure.

A repeat may be only where the outcome of the attempt before was unknown to the sender:

1. the receiver itself did not take that one; or
2. the sender, or where it writes, was broken after that attempt had begun and before the repeat came; and nothing that
   is written down of the notice is a success at the time of that attempt; and it was under way at the fault.

What is written down is read when all is at rest. A sender that was killed signs nothing with a later time:
so what it had sent is told from what its successor sends by the signed time, not by how long bytes are on their way.
Under way is what came within WINDOW_SECONDS before the fault, and the last IN_FLIGHT_MAX that a body had got by then,
however long a busy machine kept the sender from reading their answers.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from tests.checker.model import Attempt, Fault, Receipt

WINDOW_SECONDS = 2.0
"""How long an answer may wait to be written down; what was under way at a kill began to arrive no longer before."""
UNWRITABLE_SECONDS = 1.0
"""For how long a sender goes on with what it holds when the place where it writes is gone."""
SKEW_SECONDS = 0.05
"""Between the moments at which the two sides look at the one clock of this machine."""
IN_FLIGHT_MAX = 8
"""Deliveries to one body at the same time, at most."""
SENDER, STORE = "notifier", "postgres"
FORGETTING = (SENDER, STORE)
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
    attempts: Mapping[str, Sequence[Attempt]],
) -> tuple[list[Explained], list[Explained]]:
    """The repeats that are explained, and those that are not."""
    explained: list[Explained] = []
    unexplained: list[Explained] = []
    forgetting = [(fault, _last_before(fault, came)) for fault in faults if fault.name.endswith(FORGETTING)]
    for webhook_id, rows in came.items():
        successes = [attempt for attempt in attempts.get(webhook_id, ()) if attempt.is_success]
        for before, after in pairwise(rows):
            wrong = before.taken and _known(before, successes)
            why = wrong or _reason(before, after, forgetting)
            found = Explained(webhook_id, after.org, after.received_at - before.received_at, why or UNEXPLAINED)
            (unexplained if wrong or not why else explained).append(found)
    return explained, unexplained


UNEXPLAINED = "no attempt was under way at a fault"


def _known(before: Receipt, successes: Sequence[Attempt]) -> str:
    """How the sender knew that this one was taken; nothing if it did not."""
    if len(successes) > 1:
        return f"{len(successes)} successes are written down"
    for attempt in successes:
        if attempt.at - SKEW_SECONDS <= before.received_at <= attempt.at + attempt.seconds + SKEW_SECONDS:
            return "the success of the one before is written down"
    return ""


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
        begun = before.received_at >= fault.at - WINDOW_SECONDS or before in last
        if begun and _sent_before(before, fault) and after.received_at > fault.at:
            yield f"{fault.name} {fault.at - before.received_at:+.3f} s after it had come"


def _sent_before(row: Receipt, fault: Fault) -> bool:
    if fault.name.endswith(SENDER):
        return row.stamp <= fault.gone_at
    return row.received_at <= fault.gone_at + UNWRITABLE_SECONDS
