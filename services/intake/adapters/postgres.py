"""Intake's store in Postgres: a batch of concerns is one statement, and one more only where keys repeat."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from services.intake.adapters import tables
from services.intake.adapters.rows import (
    closing_name,
    entry_body,
    entry_kind,
    flags_json,
    outbox_rows,
)
from services.intake.domain.model import (
    ConcernId,
    Entry,
    NaturalKey,
    Stored,
)
from services.intake.ports import Acceptance
from shared.canonical import canonical
from shared.db.engine import transaction
from shared.db.outbox import Outbox, OutboxRow
from shared.db.outbox_sql import filled, statement
from shared.db.positions import Positions
from shared.db.writer import Statement, Writer
from shared.failpoints import FailPoints
from shared.records import Span

BEFORE_COMMIT, AFTER_COMMIT = "intake.before-commit", "intake.after-commit"
Offer = Callable[[Sequence[OutboxRow]], None]

# Sorted by the natural key, so that two processes with the same keys wait for each other and never in a circle.
ACCEPT_SQL = filled(
    """WITH incoming AS MATERIALIZED (
      SELECT * FROM unnest(
        CAST(:ids AS text[]), CAST(:originators AS text[]), CAST(:refs AS text[]), CAST(:keys AS text[]),
        CAST(:accepted AS timestamptz[]), CAST(:versions AS integer[]), CAST(:macs AS bytea[]),
        CAST(:digests AS text[]), CAST(:received AS timestamptz[]), CAST(:routings AS bytea[]),
        CAST(:sealed AS bytea[]), CAST(:flags AS text[]))
      AS i(concern_id, originator, originator_ref, partition_key, accepted_at, version, body_mac, digest,
           received_at, routing, sealed, flags)
    ), new AS (
      INSERT INTO intake.concerns (concern_id, originator, originator_ref, partition_key, accepted_at)
      SELECT concern_id, originator, originator_ref, partition_key, accepted_at FROM incoming
      ON CONFLICT (originator, originator_ref) DO NOTHING RETURNING concern_id
    ), version AS (
      INSERT INTO intake.versions (concern_id, version, body_mac, digest, accepted_at, received_at, routing, sealed,
                                   identifier_flags)
      SELECT concern_id, version, body_mac, digest, accepted_at, received_at, routing, sealed, CAST(flags AS jsonb)
      FROM incoming JOIN new USING (concern_id)
    ), said AS (
      INSERT INTO intake.outbox (event_id, topic, partition, key, value, closes_with)
      SELECT event_id, topic, partition, key, value, closes_with
      FROM unnest(
        CAST(:out_concerns AS text[]), CAST(:out_ids AS text[]), CAST(:out_topics AS text[]),
        CAST(:out_partitions AS smallint[]), CAST(:out_keys AS text[]), CAST(:out_values AS bytea[]),
        CAST(:out_closes AS text[]))
      AS o(concern_id, event_id, topic, partition, key, value, closes_with) JOIN new USING (concern_id)
      RETURNING event_id, closes_with, created_at
    ), TO_DO
    SELECT concern_id FROM new""",
    tables.SCHEMA,
)
_ACCEPT = Statement.of(ACCEPT_SQL)
_STORED = Statement.of(
    """SELECT k.originator, k.originator_ref, k.version, c.concern_id, v.body_mac
    FROM unnest(CAST(:originators AS text[]), CAST(:refs AS text[]), CAST(:versions AS integer[]))
      AS k(originator, originator_ref, version)
    JOIN intake.concerns c USING (originator, originator_ref)
    JOIN intake.versions v ON v.concern_id = c.concern_id AND v.version = k.version"""
)
_NOTE = text(
    """INSERT INTO intake.timeline (event_id, concern_id, version, kind, at, body)
    SELECT e.event_id, e.concern_id, e.version, e.kind, e.at, CAST(e.body AS jsonb)
    FROM unnest(
      CAST(:ids AS text[]), CAST(:concerns AS text[]), CAST(:versions AS integer[]), CAST(:kinds AS text[]),
      CAST(:moments AS timestamptz[]), CAST(:bodies AS text[]))
    AS e(event_id, concern_id, version, kind, at, body) JOIN intake.concerns USING (concern_id)
    ON CONFLICT (event_id) DO NOTHING"""
)

# Of what was closed just now, the steps that waited for it.
_RELEASE = statement(
    """WITH ready AS (
      UPDATE intake.outbox_open SET again_at = now() + interval '30 seconds'
      WHERE closes_with = ANY(CAST(:names AS text[])) AND again_at = 'infinity' RETURNING event_id
    ), said AS (
      UPDATE intake.outbox o SET created_at = now() FROM ready WHERE o.event_id = ready.event_id
      RETURNING o.event_id, topic, partition, key, value, closes_with, created_at
    ), TO_DO
    SELECT event_id, topic, partition, key, value, closes_with FROM said""",
    tables.SCHEMA,
)


class PostgresRegister:
    """See ports.Register; what is announced is offered to the relay once it is committed."""

    def __init__(self, writer: Writer, *, offer: Offer, fail_points: FailPoints) -> None:
        self._writer = writer
        self._offer = offer
        self._fail_points = fail_points

    async def accept(self, acceptances: Sequence[Acceptance]) -> frozenset[ConcernId]:
        """See ports.Register."""
        ordered = sorted(acceptances, key=lambda acceptance: acceptance.concern.key)
        rows = [outbox_rows(acceptance) for acceptance in ordered]
        self._fail_points.hit(BEFORE_COMMIT)
        stored = await self._writer.run(_ACCEPT, **accept_columns(ordered, rows))
        if new := frozenset(ConcernId(row["concern_id"]) for row in stored):
            self._fail_points.hit(AFTER_COMMIT)
            self._offer([row for one, pair in zip(ordered, rows, strict=True) if one.concern.id in new for row in pair])
        return new

    async def stored(self, keys: Sequence[NaturalKey]) -> Mapping[NaturalKey, Stored]:
        """See ports.Register."""
        columns = {
            "originators": [key.originator for key in keys],
            "refs": [key.originator_ref for key in keys],
            "versions": [key.version for key in keys],
        }
        rows = await self._writer.run(_STORED, **columns)
        return {NaturalKey(*row[:3]): Stored(ConcernId(row["concern_id"]), row["body_mac"]) for row in rows}


class PostgresTimeline:
    """Begins transactions on what came of the concerns; what may be announced now is offered after the commit."""

    def __init__(self, engine: AsyncEngine, *, offer: Offer) -> None:
        self._engine = engine
        self._offer = offer
        self._positions = Positions(engine, tables.SCHEMA)
        self._outbox = Outbox(engine, tables.SCHEMA)

    @asynccontextmanager
    async def begin(self, spans: Sequence[Span] = ()) -> AsyncIterator["PostgresTransaction"]:
        """See ports.Begin."""
        async with transaction(self._engine) as connection:
            await self._positions.advance(connection, spans)
            tx = PostgresTransaction(connection, self._outbox)
            yield tx
        if tx.released:
            self._offer(tx.released)


class PostgresTransaction:
    """See ports.Transaction."""

    def __init__(self, connection: AsyncConnection, outbox: Outbox) -> None:
        self._connection = connection
        self._outbox = outbox
        self.released: list[OutboxRow] = []

    async def note(self, entries: Sequence[Entry]) -> None:
        """See ports.Transaction."""
        ordered = sorted(entries, key=lambda entry: entry.event_id)
        columns = {
            "ids": [entry.event_id for entry in ordered],
            "concerns": [entry.concern_id for entry in ordered],
            "versions": [entry.version for entry in ordered],
            "kinds": [entry_kind(entry) for entry in ordered],
            "moments": [entry.at for entry in ordered],
            "bodies": [entry_body(entry) for entry in ordered],
        }
        await self._connection.execute(_NOTE, columns)

    async def close(self, versions: Sequence[tuple[ConcernId, int]]) -> None:
        """See ports.Transaction."""
        await self._outbox.close(self._connection, (closing_name(*version) for version in versions))
        following = sorted({closing_name(concern_id, version + 1) for concern_id, version in versions})
        released = await self._connection.execute(_RELEASE, {"names": following})
        self.released += [OutboxRow(*row) for row in released]

    async def close_recalls(self, concern_ids: Sequence[ConcernId]) -> None:
        """See ports.Transaction."""
        steps = tables.steps.c
        found = select(steps.concern_id, steps.number).where(steps.concern_id.in_(concern_ids), steps.kind == "recall")
        rows = await self._connection.execute(found)
        await self._outbox.close(self._connection, [closing_name(*row) for row in rows])


def accept_columns(acceptances: Sequence[Acceptance], rows: Sequence[tuple[OutboxRow, ...]]) -> dict[str, Any]:
    """The parameters of ACCEPT_SQL: the concerns, and the rows that announce each."""
    pairs = [(one.concern.id, pair) for one, pair in zip(acceptances, rows, strict=True)]
    return {**_concern_columns(acceptances), **_outbox_columns(pairs)}


def _concern_columns(acceptances: Sequence[Acceptance]) -> dict[str, Any]:
    concerns = [acceptance.concern for acceptance in acceptances]
    return {
        "ids": [c.id for c in concerns],
        "originators": [c.key.originator for c in concerns],
        "refs": [c.key.originator_ref for c in concerns],
        "keys": [c.partition_key for c in concerns],
        "accepted": [c.accepted_at for c in concerns],
        "versions": [c.key.version for c in concerns],
        "macs": [c.body_mac for c in concerns],
        "digests": [c.digest for c in concerns],
        "received": [c.received_at for c in concerns],
        "routings": [canonical(c.routing) for c in concerns],
        "sealed": [canonical(c.sealed) for c in concerns],
        "flags": [flags_json(c) for c in concerns],
    }


def _outbox_columns(rows: Sequence[tuple[ConcernId, tuple[OutboxRow, ...]]]) -> dict[str, Any]:
    flat = [(concern_id, row) for concern_id, pair in rows for row in pair]
    return {
        "out_concerns": [concern_id for concern_id, _ in flat],
        "out_ids": [row.event_id for _, row in flat],
        "out_topics": [row.topic for _, row in flat],
        "out_partitions": [row.partition for _, row in flat],
        "out_keys": [row.key for _, row in flat],
        "out_values": [row.value for _, row in flat],
        "out_closes": [row.closes_with for _, row in flat],
    }
