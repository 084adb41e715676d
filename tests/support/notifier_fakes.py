"""The notifier's ports in memory, and notices to feed them with."""

import itertools
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from services.notifier.domain.health import HealthSeen
from services.notifier.domain.model import (
    Access,
    Answer,
    EndpointId,
    Entry,
    Keys,
    Leased,
    NoticeId,
    NoticeState,
    Subject,
    Target,
)
from services.notifier.ports import FactRecord, Recorded, Replay, Settled, Settlement
from shared.contracts.audit import AuditFact
from shared.contracts.concern import Sealed
from shared.contracts.notice import Because, Notice, NoticeIssued
from shared.contracts.outcome import NoticeOutcome
from shared.contracts.topics import lane_of
from shared.ids import derived_id
from shared.records import Span
from shared.sealing import SecretKey, seal
from tests.support.clock import NOON
from tests.support.notifier_conversation import InMemoryConversation, Row

SEALING, TOKENS = SecretKey.of(b"s" * 32), SecretKey.of(b"t" * 32)
SECRET = b"k" * 32
KEYS = Keys(SECRET, b"e" * 32)
LEASE = timedelta(seconds=6)
FULL = dict.fromkeys(("header", "provider", "registrant", "narrative"), "full")
ROUTING: Mapping[str, Any] = {
    "originator": "cqc",
    "originator_ref": "REF-1",
    "version": 1,
    "received_at": "2025-03-10T12:00:00Z",
    "categories": ["patient-safety"],
    "urgency": "urgent",
    "subjects": [{"kind": "registrant", "registers": ["gmc"]}],
}
DETAIL: Mapping[str, Any] = {
    "summary": "Something is wrong.",
    "subjects": [{"name": "A Doctor", "identifiers": [{"scheme": "gmc-number", "value": "4012345"}]}],
}
_numbers = itertools.count(1)


def a_notice(recipient: str = "gmc", *, detail: Mapping[str, Any] = DETAIL, **changes: Any) -> NoticeIssued:
    """A notice of a concern of its own, sealed as intake seals."""
    concern_id = changes.pop("concern_id", f"con_{next(_numbers):032x}")
    version, kind, ref = changes.get("version", 1), changes.get("kind", "tell"), changes.get("ref", "")
    sealed = Sealed.model_validate(seal(dict(detail), SEALING, bound_to=f"{concern_id}/{version}"))
    notice = Notice(
        notice_id=derived_id("ntc", concern_id, version, recipient, kind, ref),
        decision_id=derived_id("dec", concern_id, version),
        concern_id=concern_id,
        version=1,
        round=1,
        kind="tell",
        recipient=recipient,
        lane=lane_of(recipient),
        reason="PERMITTED",
        because=[Because(agreement="mou-cqc-gmc", clause="c1", signed_as={"discloser": "cqc"}, path=[])],
        fields=dict(FULL),
        withheld={},
        duties={},
        onward="none",
        graph_version=1,
        graph_root="00",
        accepted_at=NOON,
        routing=dict(ROUTING),
        sealed=sealed,
    )
    data = notice.model_copy(update=changes)
    return NoticeIssued(id=f"evt_{data.notice_id}", source="/concordat/router", time=NOON, data=data)


@dataclass(slots=True)
class InMemoryStore:
    """The ledger in memory. `database_now` is the clock that judges leases; `fault` is raised at the next commit."""

    rows: dict[NoticeId, Row] = field(default_factory=dict)
    attempts: list[tuple[NoticeId, int]] = field(default_factory=list)
    outcomes: list[NoticeOutcome] = field(default_factory=list)
    facts: list[AuditFact] = field(default_factory=list)
    kept: dict[str, FactRecord] = field(default_factory=dict)
    suspended: dict[EndpointId, str] = field(default_factory=dict)
    spans: list[Span] = field(default_factory=list)
    database_now: datetime = NOON
    fault: Exception | None = None
    hastened: list[tuple[str, bool]] = field(default_factory=list)
    health: dict[EndpointId, HealthSeen] = field(default_factory=dict)
    replays: dict[str, Replay] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    next_at: dict[str, datetime] = field(default_factory=dict)
    with_endpoint: set[str] = field(default_factory=set)
    with_alternate: set[str] = field(default_factory=set)
    in_order: set[str] = field(default_factory=set)
    copies: dict[tuple[str, str], bytes] = field(default_factory=dict)

    @asynccontextmanager
    async def begin(self, spans: Sequence[Span] = ()) -> AsyncIterator["InMemoryLedger"]:
        """All or nothing."""
        before = {notice_id: replace(row) for notice_id, row in self.rows.items()}
        ledger = InMemoryLedger(self)
        try:
            yield ledger
            if self.fault is not None:
                fault, self.fault = self.fault, None
                raise fault
        except BaseException:
            self.rows = before
            raise
        self.spans.extend(spans)
        self.outcomes.extend(ledger.told)
        self.facts.extend(ledger.recorded_facts)
        self.attempts.extend(ledger.made)
        self.suspended.update(ledger.gone)

    async def register(
        self, entries: Sequence[Entry], *, leased: frozenset[NoticeId], spans: Sequence[Span]
    ) -> frozenset[NoticeId]:
        async with self.begin(spans) as ledger:
            return await ledger.register(entries, leased=leased)

    async def copy(self, message_id: str, kid: str, make: Callable[[], bytes]) -> bytes:
        if self.fault is not None:
            raise self.fault
        if (message_id, kid) not in self.copies:
            self.copies[message_id, kid] = make()
        return self.copies[message_id, kid]

    async def settle(self, settled: Sequence[Settled]) -> frozenset[NoticeId]:
        async with self.begin() as ledger:
            ours = await ledger.settle([one.settlement for one in settled])
            mine = [one for one in settled if one.settlement.notice.notice_id in ours]
            await ledger.publish([one.settlement.outcome for one in mine if one.settlement.outcome])
            await ledger.record([one.fact for one in mine if one.fact])
        return ours


