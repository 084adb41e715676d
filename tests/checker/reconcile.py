"""The equation: what was accepted, owed and received, held against each other; every difference has a name. Pure.

accepted - stored = 0          owed - received - pending - parked = 0          unexplained duplicates = 0
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from tests.checker import duplicates
from tests.checker.model import OK, REFUSED, UNKNOWN, VALID, Answer, Dossier, Evidence, Notice, Receipt

TELL, PENDING = "tell", "pending"
REACHED = frozenset({"delivered", "acknowledged", "accepted", "refused", "used"})


@dataclass(frozen=True, slots=True)
class Difference:
    """Something that does not add up: which kind, about what, and what was seen."""

    name: str
    about: str
    seen: str


@dataclass(frozen=True, slots=True)
class Counts:
    """The terms of the equation."""

    accepted: int
    refused: int
    unknown: int
    stored: int
    owed: int
    received: int
    pending: int
    parked: int
    receipts: int


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run comes to."""

    counts: Counts
    differences: tuple[Difference, ...]
    explained: tuple[duplicates.Explained, ...]


class Books:
    """The evidence, indexed as the checks ask for it."""

    def __init__(self, evidence: Evidence) -> None:
        receipts = [row for row in evidence.receipts if row.subject not in evidence.foreign]
        self.evidence = evidence = replace(evidence, receipts=receipts)
        self.submits = {row.key: row for row in evidence.submits}
        self.notices = {row.notice_id: row for row in evidence.notices}

    @cached_property
    def answered(self) -> Mapping[str, set[str]]:
        """The concern ids that each key was answered with."""
        found: dict[str, set[str]] = defaultdict(set)
        for row in self.evidence.answers:
            if row.outcome == OK:
                found[row.key].add(row.concern_id)
        return found

    @cached_property
    def outcome(self) -> Mapping[str, str]:
        """How each key ended: taken once is taken, else refused once is refused, else unknown."""
        ends: dict[str, str] = {}
        for row in self.evidence.answers:
            if OK in (row.outcome, ends.get(row.key)):
                ends[row.key] = OK
            elif row.outcome == REFUSED or row.key not in ends:
                ends[row.key] = row.outcome
        return {key: ends.get(key, UNKNOWN) for key in self.submits}

    @cached_property
    def stored(self) -> Mapping[str, set[str]]:
        """The concerns that intake lists under each key."""
        found: dict[str, set[str]] = defaultdict(set)
        for row in self.evidence.concerns:
            found[row.key].add(row.concern_id)
        return found

    @cached_property
    def key_of(self) -> Mapping[str, str]:
        """The key of each concern of this run."""
        pairs = [(i, key) for source in (self.stored, self.answered) for key, ids in source.items() for i in ids]
        return {concern_id: key for concern_id, key in pairs if key in self.submits}

    @cached_property
    def dossiers(self) -> Mapping[str, Dossier]:
        """What was read whole, of this run's concerns."""
        return {one: dossier for one, dossier in self.evidence.dossiers.items() if one in self.key_of}

    @cached_property
    def owed(self) -> Sequence[Notice]:
        """The ledger's rows about this run's concerns."""
        return [row for row in self.evidence.notices if row.concern_id in self.key_of]

    @cached_property
    def came(self) -> Mapping[str, Sequence[Receipt]]:
        """What came under each webhook-id, in order."""
        return duplicates.by_id(self.evidence.receipts)


def reconcile(evidence: Evidence) -> Verdict:
    """Hold everything against everything."""
    books = Books(evidence)
    found = [difference for check in CHECKS for difference in check(books)]
    explained, unexplained = duplicates.judged(books.came, evidence.faults, evidence.attempts)
    found += [Difference("unexplained duplicate", one.webhook_id, one.why) for one in unexplained]
    return Verdict(_counts(books), tuple(found), tuple(explained))


