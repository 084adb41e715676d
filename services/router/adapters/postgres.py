"""The router's store on Postgres: a transaction per batch, and reads for those who ask."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.router.adapters import round_statements as more
from services.router.adapters import statements as sql
from services.router.adapters.convening import ConveningPart
from services.router.adapters.correlation import CorrelationPart, PostgresSightings
from services.router.adapters.graph_copy import HeldGraph
from services.router.adapters.round_rows import (
    columns_of_query,
    dossier_of,
    item_event_of,
    past_decision_of,
    row_of_note,
    row_of_opened,
    work_item_of,
)
from services.router.adapters.rows import (
    columns_of,
    part_of,
    past_routing_of,
    record_of,
    row_of_part,
    rows_for_kafka,
)
from services.router.domain.model import (
    DecisionKey,
    DecisionRecord,
    Head,
    ItemCursor,
    ItemEvent,
    ItemQuery,
    PastRouting,
    RoutingCursor,
    StaleHold,
    WorkItem,
)
from services.router.domain.replica import Bodies, CommitPart, Replica
from services.router.domain.rounds import Dossier, Opened, PastDecision, resolved_by
from services.router.ports import Decided
from shared.contracts.audit import AuditFact
from shared.db.engine import transaction
from shared.db.outbox import Outbox, OutboxRow
from shared.db.positions import Positions, span_columns
from shared.db.writer import Writer
from shared.failpoints import FailPoints
from shared.faults import StoreUnavailable
from shared.records import Span
from shared.relay import Relay

STORED_BODIES_MAX = 20_000
OBJECTS_AT_A_TIME = 10_000
"""A statement of a graph that is stored whole carries so many objects at most."""


class PostgresTransaction(CorrelationPart, ConveningPart):
    """One open transaction; `offered` are the outbox rows to publish once it has committed."""

    def __init__(
        self, connection: AsyncConnection, outbox: Outbox, graph: HeldGraph, stored_bodies: frozenset[str]
    ) -> None:
        super().__init__(connection, outbox)
        self._graph = graph
        self._stored_bodies = stored_bodies
        self.new_bodies: set[str] = set()
        self.decides = False

    async def record(self, decided: Sequence[Decided]) -> frozenset[str]:
        """Store what is new and publish its events; gives the ids of the decisions that are new."""
        self.decides = True
        entry = Entry.of(decided, self._stored_bodies)
        said = frozenset((await self._connection.execute(sql.RECORD, entry.columns)).scalars())
        self.new_bodies.update(entry.new_bodies)
        self.offered += entry.offered(said)
        return entry.fresh(said)

    async def open_round(self, decided: Decided, opened: Opened, ended: Sequence[WorkItem]) -> bool:
        """Store a later round with the act that opened it, and end these items; False where the round is taken."""
        if not await self.record([decided]):
            return False
        await self._connection.execute(more.KEEP_ACT, row_of_opened(opened))
        for item in ended:
            event = resolved_by(item, opened)
            await self._connection.execute(more.NOTE, row_of_note(item, event))
        return True

    async def dossier(self, concern_id: str, version: int | None) -> Dossier | None:
        """All that is stored of that version (the newest for None); None where nothing was decided on it."""
        return await dossier_of(self._connection, concern_id, version)

    async def is_raised_by(self, concern_id: str, org: str) -> bool:
        """Whether that body raised it; one look, whether there is such a concern or not."""
        return await _is_raised_by(self._connection, concern_id, org)

    async def lock_item(self, item_id: str) -> WorkItem | None:
        """A work item, locked against others until the transaction ends."""
        row = (await self._connection.execute(more.LOCKED_ITEM, {"item_id": item_id})).one_or_none()
        return work_item_of(row) if row else None

    async def item_events(self, item_id: str) -> Sequence[ItemEvent]:
        """What happened to a work item, in order."""
        return [item_event_of(row) for row in await self._connection.execute(more.ITEM_EVENTS, {"item_id": item_id})]

    async def note(self, item: WorkItem, event: ItemEvent, fact: AuditFact) -> None:
        """Keep the item as it is now, with what happened to it."""
        await self._connection.execute(more.NOTE, row_of_note(item, event))
        await self.say([fact])

    async def overdue_items(self, now: datetime, limit: int) -> Sequence[WorkItem]:
        """Items that should have been resolved by now and of which that was not said yet; locked, others' left out."""
        wanted = {"now": now, "row_count_max": limit}
        return [work_item_of(row) for row in await self._connection.execute(more.OVERDUE_ITEMS, wanted)]

    async def offer_again(self, keys: Sequence[DecisionKey]) -> None:
        """Let the sweeper publish the stored ConcernRouted events of these once more."""
        columns = {
            "concern_ids": [key.concern_id for key in keys],
            "versions": [key.version for key in keys],
            "rounds": [key.round for key in keys],
        }
        decision_ids = (await self._connection.execute(sql.DECISION_IDS, columns)).scalars().all()
        await self._outbox.add_again(self._connection, decision_ids)

    async def close(self, notice_ids: Sequence[str]) -> None:
        """The notifier has these notices."""
        await self._outbox.close(self._connection, notice_ids)

    async def replica(self) -> Replica:
        """The copy of the graph; its head row is locked until the transaction ends."""
        head = Head(*(await self._connection.execute(sql.LOCK_HEAD)).one())
        stored = await self._graph.read(self._connection, head)
        parts = await self._connection.execute(sql.PARTS, {"version": head.version + 1})
        return Replica(head, stored.bodies, tuple(map(part_of, parts)))

    async def follow(self, head: Head, changed: Bodies) -> None:
        """The graph is now at `head`; the parts of its commit are dropped."""
        await self._keep(head, changed)
        await self._connection.execute(sql.DROP_PARTS)

    async def collect(self, part: CommitPart) -> None:
        """Keep a part of a commit that is not yet whole."""
        await self._connection.execute(sql.KEEP_PART, row_of_part(part))

    async def replace(self, replica: Replica) -> None:
        """Drop the whole copy for this one."""
        await self._connection.execute(sql.DROP_OBJECTS)
        await self.follow(replica.head, replica.bodies)

    async def _keep(self, head: Head, changed: Bodies) -> None:
        keys = sorted(changed)
        for start in range(0, len(keys), OBJECTS_AT_A_TIME):
            some = keys[start : start + OBJECTS_AT_A_TIME]
            objects = {
                "version": head.version,
                "kinds": [kind for kind, _ in some],
                "ids": [name for _, name in some],
                "bodies": [changed[key] for key in some],
            }
            await self._connection.execute(sql.KEEP_OBJECTS, objects)
        await self._connection.execute(sql.MOVE_HEAD, {"version": head.version, "root": head.root})


