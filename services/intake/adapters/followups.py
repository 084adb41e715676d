"""What follows the first version of a concern, in Postgres: other versions, its recall, and what is built on it.

A step is announced once the router has the one before. Until then its row of the outbox is dated `infinity`, so that
no sweep finds it; the transaction that closes the row before dates it anew. The row before is locked while that is
looked at, so that neither of the two can miss the other.

All steps of all concerns take one lock first: a concern that is built on another and the recall of that other never
miss each other, however long the chain between them is, and steps are rare beside first versions, which take none.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import orjson
from sqlalchemy import Row, TextClause, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.intake.adapters.archive import records_of
from services.intake.adapters.postgres import ACCEPT_SQL, AFTER_COMMIT, BEFORE_COMMIT, Offer, accept_columns
from services.intake.adapters.rows import closing_name, flags_json, outbox_rows, recall_rows
from services.intake.adapters.tables import SCHEMA
from services.intake.domain.model import ConcernId, Fields, NaturalKey, Recall, RecallReason, Stored, Thread
from services.intake.domain.provenance import Source, Sources
from services.intake.ports import Acceptance, Recalling
from shared.canonical import canonical
from shared.db.engine import transaction
from shared.db.outbox import OutboxRow
from shared.db.outbox_sql import statement
from shared.failpoints import FailPoints

_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('intake.steps', 0))")
_STEP = """WITH step AS (
      INSERT INTO intake.steps (concern_id, number, kind, reason, at)
      SELECT CAST(:concern_id AS text), CAST(:number AS integer), CAST(:kind AS text), CAST(:reason AS text),
             CAST(:at AS timestamptz)
      WHERE EXISTS (SELECT FROM intake.versions
                    WHERE concern_id = CAST(:concern_id AS text) AND version = CAST(:number AS integer) - 1)
      ON CONFLICT DO NOTHING RETURNING concern_id
    ), before AS MATERIALIZED (
      SELECT event_id FROM intake.outbox_open WHERE closes_with = CAST(:before AS text) FOR UPDATE
    )"""
_VERSION = """, version AS (
      INSERT INTO intake.versions (concern_id, version, body_mac, digest, accepted_at, received_at, routing, sealed,
                                   identifier_flags)
      SELECT concern_id, CAST(:number AS integer), CAST(:mac AS bytea), CAST(:digest AS text),
             CAST(:at AS timestamptz), CAST(:received AS timestamptz), CAST(:routing AS bytea),
             CAST(:sealed AS bytea), CAST(CAST(:flags AS text) AS jsonb)
      FROM step
    )"""
_ANNOUNCED = """, said AS (
      INSERT INTO intake.outbox (event_id, topic, partition, key, value, closes_with, created_at)
      SELECT o.event_id, o.topic, o.partition, o.key, o.value, o.closes_with,
             CASE WHEN o.closes_with IS NOT NULL AND EXISTS (SELECT FROM before)
                  THEN CAST('infinity' AS timestamptz) ELSE now() END
      FROM step, unnest(
        CAST(:out_ids AS text[]), CAST(:out_topics AS text[]), CAST(:out_partitions AS smallint[]),
        CAST(:out_keys AS text[]), CAST(:out_values AS bytea[]), CAST(:out_closes AS text[]))
      AS o(event_id, topic, partition, key, value, closes_with)
      RETURNING event_id, closes_with, created_at
    ), TO_DO
    SELECT event_id, created_at = 'infinity' AS waits FROM said"""
_FOLLOW = statement(_STEP + _VERSION + _ANNOUNCED, SCHEMA)
_RECALL = statement(_STEP + _ANNOUNCED, SCHEMA)
_ACCEPT = text(ACCEPT_SQL)
_BUILT_ON = text(
    """INSERT INTO intake.lineage (concern_id, source_id, notice_id)
    SELECT CAST(:concern_id AS text), source_id, notice_id
    FROM unnest(CAST(:sources AS text[]), CAST(:notices AS text[])) AS s(source_id, notice_id)
    ON CONFLICT DO NOTHING"""
)
_THREAD = text(
    """WITH RECURSIVE up AS (
      SELECT CAST(:concern_id AS text) AS concern_id
      UNION SELECT l.source_id FROM intake.lineage l JOIN up USING (concern_id)
    )
    SELECT c.concern_id, c.originator, c.originator_ref, c.partition_key,
           (SELECT max(version) FROM intake.versions v WHERE v.concern_id = c.concern_id) AS last,
           (SELECT body_mac FROM intake.versions v
            WHERE v.concern_id = c.concern_id AND v.version = CAST(:version AS integer)) AS body_mac,
           s.reason, s.at,
           ARRAY(SELECT source_id FROM intake.lineage l WHERE l.concern_id = c.concern_id) AS sources
    FROM intake.concerns c LEFT JOIN LATERAL (
      SELECT reason, at FROM intake.steps JOIN up USING (concern_id)
      WHERE kind = 'recall' ORDER BY at, concern_id LIMIT 1
    ) s ON true
    WHERE c.concern_id = CAST(:concern_id AS text)"""
)
_DESCENDANTS = text(
    """WITH RECURSIVE down AS (
      SELECT concern_id FROM intake.lineage WHERE source_id = :concern_id
      UNION SELECT l.concern_id FROM intake.lineage l JOIN down ON l.source_id = down.concern_id
    )
    SELECT concern_id FROM down WHERE concern_id <> :concern_id ORDER BY concern_id"""
)
_STORED = text(
    """SELECT c.concern_id, v.body_mac FROM intake.concerns c JOIN intake.versions v USING (concern_id)
    WHERE c.originator = :originator AND c.originator_ref = :reference AND v.version = :version"""
)
_ROUTINGS = text(
    "SELECT concern_id, version, routing FROM intake.versions WHERE concern_id = ANY(CAST(:ids AS text[]))"
)


class PostgresFollowUps:
    """See ports.BeginSteps; what is announced and need not wait is offered to the relay once it is committed."""

    def __init__(self, engine: AsyncEngine, *, offer: Offer, fail_points: FailPoints) -> None:
        self._engine = engine
        self._offer = offer
        self._fail_points = fail_points

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["PostgresSteps"]:
        """See ports.BeginSteps."""
        async with transaction(self._engine) as connection:
            await connection.execute(_LOCK)
            steps = PostgresSteps(connection)
            yield steps
            if steps.taken:
                self._fail_points.hit(BEFORE_COMMIT)
        if steps.taken:
            self._fail_points.hit(AFTER_COMMIT)
            self._offer(steps.taken)


class PostgresSteps:
    """See ports.Steps; `taken` are the rows to publish now."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self.taken: list[OutboxRow] = []

    async def thread(self, concern_id: ConcernId, version: int) -> Thread | None:
        """See ports.Steps."""
        rows = await self._connection.execute(_THREAD, {"concern_id": concern_id, "version": version})
        return next(map(_thread_of, rows), None)

    async def sources(self, concern_ids: Sequence[ConcernId]) -> Sources:
        """See ports.Steps."""
        if not concern_ids:
            return {}
        hops: dict[str, dict[int, Sequence[Fields]]] = {}
        for row in await self._connection.execute(_ROUTINGS, {"ids": list(concern_ids)}):
            hops.setdefault(row.concern_id, {})[row.version] = orjson.loads(row.routing).get("provenance", ())
        records = await records_of(self._connection, concern_ids)
        return {record.id: Source(record, hops[record.id]) for record in records}

    async def descendants(self, concern_id: ConcernId) -> Sequence[ConcernId]:
        """See ports.Steps."""
        return [ConcernId(row[0]) for row in await self._connection.execute(_DESCENDANTS, {"concern_id": concern_id})]

    async def known(self, key: NaturalKey) -> Stored | None:
        """See ports.Steps."""
        named = {"originator": key.originator, "reference": key.originator_ref, "version": key.version}
        row = (await self._connection.execute(_STORED, named)).first()
        return Stored(ConcernId(row.concern_id), row.body_mac) if row else None

    async def derive(self, acceptance: Acceptance) -> bool:
        """See ports.Steps."""
        rows = outbox_rows(acceptance)
        new = (await self._connection.execute(_ACCEPT, accept_columns([acceptance], [rows]))).first()
        if new is None:
            return False
        await self._build(acceptance)
        self.taken += rows
        return True

    async def follow(self, acceptance: Acceptance) -> bool:
        """See ports.Steps."""
        concern = acceptance.concern
        step = _step(concern.id, concern.key.version, "version") | {"reason": None, "at": concern.accepted_at}
        said = {
            "mac": concern.body_mac,
            "digest": concern.digest,
            "received": concern.received_at,
            "routing": canonical(concern.routing),
            "sealed": canonical(concern.sealed),
            "flags": flags_json(concern),
        }
        if not await self._take(_FOLLOW, step | said, outbox_rows(acceptance)):
            return False
        await self._build(acceptance)
        return True

    async def recall(self, recalling: Recalling) -> bool:
        """See ports.Steps."""
        thread, recall = recalling.thread, recalling.recall
        step = _step(thread.concern_id, thread.last + 1, "recall") | {"reason": recall.reason, "at": recall.at}
        return await self._take(_RECALL, step, recall_rows(recalling))

    async def _build(self, acceptance: Acceptance) -> None:
        concern = acceptance.concern
        if concern.built_on:
            sources, notices = zip(*concern.built_on, strict=True)
            row = {"concern_id": concern.id, "sources": list(sources), "notices": list(notices)}
            await self._connection.execute(_BUILT_ON, row)

    async def _take(self, statement: TextClause, values: Mapping[str, Any], rows: Sequence[OutboxRow]) -> bool:
        announced = (await self._connection.execute(statement, {**values, **_outbox_columns(rows)})).all()
        waiting = {row.event_id for row in announced if row.waits}
        self.taken += [row for row in rows if announced and row.event_id not in waiting]
        return bool(announced)


def _step(concern_id: ConcernId, number: int, kind: str) -> dict[str, Any]:
    before = closing_name(concern_id, number - 1)
    return {"concern_id": concern_id, "number": number, "kind": kind, "before": before}


def _outbox_columns(rows: Sequence[OutboxRow]) -> dict[str, Any]:
    return {
        "out_ids": [row.event_id for row in rows],
        "out_topics": [row.topic for row in rows],
        "out_partitions": [row.partition for row in rows],
        "out_keys": [row.key for row in rows],
        "out_values": [row.value for row in rows],
        "out_closes": [row.closes_with for row in rows],
    }


def _thread_of(row: Row[tuple[Any, ...]]) -> Thread:
    reason = cast("RecallReason | None", row.reason)
    return Thread(
        ConcernId(row.concern_id),
        row.originator,
        row.originator_ref,
        row.partition_key,
        row.last,
        row.body_mac,
        Recall(reason, row.at) if reason else None,
        frozenset(row.sources),
    )