def _counts(books: Books) -> Counts:
    ends = Counter(books.outcome.values())
    taken = {row.webhook_id for row in books.evidence.receipts if row.taken and not row.fault}
    reached = sum(row.notice_id in taken for row in books.owed)
    pending = sum(row.state == PENDING and row.notice_id not in taken for row in books.owed)
    parked = sum(row.state not in {*REACHED, PENDING} and row.notice_id not in taken for row in books.owed)
    stored = len({row.concern_id for row in books.evidence.concerns if row.concern_id in books.key_of})
    tally = (stored, len(books.owed), reached, pending, parked, len(books.evidence.receipts))
    return Counts(ends[OK], ends[REFUSED], ends[UNKNOWN], *tally)


def _accepted_is_stored(books: Books) -> Iterator[Difference]:
    for key, ids in books.answered.items():
        for concern_id in ids - books.stored.get(key, set()):
            yield Difference("accepted and lost", key, f"{concern_id} was answered 202 and intake does not list it")


def _one_concern_a_key(books: Books) -> Iterator[Difference]:
    for key in books.submits:
        ids = books.stored.get(key, set()) | books.answered.get(key, set())
        if len(ids) > 1:
            yield Difference("two concerns under one key", key, ", ".join(sorted(ids)))


def _nothing_unasked(books: Books) -> Iterator[Difference]:
    for key in books.stored.keys() - books.submits.keys():
        yield Difference("stored and never sent", key, ", ".join(sorted(books.stored[key])))


def _refusals(books: Books) -> Iterator[Difference]:
    for key, submit in books.submits.items():
        end = books.outcome[key]
        if end == REFUSED and books.stored.get(key):
            yield Difference("refused and stored", key, ", ".join(sorted(books.stored[key])))
        if submit.kind == VALID and end == REFUSED:
            yield Difference("a right concern refused", key, "each answer was a 4xx")
        if submit.kind != VALID and end == OK:
            yield Difference("a wrong concern accepted", key, "a malformed field was answered 202")


def _answers(books: Books) -> Iterator[Difference]:
    taken_at: dict[str, float] = {}
    for row in books.evidence.answers:
        if row.outcome != OK:
            continue
        if not row.readable:
            yield Difference("answered before it was stored", row.key, f"{row.concern_id} was 404 right after its 202")
        if row.answered_at - row.sent_at > books.evidence.answer_seconds_max and not _at_a_fault(row, books):
            yield Difference("answered too late", row.key, f"202 after {row.answered_at - row.sent_at:.1f} s")
        if taken_at.get(row.key, row.sent_at) < row.sent_at and not row.replayed:
            yield Difference("a repeat not called one", row.key, "sent again after its 202, it was taken as new")
        taken_at.setdefault(row.key, row.answered_at)


def _at_a_fault(row: Answer, books: Books) -> bool:
    return any(fault.at <= row.answered_at and row.sent_at <= fault.back_at for fault in books.evidence.faults)


def _right_recipients(books: Books) -> Iterator[Difference]:
    told: dict[str, list[str]] = defaultdict(list)
    for row in books.owed:
        told[row.concern_id].append(row.recipient)
    for concern_id, key in books.key_of.items():
        wanted, found = books.submits[key].recipients, Counter(told[concern_id])
        for org in sorted(wanted - found.keys()):
            yield Difference("owed and not issued", key, f"{org} must hear of {concern_id}; the ledger has no row")
        for org in sorted(found.keys() - wanted):
            yield Difference("told who must not be", key, f"{org} has a row in the ledger for {concern_id}")
        for org in sorted(org for org, count in found.items() if count > 1):
            yield Difference("doubled under a new id", key, f"{found[org]} notices of {concern_id} for {org}")


def _owed_is_received(books: Books) -> Iterator[Difference]:
    for row in books.owed:
        taken = any(one.taken and not one.fault for one in books.came.get(row.notice_id, ()))
        if row.state == PENDING:
            yield Difference("pending at rest", row.notice_id, f"{row.recipient} has not been told of {row.concern_id}")
        elif row.state in REACHED and not taken:
            yield Difference("called delivered and never received", row.notice_id, f"{row.recipient} took none")
        elif row.state not in REACHED:
            yield Difference("parked", row.notice_id, f"{row.state} for {row.recipient}: none was to be parked here")


