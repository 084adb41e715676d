"""The SQL of later rounds and of the queues; none of it is on the way of a concern that nobody waits for."""

from sqlalchemy import TextClause, text

_COLUMNS = """item_id, kind, concern_id, version, round, codes, bodies, opened_at, ref, owner, waits_until, resolution,
       resolved_at, due_at"""


def _of_items(template: str) -> TextClause:
    return text(template.replace("COLUMNS", _COLUMNS))


CONCERN = text("""
SELECT concern_id, version, digest, accepted_at, routing, sealed, traceparent FROM router.concerns
WHERE concern_id = :concern_id AND version = :version
""")
ACTS = text("""
SELECT concern_id, version, round, decision_id, kind, principal, org, person, reason, organisations, request, choices,
       routing, record, at
FROM router.acts WHERE concern_id = :concern_id AND version = :version ORDER BY round
""")
OPEN_ITEMS = _of_items("""
SELECT COLUMNS FROM router.work_items
WHERE concern_id = :concern_id AND version = :version AND resolved_at IS NULL ORDER BY opened_at, item_id
""")
RAISED_BY = text("""
SELECT EXISTS (SELECT FROM router.decisions WHERE concern_id = :concern_id AND originator = :org)
""")
TOLD_OF = text("""
SELECT max(version) FROM router.notices
WHERE concern_id = :concern_id AND recipient = :org AND kind = 'tell' AND settled IS DISTINCT FROM 'withdrawn'
""")
# The routing and the choices of a round are those of the newest act up to it that states them.
PAST_DECISIONS = text("""
SELECT d.decision_id, d.concern_id, d.version, d.round, d.originator, d.concern_digest, d.digest, d.body_digest,
       b.body, d.graph_version, d.graph_root, d.engine, d.as_of, d.decided_at,
       c.accepted_at, coalesce(r.routing, c.routing) AS routing, c.sealed, c.traceparent, a.choices
FROM router.decisions d JOIN router.decision_bodies b USING (body_digest)
JOIN router.concerns c USING (concern_id, version)
LEFT JOIN router.acts a USING (concern_id, version, round)
LEFT JOIN LATERAL (
  SELECT routing FROM router.acts
  WHERE concern_id = d.concern_id AND version = d.version AND round <= d.round AND routing IS NOT NULL
  ORDER BY round DESC LIMIT 1) r ON true
WHERE d.decision_id > :after ORDER BY d.decision_id LIMIT :row_count_max
""")
KEEP_ACT = text("""
INSERT INTO router.acts (concern_id, version, round, decision_id, kind, principal, org, person, reason, organisations,
                         request, choices, routing, record, at)
VALUES (:concern_id, :version, :round, :decision_id, :kind, :principal, :org, :person, :reason,
        CAST(:organisations AS jsonb), :request, CAST(:choices AS jsonb), :routing, :record, :at)
""")
ITEM = _of_items("SELECT COLUMNS FROM router.work_items WHERE item_id = :item_id")
LOCKED_ITEM = _of_items("SELECT COLUMNS FROM router.work_items WHERE item_id = :item_id FOR UPDATE")
# The row of the item is locked by its update, so numbers of its events come one after the other.
NOTE = text("""
WITH item AS (
  UPDATE router.work_items SET owner = :owner, waits_until = :waits_until, resolution = :resolution,
                               resolved_at = :resolved_at
  WHERE item_id = :item_id RETURNING item_id)
INSERT INTO router.work_item_events (item_id, number, event, at, principal, body)
SELECT item_id, 1 + (SELECT count(*) FROM router.work_item_events e WHERE e.item_id = item.item_id),
       :event, :at, :principal, :body
FROM item
""")
ITEM_EVENTS = text("""
SELECT event, at, principal, body FROM router.work_item_events WHERE item_id = :item_id ORDER BY number
""")
WORK_ITEMS = _of_items("""
SELECT COLUMNS FROM router.work_items
WHERE resolved_at IS NULL AND (CAST(:kind AS text) IS NULL OR kind = :kind)
  AND (CAST(:state AS text) IS NULL OR (coalesce(waits_until, :now) > :now) = (CAST(:state AS text) = 'waiting'))
  AND (CAST(:opened_at AS timestamptz) IS NULL OR (opened_at, item_id) > (:opened_at, CAST(:item_id AS text)))
ORDER BY opened_at, item_id LIMIT :row_count_max
""")
CLOSED_ITEMS = _of_items("""
SELECT COLUMNS FROM router.work_items
WHERE resolved_at IS NOT NULL AND (CAST(:kind AS text) IS NULL OR kind = :kind)
  AND (CAST(:opened_at AS timestamptz) IS NULL OR (opened_at, item_id) > (:opened_at, CAST(:item_id AS text)))
ORDER BY opened_at, item_id LIMIT :row_count_max
""")
OVERDUE_ITEMS = _of_items("""
SELECT COLUMNS FROM router.work_items w
WHERE resolved_at IS NULL AND due_at <= :now
  AND NOT EXISTS (SELECT FROM router.work_item_events e WHERE e.item_id = w.item_id AND e.event = 'overdue')
ORDER BY due_at LIMIT :row_count_max FOR UPDATE OF w SKIP LOCKED
""")
STALE_HOLDS = text("""
SELECT concern_id, version, opened_at, item_id FROM router.work_items
WHERE resolved_at IS NULL AND codes @> '["HOLD_STALE_GRAPH"]'
  AND (CAST(:opened_at AS timestamptz) IS NULL OR (opened_at, item_id) > (:opened_at, CAST(:item_id AS text)))
ORDER BY opened_at, item_id LIMIT :row_count_max
""")