@dataclass(frozen=True, slots=True)
class Entry:
    """What a batch of decisions writes; `new_bodies` are the digests of bodies that go with it."""

    decided: Sequence[Decided]
    rows: Sequence[tuple[str, OutboxRow]]
    new_bodies: Sequence[str]
    columns: dict[str, Any]

    @classmethod
    def of(cls, decided: Sequence[Decided], stored_bodies: frozenset[str]) -> Entry:
        """The entry of these decisions, each once, where some of their bodies are stored."""
        decided = list({one.record.decision_id: one for one in reversed(decided)}.values())[::-1]
        bodies = {one.record.body_digest: one.record.body for one in decided}
        missing = sorted(bodies.keys() - stored_bodies)
        rows = [(one.record.decision_id, row) for one in decided for row in rows_for_kafka(one)]
        columns = columns_of(decided, rows)
        columns.update(body_digests=missing, bodies=[bodies[name] for name in missing])
        return cls(decided, rows, missing, columns)

    def offered(self, said: frozenset[str]) -> list[OutboxRow]:
        """The rows to publish of those whose events were new."""
        return [row for name, row in self.rows if row.event_id in said and name in said]

    def fresh(self, said: frozenset[str]) -> frozenset[str]:
        """The ids of the decisions that were new."""
        return frozenset(one.record.decision_id for one in self.decided if one.record.decision_id in said)