def _received_is_owed(books: Books) -> Iterator[Difference]:
    for row in books.evidence.receipts:
        notice = books.notices.get(row.webhook_id)
        if row.subject in books.evidence.closed:
            yield Difference("late receipt", row.webhook_id, f"{row.org} got it again when its run was at rest")
        elif notice is None or row.subject not in books.key_of:
            yield Difference("received and not owed", row.webhook_id, f"{row.org} got what the ledger does not have")
        elif row.org != notice.recipient or row.recipient != notice.recipient:
            yield Difference("another body told", row.webhook_id, f"{row.org} got what is {notice.recipient}'s")


def _contents(books: Books) -> Iterator[Difference]:
    for row in books.evidence.receipts:
        notice = books.notices.get(row.webhook_id)
        submit = books.submits.get(books.key_of.get(row.subject, ""))
        if row.fault:
            yield Difference("wrong signature", row.webhook_id, f"{row.org}: {row.fault}")
        if row.event_id != row.webhook_id:
            yield Difference("the event has another id", row.webhook_id, f"the body says {row.event_id}")
        if submit and (row.key, row.summary) != (submit.key, submit.summary):
            yield Difference("other content", row.webhook_id, f"{submit.key} was sent, and {row.key} received")
        if notice and row.digest != notice.digest:
            yield Difference("body changed", row.webhook_id, "its bytes are not those that the ledger has a digest of")


def _dossiers(books: Books) -> Iterator[Difference]:
    told: dict[str, list[Notice]] = defaultdict(list)
    for row in books.owed:
        told[row.concern_id].append(row)
    for concern_id, dossier in books.dossiers.items():
        wanted = books.submits[books.key_of[concern_id]].recipients
        if dossier.decided is None:
            yield Difference("accepted and not decided", concern_id, "the router has no decision")
        elif dossier.decided != wanted:
            yield Difference("decided otherwise", concern_id, f"{sorted(dossier.decided)} instead of {sorted(wanted)}")
        for row in told[concern_id]:
            if dossier.told.get(row.recipient) != row.state:
                seen = (
                    f"{row.recipient}: {row.state} in the ledger, {dossier.told.get(row.recipient)} to its originator"
                )
                yield Difference("the originator sees another state", concern_id, seen)


def _audit(books: Books) -> Iterator[Difference]:
    issued = {row.notice_id: row for row in books.owed}
    for concern_id, dossier in books.dossiers.items():
        kinds = Counter(fact.kind for fact in dossier.facts)
        for kind in ("concern-received", "decision"):
            if kinds[kind] != 1:
                yield Difference("audit gap", concern_id, f"{kinds[kind]} facts of kind {kind}")
        delivered = Counter(fact.notice_id for fact in dossier.facts if fact.verdict == "delivered")
        for row in (row for row in issued.values() if row.concern_id == concern_id and row.state in REACHED):
            if delivered[row.notice_id] != 1:
                seen = f"{delivered[row.notice_id]} facts of the delivery of {row.notice_id}"
                yield Difference("audit gap", concern_id, seen)
        order = [_STEPS[fact.kind] for fact in sorted(dossier.facts, key=lambda fact: fact.at) if fact.kind in _STEPS]
        if order != sorted(order):
            yield Difference("audit out of order", concern_id, ", ".join(fact.kind for fact in dossier.facts))


_STEPS = {"concern-received": 1, "decision": 2, "delivery-attempt": 3}
Check = Callable[[Books], Iterable[Difference]]
CHECKS: tuple[Check, ...] = (
    _accepted_is_stored,
    _one_concern_a_key,
    _nothing_unasked,
    _refusals,
    _answers,
    _right_recipients,
    _owed_is_received,
    _received_is_owed,
    _contents,
    _dossiers,
    _audit,
)