class InMemoryLedger(InMemoryConversation):
    """One transaction."""

    def __init__(self, store: InMemoryStore) -> None:
        super().__init__(store)
        self._store = store
        self.told: list[NoticeOutcome] = []
        self.recorded_facts: list[AuditFact] = []
        self.made: list[tuple[NoticeId, int]] = []
        self.gone: dict[EndpointId, str] = {}

    async def register(self, entries: Sequence[Entry], *, leased: frozenset[NoticeId]) -> frozenset[NoticeId]:
        known = {row.entry.subject for row in self._store.rows.values()}
        new = [e for e in entries if e.subject not in known and e.notice_id not in self._store.rows]
        for entry in new:
            row = Row(entry, due_at=entry.registered_at, alternate=entry.alternate, escalate_at=entry.escalate_at)
            self._store.rows[entry.notice_id] = row
            if entry.notice_id in leased:
                self._lease(row)
        return frozenset(entry.notice_id for entry in new)

    async def recorded(self, subjects: Sequence[Subject]) -> Sequence[Recorded]:
        return [_recorded(row) for row in self._store.rows.values() if row.entry.subject in subjects]

    async def claim(self, free: Mapping[str, int], *, held: Sequence[NoticeId], now: datetime) -> Sequence[Leased]:
        claimed: list[Leased] = []
        for name, slots in free.items():
            due = [r for r in self._claimable(held) if r.leased.lane_name == name and r.due_at <= now]
            if name in self._store.in_order:
                due = [row for row in due if not any(_place(e) < _place(row) for e in self._waiting_with(row))]
            first = sorted((r for r in due if not r.attempt_count), key=lambda r: r.due_at)[: slots - slots // 4]
            again = sorted((r for r in due if r.attempt_count), key=lambda r: r.due_at)
            claimed += [self._lease(row) for row in [*first, *again][:slots]]
        return claimed

    async def claim_ended(self, *, now: datetime, row_count_max: int) -> Sequence[Leased]:
        ended = [r for r in self._claimable(()) if min(_ends(r.entry)) <= now]
        return [self._lease(row) for row in ended[:row_count_max]]

    async def renew(self, held: Sequence[Leased]) -> frozenset[NoticeId]:
        ours = [n.notice_id for n in held if self._is_ours(n)]
        for notice_id in ours:
            self._store.rows[notice_id].lease_until = self._store.database_now + LEASE
        return frozenset(ours)

    def _is_ours(self, notice: Leased) -> bool:
        row = self._store.rows[notice.notice_id]
        return row.fencing == notice.fencing and row.lease_until is not None

    async def settle(self, settlements: Sequence[Settlement]) -> frozenset[NoticeId]:
        return frozenset(s.notice.notice_id for s in settlements if self._settle(s))

    async def untold(self, *, before: datetime, row_count_max: int) -> Sequence[Recorded]:
        rows = [r for r in self._store.rows.values() if r.outcome is None and r.entry.registered_at <= before]
        return [_recorded(row) for row in rows[:row_count_max]]

    async def note_outcomes(self, outcomes: Sequence[NoticeOutcome]) -> None:
        for outcome in outcomes:
            self._store.rows[NoticeId(outcome.data.notice_id)].outcome = outcome.encode()

    async def publish(self, outcomes: Sequence[NoticeOutcome]) -> None:
        self.told.extend(outcomes)

    async def republish(self, outcomes: Sequence[NoticeOutcome]) -> None:
        self.told.extend(outcomes)

    async def record(self, facts: Sequence[AuditFact]) -> None:
        self.recorded_facts.extend(facts)

    async def keep_facts(self, facts: Sequence[FactRecord]) -> None:
        for record in facts:
            self._store.kept.setdefault(record.fact.fact_id, record)

    async def suspend(self, reasons: Mapping[EndpointId, str], *, at: datetime) -> Mapping[EndpointId, str]:  # noqa: ARG002 - the port's
        self.gone.update(reasons)
        return {endpoint_id: endpoint_id.removeprefix("end_") for endpoint_id in reasons}

    def _close(self, row: Row, settlement: Settlement) -> None:
        row.state, row.reason, row.closed_at = settlement.state, settlement.reason, settlement.closed_at
        row.acknowledge_by = settlement.acknowledge_by or row.acknowledge_by
        if settlement.state is not NoticeState.PENDING:
            row.escalate_at = settlement.escalate_at
        if settlement.outcome is not None:
            row.outcome = settlement.outcome.encode()

    def _claimable(self, held: Sequence[NoticeId]) -> list[Row]:
        now = self._store.database_now
        pending = [r for r in self._store.rows.values() if r.state is NoticeState.PENDING]
        free = [r for r in pending if r.lease_until is None or r.lease_until < now]
        return [r for r in free if r.entry.notice_id not in held]

    def _waiting_with(self, row: Row) -> list[Row]:
        about = (row.entry.subject.concern_id, row.entry.subject.recipient)
        pending = [r for r in self._store.rows.values() if r.state is NoticeState.PENDING]
        return [r for r in pending if (r.entry.subject.concern_id, r.entry.subject.recipient) == about]

    def _lease(self, row: Row) -> Leased:
        row.lease_until = self._store.database_now + LEASE
        row.fencing += 1
        return row.leased

    def _settle(self, settlement: Settlement) -> bool:
        row = self._store.rows.get(settlement.notice.notice_id)
        if row is None or row.fencing != settlement.notice.fencing or row.lease_until is None:
            return False
        row.lease_until = None
        row.due_at = settlement.due_at or row.due_at
        is_late = row.state is NoticeState.CANCELLED and settlement.state is NoticeState.DELIVERED
        if row.state is NoticeState.PENDING or is_late:
            self._close(row, settlement)
        if settlement.attempt is not None:
            row.attempt_count = settlement.attempt.attempt_no
            self.made.append((row.entry.notice_id, row.attempt_count))
        return True


@dataclass(slots=True)
class ScriptedWire:
    """Answers from a script, 204 when it has run out; remembers what was sent."""

    script: list[Answer] = field(default_factory=list)
    sent: list[tuple[str, Mapping[str, str], bytes]] = field(default_factory=list)
    accesses: list[Access | None] = field(default_factory=list)
    consents: list[Answer] = field(default_factory=list)
    asked: list[tuple[str, Mapping[str, str], Access | None]] = field(default_factory=list)

    async def ask(self, url: str, headers: Mapping[str, str], access: Access | None = None) -> Answer:
        self.asked.append((url, headers, access))
        return self.consents.pop(0) if self.consents else Answer(405)

    async def post(self, url: str, headers: Mapping[str, str], body: bytes, access: Access | None = None) -> Answer:
        self.accesses.append(access)
        self.sent.append((url, headers, body))
        return self.script.pop(0) if self.script else Answer(204)


@dataclass(slots=True)
class RoomyLanes:
    """Lanes with `room` slots in all; remembers what is to be delivered and what was given back."""

    room: int = 1000
    started: list[Leased] = field(default_factory=list)
    given_back: list[Leased] = field(default_factory=list)
    cancelled: list[NoticeId] = field(default_factory=list)

    def cancel(self, notice_ids: Sequence[NoticeId]) -> None:
        self.cancelled += notice_ids

    def reserve(self, entries: Sequence[Entry]) -> Sequence[Leased]:
        return [replace(Row(entry).leased, fencing=1) for entry in entries[: self.room]]

    def fill(self, slots: Sequence[Leased], inserted: frozenset[NoticeId]) -> None:
        self.started += [n for n in slots if n.notice_id in inserted]
        self.given_back += [n for n in slots if n.notice_id not in inserted]


def a_target(org: str = "gmc", url: str = "https://receiver.example/hooks") -> Target:
    """An active endpoint."""
    return Target(EndpointId(f"end_{org}"), org, url, (KEYS,))


def a_leased(number: int = 1, *, recipient: str = "gmc", **changes: Any) -> Leased:
    """A notice under a lease."""
    notice = Leased(
        notice_id=NoticeId(f"ntc_{number:032x}"),
        subject=Subject(f"con_{number:032x}", 1, recipient, "tell", ""),
        body=b"{}",
        body_digest="00",
        attempt_count=0,
        fencing=1,
        give_up_at=NOON + timedelta(days=8),
        valid_until=None,
        message_id=f"ntc_{number:032x}",
    )
    return replace(notice, **changes)


def _ends(entry: Entry) -> list[datetime]:
    return [moment for moment in (entry.give_up_at, entry.valid_until) if moment is not None]


def _place(row: Row) -> tuple[datetime, int, int, str]:
    entry = row.entry
    rank = {"tell": 0, "invitation": 1, "withdrawal": 2, "recall": 3}.get(entry.subject.kind, 4)
    return (entry.registered_at, entry.subject.version, rank, entry.notice_id)


def _recorded(row: Row) -> Recorded:
    return Recorded(row.entry.notice_id, row.entry.subject, row.outcome)
