"""The ledger in Postgres: few statements per batch, every lease judged by the database's clock."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, Protocol

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.notifier.adapters import statements
from services.notifier.adapters.conversation import PostgresConversation
from services.notifier.adapters.rows import columns_of, subject_of, subjects_of
from services.notifier.domain.model import ISSUED_KINDS, EndpointId, Entry, Leased, NoticeId, Subject
from services.notifier.ports import FactRecord, Recorded, Settled, Settlement
from shared.audit import audit_row
from shared.contracts.audit import AuditFact
from shared.contracts.outcome import NoticeOutcome
from shared.contracts.topics import OUTCOMES
from shared.db.engine import transaction
from shared.db.outbox import Outbox, OutboxRow
from shared.db.positions import Positions, span_columns
from shared.db.writer import Statement, Writer
from shared.failpoints import FailPoints
from shared.records import Span

BEFORE_COMMIT, AFTER_COMMIT = "notifier.before-commit", "notifier.after-commit"


class Offers(Protocol):
    """Who publishes rows at once after commit."""

    def offer(self, rows: Sequence[OutboxRow]) -> None:
        """Take them."""
        ...


class PostgresStore:
    """The ledger. `lease_seconds` is how long a lease lasts without renewal."""

    def __init__(
        self, engine: AsyncEngine, writer: Writer, relay: Offers, fail_points: FailPoints, lease_seconds: float
    ) -> None:
        self._engine = engine
        self._writer = writer
        self._positions = Positions(engine, statements.SCHEMA)
        self._outbox = Outbox(engine, statements.SCHEMA)
        self._relay = relay
        self._fail_points = fail_points
        self._lease_seconds = lease_seconds

    @asynccontextmanager
    async def begin(self, spans: Sequence[Span] = ()) -> AsyncIterator["PostgresLedger"]:
        """One transaction that also moves past the spans. Raises PositionMoved, StoreUnavailable."""
        async with transaction(self._engine) as connection:
            await self._positions.advance(connection, spans)
            ledger = PostgresLedger(connection, self._lease_seconds)
            yield ledger
            await self._outbox.add(connection, ledger.rows)
            self._hit(BEFORE_COMMIT, ledger)
        self._hit(AFTER_COMMIT, ledger)
        self._relay.offer([*ledger.rows, *ledger.repeated])

    async def register(
        self, entries: Sequence[Entry], *, leased: frozenset[NoticeId], spans: Sequence[Span]
    ) -> frozenset[NoticeId]:
        """See ports.LedgerStore."""
        columns = {**_entry_columns(entries, leased), **span_columns(spans), "seconds": self._lease_seconds}
        ((inserted, _),) = await self._alone(statements.REGISTER_ALONE, columns, changes=bool(entries))
        return frozenset(inserted)

    async def settle(self, settled: Sequence[Settled]) -> frozenset[NoticeId]:
        """See ports.LedgerStore."""
        settlements = [one.settlement for one in settled]
        bytes_of = {s.outcome.id: s.outcome.encode() for s in settlements if s.outcome}
        said = [(one.settlement.notice.notice_id, row) for one in settled for row in _said(one, bytes_of)]
        columns = {**_settlement_columns(settlements, bytes_of), **_said_columns(said)}
        found = await self._alone(statements.SETTLE_ALONE, columns, changes=bool(settled))
        ours = frozenset(NoticeId(row["notice_id"]) for row in found)
        self._relay.offer([row for notice_id, row in said if notice_id in ours])
        return ours

    async def copy(self, message_id: str, kid: str, make: Callable[[], bytes]) -> bytes:
        """See ports.LedgerStore. Of two that are made at once the first is the one."""
        named = {"message_id": message_id, "kid": kid}
        async with transaction(self._engine) as connection:
            kept = (await connection.execute(statements.COPY, named)).scalar_one_or_none()
            if kept is None:
                await connection.execute(statements.KEEP_COPY, {**named, "body": make()})
                kept = (await connection.execute(statements.COPY, named)).scalar_one()
            return bytes(kept)

    async def _alone(self, statement: Statement, columns: Mapping[str, Any], *, changes: bool) -> Sequence[Any]:
        if changes:
            self._fail_points.hit(BEFORE_COMMIT)
        rows = await self._writer.run(statement, **columns)
        if changes:
            self._fail_points.hit(AFTER_COMMIT)
        return rows

    def _hit(self, point: str, ledger: "PostgresLedger") -> None:
        """Claims and renewals are no points to stop at: they change nothing that anybody is told."""
        if ledger.changes_notices:
            self._fail_points.hit(point)


class PostgresLedger(PostgresConversation):
    """The ledger within one transaction; what is published through it is written to the outbox before commit."""

    def __init__(self, connection: AsyncConnection, lease_seconds: float) -> None:
        super().__init__(connection)
        self._lease_seconds = lease_seconds
        self._bytes: dict[str, bytes] = {}
        self.rows: list[OutboxRow] = []
        self.repeated: list[OutboxRow] = []

    async def register(self, entries: Sequence[Entry], *, leased: frozenset[NoticeId]) -> frozenset[NoticeId]:
        """Insert what is not there yet; gives the inserted ones."""
        if not entries:
            return frozenset()
        self.changes_notices = True
        columns = {**_entry_columns(entries, leased), "seconds": self._lease_seconds}
        found = await self._connection.execute(statements.REGISTER, columns)
        return frozenset(row.notice_id for row in found)

    async def recorded(self, subjects: Sequence[Subject]) -> Sequence[Recorded]:
        """What the ledger has under these keys."""
        found = await self._connection.execute(statements.RECORDED, subjects_of(subjects))
        return [_recorded(row) for row in found]

    async def claim(self, free: Mapping[str, int], *, held: Sequence[NoticeId], now: datetime) -> Sequence[Leased]:
        """Lease due notices, per recipient up to its free slots."""
        orgs = [name.partition("/") for name in free]
        asked = {
            "recipient": [org for org, _, _ in orgs],
            "alternate": [bool(rest) for _, _, rest in orgs],
            "slots": list(free.values()),
            "held": list(held),
            "now": now,
        }
        found = await self._connection.execute(statements.CLAIM, {**asked, "seconds": self._lease_seconds})
        return [_leased(row) for row in found]

    async def claim_ended(self, *, now: datetime, row_count_max: int) -> Sequence[Leased]:
        """Lease notices whose basis or time has ended."""
        asked = {"now": now, "row_count_max": row_count_max, "seconds": self._lease_seconds}
        found = await self._connection.execute(statements.CLAIM_ENDED, asked)
        return [_leased(row) for row in found]

    async def renew(self, held: Sequence[Leased]) -> frozenset[NoticeId]:
        """Keep the leases whose fencing token is still ours; gives which."""
        asked = {"ids": [n.notice_id for n in held], "fencing": [n.fencing for n in held]}
        found = await self._connection.execute(statements.RENEW, {**asked, "seconds": self._lease_seconds})
        return frozenset(row.notice_id for row in found)

    async def settle(self, settlements: Sequence[Settlement]) -> frozenset[NoticeId]:
        """Write results and attempts of leases that are still ours; gives which."""
        if not settlements:
            return frozenset()
        self.changes_notices = True
        bytes_of = {s.outcome.id: self._encoded(s.outcome) for s in settlements if s.outcome}
        found = await self._connection.execute(statements.SETTLE, _settlement_columns(settlements, bytes_of))
        return frozenset(row.notice_id for row in found)

    async def untold(self, *, before: datetime, row_count_max: int) -> Sequence[Recorded]:
        """Notices of which no outcome was sent yet; another notifier at the same work gets the others."""
        asked = {"before": before, "row_count_max": row_count_max}
        return [_recorded(row) for row in await self._connection.execute(statements.UNTOLD, asked)]

    async def note_outcomes(self, outcomes: Sequence[NoticeOutcome]) -> None:
        """Remember these as the latest outcomes of notices that had none."""
        if outcomes:
            asked = {"ids": [o.data.notice_id for o in outcomes], "outcomes": [o.encode() for o in outcomes]}
            await self._connection.execute(statements.NOTE_OUTCOMES, asked)

    async def publish(self, outcomes: Sequence[NoticeOutcome]) -> None:
        """Tell through the outbox."""
        self.rows.extend(self._row(outcome) for outcome in outcomes)

    async def republish(self, outcomes: Sequence[NoticeOutcome]) -> None:
        """Offer again what the outbox has had before."""
        self.repeated.extend(self._row(outcome) for outcome in outcomes)

    async def record(self, facts: Sequence[AuditFact]) -> None:
        """Write audit facts to the outbox."""
        self.rows.extend(audit_row(fact) for fact in facts)

    async def keep_facts(self, facts: Sequence[FactRecord]) -> None:
        """Insert facts that came from the services."""
        if not facts:
            return
        given = [record.fact for record in facts]
        columns = columns_of(("fact_id", "kind", "concern_id", "at", "service", "actor"), given)
        await self._connection.execute(statements.KEEP_FACTS, {**columns, "event": [r.event for r in facts]})

    async def suspend(self, reasons: Mapping[EndpointId, str], *, at: datetime) -> Mapping[EndpointId, str]:
        """Suspend active endpoints; gives those that were active, with their organisations."""
        asked = {"ids": list(reasons), "reasons": list(reasons.values()), "at": at}
        found = await self._connection.execute(statements.SUSPEND, asked)
        return {EndpointId(row.endpoint_id): row.org for row in found}

    def _row(self, outcome: NoticeOutcome) -> OutboxRow:
        return _outcome_row(outcome, self._encoded(outcome))

    def _encoded(self, outcome: NoticeOutcome) -> bytes:
        """The bytes of an event that goes to the ledger and to the outbox, made once."""
        if outcome.id not in self._bytes:
            self._bytes[outcome.id] = outcome.encode()
        return self._bytes[outcome.id]


def _outcome_row(outcome: NoticeOutcome, value: bytes) -> OutboxRow:
    key = outcome.data.concern_id
    return OutboxRow(outcome.id, OUTCOMES.name, OUTCOMES.partition_of(key), key, value)


def _said(settled: Settled, bytes_of: Mapping[str, bytes]) -> list[OutboxRow]:
    """What a settlement says once it is written: its outcome, and the audit fact."""
    outcome, fact = settled.settlement.outcome, settled.fact
    told = [_outcome_row(outcome, bytes_of[outcome.id])] if outcome else []
    return [*told, audit_row(fact)] if fact else told


def _said_columns(said: Sequence[tuple[NoticeId, OutboxRow]]) -> dict[str, Any]:
    rows = [row for _, row in said]
    named = {"of_notice": [notice_id for notice_id, _ in said]}
    return {**named, **columns_of(("event_id", "topic", "partition", "key", "value"), rows)}


def _entry_columns(entries: Sequence[Entry], leased: frozenset[NoticeId]) -> dict[str, Any]:
    return {
        **columns_of(("decision_id", "lane", "body", "body_digest"), entries),
        **columns_of(("registered_at", "give_up_at", "valid_until", "escalate_at"), entries),
        **columns_of(("alternate", "acknowledge_within", "rest"), entries),
        **subjects_of([entry.subject for entry in entries]),
        "notice_id": [e.notice_id for e in entries],
        "leased": [e.notice_id in leased for e in entries],
        "retry_seconds": [e.retry_seconds and " ".join(map(str, e.retry_seconds)) for e in entries],
        "issued": [e.subject.kind in ISSUED_KINDS for e in entries],
    }


def _settlement_columns(settlements: Sequence[Settlement], bytes_of: Mapping[str, bytes]) -> dict[str, Any]:
    times = ("due_at", "closed_at", "acknowledge_by", "escalate_at")
    return {
        **columns_of((*times, "reason"), settlements),
        **_attempts(settlements),
        "notice_id": [s.notice.notice_id for s in settlements],
        "fencing": [s.notice.fencing for s in settlements],
        "state": [s.state.value for s in settlements],
        "outcome": [s.outcome and bytes_of[s.outcome.id] for s in settlements],
    }


def _attempts(settlements: Sequence[Settlement]) -> dict[str, list[Any]]:
    """The columns of the attempts; a settlement without one has attempt number NULL."""
    made = [s.attempt for s in settlements]
    return {
        "attempt_no": [a and a.attempt_no for a in made],
        "endpoint_id": [a and a.endpoint_id for a in made],
        "at": [a and a.at for a in made],
        "duration_ms": [a and a.duration // timedelta(milliseconds=1) for a in made],
        "status": [a and a.answer.status for a in made],
        "error": [a and a.answer.error for a in made],
        "answer": [a and a.answer.body for a in made],
    }


def _recorded(row: Any) -> Recorded:
    return Recorded(NoticeId(row.notice_id), subject_of(row), row.outcome)


def _leased(row: Any) -> Leased:
    return Leased(
        notice_id=NoticeId(row.notice_id),
        subject=subject_of(row),
        body=row.body,
        body_digest=row.body_digest,
        attempt_count=row.attempt_count,
        fencing=row.fencing,
        give_up_at=row.give_up_at,
        valid_until=row.valid_until,
        message_id=row.message_id,
        acknowledge_within=row.acknowledge_within,
        retry_seconds=row.retry_seconds and tuple(row.retry_seconds),
        alternate=row.alternate,
    )
