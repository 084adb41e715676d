"""What follows the first version of a concern, in Postgres: each step is one statement, and the step itself the lock.

A step is announced once the router has the one before. Until then its row of the outbox is dated `infinity`, so that
no sweep finds it; the transaction that closes the row before dates it anew. The row before is locked while that is
looked at, so that neither of the two can miss the other.
"""

from collections.abc import Mapping, Sequence
from typing import Any, cast

import asyncpg

from services.intake.adapters.postgres import AFTER_COMMIT, BEFORE_COMMIT, Offer
from services.intake.adapters.rows import closing_name, flags_json, outbox_rows, recall_rows
from services.intake.domain.model import ConcernId, Recall, RecallReason, Thread
from services.intake.ports import Acceptance, Recalling
from shared.canonical import canonical
from shared.db.outbox import OutboxRow
from shared.db.writer import Statement, Writer
from shared.failpoints import FailPoints

_STEP = """WITH step AS (
      INSERT INTO intake.steps (concern_id, number, kind, reason, at)
      SELECT CAST(:concern_id AS text), CAST(:number AS integer), CAST(:kind AS text), CAST(:reason AS text),
             CAST(:at AS timestamptz)
      WHERE EXISTS (SELECT FROM intake.versions
                    WHERE concern_id = CAST(:concern_id AS text) AND version = CAST(:number AS integer) - 1)
      ON CONFLICT DO NOTHING RETURNING concern_id
    ), before AS MATERIALIZED (
      SELECT event_id FROM intake.outbox WHERE closes_with = CAST(:before AS text) AND closed_at IS NULL FOR UPDATE
    )"""
_VERSION = """, version AS (
      INSERT INTO intake.versions (concern_id, version, body_mac, digest, accepted_at, received_at, routing, sealed,
                                   identifier_flags)
      SELECT concern_id, CAST(:number AS integer), CAST(:mac AS bytea), CAST(:digest AS text),
             CAST(:at AS timestamptz), CAST(:received AS timestamptz), CAST(:routing AS bytea),
             CAST(:sealed AS bytea), CAST(CAST(:flags AS text) AS jsonb)
      FROM step
    )"""
_ANNOUNCED = """, announced AS (
      INSERT INTO intake.outbox (event_id, topic, partition, key, value, closes_with, created_at)
      SELECT o.event_id, o.topic, o.partition, o.key, o.value, o.closes_with,
             CASE WHEN o.closes_with IS NOT NULL AND EXISTS (SELECT FROM before)
                  THEN CAST('infinity' AS timestamptz) ELSE now() END
      FROM step, unnest(
        CAST(:out_ids AS text[]), CAST(:out_topics AS text[]), CAST(:out_partitions AS smallint[]),
        CAST(:out_keys AS text[]), CAST(:out_values AS bytea[]), CAST(:out_closes AS text[]))
      AS o(event_id, topic, partition, key, value, closes_with)
      RETURNING event_id, created_at
    )
    SELECT event_id, created_at = CAST('infinity' AS timestamptz) AS waits FROM announced"""
_FOLLOW = Statement.of(_STEP + _VERSION + _ANNOUNCED)
_RECALL = Statement.of(_STEP + _ANNOUNCED)
_THREAD = Statement.of(
    """SELECT c.concern_id, c.originator, c.originator_ref, c.partition_key,
           (SELECT max(version) FROM intake.versions v WHERE v.concern_id = c.concern_id) AS last,
           (SELECT body_mac FROM intake.versions v
            WHERE v.concern_id = c.concern_id AND v.version = CAST(:version AS integer)) AS body_mac,
           s.reason, s.at
    FROM intake.concerns c LEFT JOIN intake.steps s ON s.concern_id = c.concern_id AND s.kind = 'recall'
    WHERE c.concern_id = CAST(:concern_id AS text)"""
)


class PostgresFollowUps:
    """See ports.FollowUps; what is announced and need not wait is offered to the relay once it is committed."""

    def __init__(self, writer: Writer, *, offer: Offer, fail_points: FailPoints) -> None:
        self._writer = writer
        self._offer = offer
        self._fail_points = fail_points

    async def thread(self, concern_id: ConcernId, version: int) -> Thread | None:
        """See ports.FollowUps."""
        rows = await self._writer.run(_THREAD, concern_id=concern_id, version=version)
        return _thread_of(rows[0]) if rows else None

    async def follow(self, acceptance: Acceptance) -> bool:
        """See ports.FollowUps."""
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
        return await self._take(_FOLLOW, step | said, outbox_rows(acceptance))

    async def recall(self, recalling: Recalling) -> bool:
        """See ports.FollowUps."""
        thread, recall = recalling.thread, recalling.recall
        step = _step(thread.concern_id, thread.last + 1, "recall") | {"reason": recall.reason, "at": recall.at}
        return await self._take(_RECALL, step, recall_rows(recalling))

    async def _take(self, statement: Statement, values: Mapping[str, Any], rows: Sequence[OutboxRow]) -> bool:
        self._fail_points.hit(BEFORE_COMMIT)
        announced = await self._writer.run(statement, **values, **_outbox_columns(rows))
        if announced:
            self._fail_points.hit(AFTER_COMMIT)
            waiting = {row["event_id"] for row in announced if row["waits"]}
            self._offer([row for row in rows if row.event_id not in waiting])
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


def _thread_of(row: asyncpg.Record) -> Thread:
    reason = cast("RecallReason | None", row["reason"])
    return Thread(
        ConcernId(row["concern_id"]),
        row["originator"],
        row["originator_ref"],
        row["partition_key"],
        row["last"],
        row["body_mac"],
        Recall(reason, row["at"]) if reason else None,
    )
