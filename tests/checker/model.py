"""What the checker knows: what it sent, what it was answered, what came, what it broke, and what the system says.

Times are seconds since 1970 by the checker's own clock, unless the system said them.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

OK, REFUSED, UNKNOWN = "ok", "refused", "unknown"
FIRST, AGAIN = "first", "again"
VALID, WRONG = "valid", "wrong"


def now() -> float:
    """The checker's clock."""
    return time.time_ns() / 1e9


@dataclass(frozen=True, slots=True)
class Submit:
    """A concern that is to be sent; `recipients` is who must hear of it, by the specification."""

    run: int
    key: str
    originator: str
    recipients: frozenset[str]
    kind: str
    summary: str
    due_at: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of one request. An `unknown` one may or may not have been taken."""

    key: str
    sent_at: float
    answered_at: float
    outcome: str
    status: int
    concern_id: str
    replayed: bool = False
    readable: bool = True
    """Whether the concern could be read right after a 202; looked at for some."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """One request to a receiver, written down before it was answered. `fault` says why its signature is none.

    `stamp` is when it was sent, in whole seconds, as the sender signed it.
    """

    org: str
    webhook_id: str
    event_id: str
    subject: str
    key: str
    summary: str
    recipient: str
    digest: str
    fault: str
    received_at: float
    answered: str
    stamp: int = 0

    @property
    def taken(self) -> bool:
        """Whether the receiver answered that it has it."""
        return self.answered.startswith("2")


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that was broken on purpose: from `at`, surely gone (or going on again after a pause) at `gone_at`,
    and ready again at `back_at`."""

    run: int
    name: str
    at: float
    gone_at: float
    back_at: float


@dataclass(frozen=True, slots=True)
class Concern:
    """A concern as intake lists it."""

    concern_id: str
    key: str
    originator: str


@dataclass(frozen=True, slots=True)
class Notice:
    """A row of the ledger of deliveries, as the notifier lists it."""

    notice_id: str
    concern_id: str
    recipient: str
    kind: str
    version: int
    state: str
    digest: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """An attempt that the system has written down: begun by its clock (this machine's too), how long, what came."""

    at: float
    seconds: float
    status: int | None

    @property
    def is_success(self) -> bool:
        """Whether the sender knows that it was taken."""
        return self.status is not None and 200 <= self.status < 300


@dataclass(frozen=True, slots=True)
class AuditFact:
    """An audit fact, by kind; `notice_id` for one of an attempt."""

    fact_id: str
    kind: str
    at: str
    notice_id: str
    verdict: str


@dataclass(frozen=True, slots=True)
class Dossier:
    """All that the system says of one concern: who is told by the decision, what the originator sees, the audit."""

    decided: frozenset[str] | None
    told: Mapping[str, str]
    facts: Sequence[AuditFact]


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything of one run, at rest."""

    submits: Sequence[Submit]
    answers: Sequence[Answer]
    receipts: Sequence[Receipt]
    faults: Sequence[Fault] = ()
    concerns: Sequence[Concern] = ()
    notices: Sequence[Notice] = ()
    dossiers: Mapping[str, Dossier] = field(default_factory=dict)
    attempts: Mapping[str, Sequence[Attempt]] = field(default_factory=dict)
    """What the system has written down of each notice that came more than once."""
    closed: frozenset[str] = frozenset()
    """Concerns of earlier runs, which are at rest."""
    foreign: frozenset[str] = frozenset()
    """Concerns that somebody else has sent to this system; what comes of them is no part of the equation."""
    answer_seconds_max: float = 10.0
    """The longest that a 202 may take while nothing is broken."""