class PostgresStore(PostgresSightings):
    """The schema `router`.

    It remembers which decision bodies are stored, so that concerns decided alike send theirs once; any fault makes it
    forget, because Postgres may have come back as it was earlier.
    """

    def __init__(self, engine: AsyncEngine, writer: Writer, relay: Relay, fail_points: FailPoints) -> None:
        super().__init__(engine)
        self._writer = writer
        self._positions = Positions(engine, sql.SCHEMA)
        self._outbox = Outbox(engine, sql.SCHEMA)
        self._relay = relay
        self._fail_points = fail_points
        self._stored_bodies: frozenset[str] = frozenset()
        self._graph = HeldGraph()

    @asynccontextmanager
    async def begin(self, spans: Sequence[Span] = ()) -> AsyncIterator[PostgresTransaction]:
        """A transaction that also moves past `spans`; what it says is published once it has committed.

        Raises PositionMoved when another router has the spans, StoreUnavailable when Postgres is away.
        """
        try:
            async with transaction(self._engine) as connection:
                await self._positions.advance(connection, spans)
                tx = PostgresTransaction(connection, self._outbox, self._graph, self._stored_bodies)
                yield tx
                self._pass("router.before-commit", tx)
        except StoreUnavailable:
            self._stored_bodies = frozenset()
            raise
        self._pass("router.after-commit", tx)
        self._remember(tx.new_bodies)
        self._relay.offer(tx.offered)

    async def record(self, decided: Sequence[Decided], spans: Sequence[Span]) -> frozenset[str]:
        """Store first decisions and move past `spans` in one statement (ADR 11); see ports.Ledger."""
        entry = Entry.of(decided, self._stored_bodies)
        self._fail_points.hit("router.before-commit")
        try:
            ((names, _),) = await self._writer.run(sql.RECORD_ALONE, **entry.columns, **span_columns(spans))
        except StoreUnavailable:
            self._stored_bodies = frozenset()
            raise
        self._fail_points.hit("router.after-commit")
        said = frozenset(names)
        self._remember(entry.new_bodies)
        self._relay.offer(entry.offered(said))
        return entry.fresh(said)

    def _pass(self, name: str, tx: PostgresTransaction) -> None:
        """Only what stores a decision passes the fail points: others commit all the time."""
        if tx.decides:
            self._fail_points.hit(name)

    def _remember(self, bodies: Collection[str]) -> None:
        if not bodies:
            return
        full = len(self._stored_bodies) + len(bodies) > STORED_BODIES_MAX
        self._stored_bodies = frozenset(bodies) if full else self._stored_bodies.union(bodies)

    async def head(self) -> Head:
        """Which graph is stored; one row."""
        async with transaction(self._engine) as connection:
            return Head(*(await connection.execute(sql.HEAD)).one())

    async def stored_replica(self) -> Replica:
        """The whole graph, of one moment: nobody moves its head meanwhile."""
        async with transaction(self._engine) as connection:
            head = Head(*(await connection.execute(sql.SHARE_HEAD)).one())
            return await self._graph.read(connection, head)

    async def decision(self, concern_id: str, version: int | None) -> DecisionRecord | None:
        """The newest round of that version (of the newest version for None)."""
        wanted = {"concern_id": concern_id, "version": version}
        async with transaction(self._engine) as connection:
            row = (await connection.execute(sql.DECISION, wanted)).one_or_none()
        return record_of(row) if row else None

    async def is_raised_by(self, concern_id: str, org: str) -> bool:
        """Whether that body raised it; one look, whether there is such a concern or not."""
        async with transaction(self._engine) as connection:
            return await _is_raised_by(connection, concern_id, org)

    async def told_by(self, key: DecisionKey) -> dict[str, str]:
        """The notice of each body that was told of that version, in whatever round."""
        async with transaction(self._engine) as connection:
            rows = await connection.execute(sql.TOLD, {"concern_id": key.concern_id, "version": key.version})
            return {row.recipient: row.notice_id for row in rows}

    async def told_of(self, concern_id: str, org: str) -> DecisionKey | None:
        """The newest version of which that body was told; one look, whether there is such a concern or not."""
        async with transaction(self._engine) as connection:
            found = await connection.execute(more.TOLD_OF, {"concern_id": concern_id, "org": org})
            version = found.scalar_one_or_none()
        return None if version is None else DecisionKey(concern_id, version)

    async def past_decisions(self, after: str, limit: int) -> Sequence[PastDecision]:
        """Everything that was decided, each with what it was decided on, by id."""
        async with transaction(self._engine) as connection:
            rows = await connection.execute(more.PAST_DECISIONS, {"after": after, "row_count_max": limit})
            return [past_decision_of(row) for row in rows]

    async def routings(self, since: datetime | None, after: RoutingCursor | None, limit: int) -> Sequence[PastRouting]:
        """What was routed of the concerns received at or after `since`, in the order of receipt."""
        wanted = {
            "since": since,
            "received_at": after.received_at if after else None,
            "concern_id": after.concern_id if after else None,
            "version": after.version if after else None,
            "row_count_max": limit,
        }
        async with transaction(self._engine) as connection:
            return [past_routing_of(row) for row in await connection.execute(sql.ROUTINGS, wanted)]

    async def work_items(self, query: ItemQuery) -> Sequence[WorkItem]:
        """Work items, oldest first."""
        statement = more.CLOSED_ITEMS if query.state == "closed" else more.WORK_ITEMS
        async with transaction(self._engine) as connection:
            return [work_item_of(row) for row in await connection.execute(statement, columns_of_query(query))]

    async def work_item(self, item_id: str) -> tuple[WorkItem, Sequence[ItemEvent]] | None:
        """A work item, with what happened to it."""
        async with transaction(self._engine) as connection:
            row = (await connection.execute(more.ITEM, {"item_id": item_id})).one_or_none()
            events = await connection.execute(more.ITEM_EVENTS, {"item_id": item_id})
            return (work_item_of(row), [item_event_of(event) for event in events]) if row else None

    async def stale_holds(self, after: ItemCursor | None, limit: int) -> Sequence[StaleHold]:
        """Open items of concerns that wait for a newer graph, oldest first."""
        wanted = {
            "opened_at": after.opened_at if after else None,
            "item_id": after.item_id if after else None,
            "row_count_max": limit,
        }
        async with transaction(self._engine) as connection:
            rows = await connection.execute(more.STALE_HOLDS, wanted)
            return [StaleHold(row.concern_id, row.version, ItemCursor(row.opened_at, row.item_id)) for row in rows]


async def _is_raised_by(connection: AsyncConnection, concern_id: str, org: str) -> bool:
    return bool((await connection.execute(more.RAISED_BY, {"concern_id": concern_id, "org": org})).scalar_one())
