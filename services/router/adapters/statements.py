"""The SQL of the router. Hot statements take arrays: one statement for a batch of any size."""

from sqlalchemy import text

from shared.db.outbox_sql import filled
from shared.db.positions import moved
from shared.db.writer import Statement

SCHEMA = "router"

# One statement for everything that a batch of decisions writes. `fresh` are the decisions whose key is new: only
# theirs are the notices, work items and events. `told` are the notices that no earlier round has issued.
# `IN (…) IS TRUE` is looked up in a hash; as a join it becomes a nested loop, since arrays are taken to be short.
_RECORD = filled(
    """body AS (
  INSERT INTO router.decision_bodies (body_digest, body)
  SELECT * FROM unnest(CAST(:body_digests AS text[]), CAST(:bodies AS bytea[]))
  ON CONFLICT (body_digest) DO NOTHING
), fresh AS (
  INSERT INTO router.decisions (decision_id, concern_id, version, round, originator, concern_digest, digest,
                                body_digest, graph_version, graph_root, engine, as_of, decided_at)
  SELECT * FROM unnest(CAST(:decision_ids AS text[]), CAST(:concern_ids AS text[]), CAST(:versions AS integer[]),
    CAST(:rounds AS smallint[]), CAST(:originators AS text[]), CAST(:concern_digests AS text[]),
    CAST(:digests AS text[]), CAST(:decision_body_digests AS text[]), CAST(:graph_versions AS bigint[]),
    CAST(:graph_roots AS text[]), CAST(:engines AS text[]), CAST(:as_ofs AS text[]),
    CAST(:decided_ats AS timestamptz[]))
  ON CONFLICT DO NOTHING
  RETURNING decision_id
), concern AS (
  INSERT INTO router.concerns (concern_id, version, digest, received_at, accepted_at, routing, sealed, traceparent)
  SELECT c.concern_id, c.version, c.digest, c.received_at, c.accepted_at, c.routing, c.sealed, c.traceparent
  FROM unnest(CAST(:decision_ids AS text[]), CAST(:concern_ids AS text[]), CAST(:versions AS integer[]),
    CAST(:concern_digests AS text[]), CAST(:received_ats AS timestamptz[]), CAST(:accepted_ats AS timestamptz[]),
    CAST(:routings AS bytea[]), CAST(:sealeds AS bytea[]), CAST(:traceparents AS text[]))
    AS c(decision_id, concern_id, version, digest, received_at, accepted_at, routing, sealed, traceparent)
  WHERE (c.decision_id IN (SELECT decision_id FROM fresh)) IS TRUE
  ON CONFLICT (concern_id, version) DO NOTHING
), told AS (
  INSERT INTO router.notices (notice_id, decision_id, concern_id, version, recipient, kind, ref, checked_version)
  SELECT n.notice_id, n.decision_id, n.concern_id, n.version, n.recipient, 'tell', '', n.graph_version
  FROM unnest(CAST(:notice_ids AS text[]), CAST(:notice_decision_ids AS text[]),
    CAST(:notice_concern_ids AS text[]), CAST(:notice_versions AS integer[]), CAST(:recipients AS text[]),
    CAST(:notice_graphs AS bigint[]))
    AS n(notice_id, decision_id, concern_id, version, recipient, graph_version)
  WHERE (n.decision_id IN (SELECT decision_id FROM fresh)) IS TRUE
  ON CONFLICT DO NOTHING
  RETURNING notice_id
), item AS (
  INSERT INTO router.work_items (item_id, kind, concern_id, version, round, codes, bodies, opened_at, owner)
  SELECT i.item_id, i.kind, i.concern_id, i.version, i.round, CAST(i.codes AS jsonb), CAST(i.bodies AS jsonb),
         i.opened_at, i.owner
  FROM unnest(CAST(:item_ids AS text[]), CAST(:item_decision_ids AS text[]), CAST(:item_kinds AS text[]),
    CAST(:item_concern_ids AS text[]), CAST(:item_versions AS integer[]), CAST(:item_rounds AS smallint[]),
    CAST(:item_codes AS text[]), CAST(:item_bodies AS text[]), CAST(:item_opened_ats AS timestamptz[]),
    CAST(:item_owners AS text[]))
    AS i(item_id, decision_id, kind, concern_id, version, round, codes, bodies, opened_at, owner)
  WHERE (i.decision_id IN (SELECT decision_id FROM fresh)) IS TRUE
  ON CONFLICT DO NOTHING
), said AS (
  INSERT INTO router.outbox (event_id, topic, partition, key, value, closes_with)
  SELECT e.event_id, e.topic, e.partition, e.key, e.value, e.closes_with
  FROM unnest(CAST(:event_ids AS text[]), CAST(:event_decision_ids AS text[]), CAST(:topics AS text[]),
    CAST(:partitions AS smallint[]), CAST(:keys AS text[]), CAST(:event_values AS bytea[]), CAST(:closes AS text[]))
    AS e(event_id, decision_id, topic, partition, key, value, closes_with)
  WHERE (e.decision_id IN (SELECT decision_id FROM fresh)) IS TRUE
    AND (e.closes_with IS NULL OR e.closes_with IN (SELECT notice_id FROM told))
  RETURNING event_id, closes_with, created_at
), TO_DO""",
    SCHEMA,
)

RECORD = text("WITH " + _RECORD + " SELECT event_id FROM said")  # noqa: S608 - constants of this module
RECORD_ALONE = Statement.of(
    "WITH " + moved(SCHEMA) + ", " + _RECORD + " SELECT ARRAY(SELECT event_id FROM said) AS said, "  # noqa: S608 - as above
    "router.all_moved((SELECT count(*) FROM moved), cardinality(:span_topics))"
)

DECISION_IDS = text("""
SELECT d.decision_id FROM router.decisions d
JOIN unnest(CAST(:concern_ids AS text[]), CAST(:versions AS integer[]), CAST(:rounds AS smallint[]))
  AS k(concern_id, version, round) USING (concern_id, version, round)
""")

HEAD = text("SELECT version, root FROM router.graph_head")
LOCK_HEAD = text("SELECT version, root FROM router.graph_head FOR UPDATE")
MOVE_HEAD = text("UPDATE router.graph_head SET version = :version, root = :root")
SHARE_HEAD = text("SELECT version, root FROM router.graph_head FOR SHARE")
PARTS = text("""
SELECT version, parent_root, root, part, parts, kinds, ids, bodies FROM router.graph_parts
WHERE version = :version ORDER BY part
""")
KEEP_OBJECTS = text("""
INSERT INTO router.graph_objects (kind, id, body, version)
SELECT o.kind, o.id, o.body, CAST(:version AS bigint)
FROM unnest(CAST(:kinds AS text[]), CAST(:ids AS text[]), CAST(:bodies AS bytea[])) AS o(kind, id, body)
ON CONFLICT (kind, id) DO UPDATE SET body = excluded.body, version = excluded.version
""")
KEEP_PART = text("""
INSERT INTO router.graph_parts (version, part, parts, parent_root, root, kinds, ids, bodies)
VALUES (:version, :part, :parts, :parent_root, :root, CAST(:kinds AS text[]), CAST(:ids AS text[]),
        CAST(:bodies AS bytea[]))
ON CONFLICT (version, part) DO NOTHING
""")
DROP_PARTS = text("DELETE FROM router.graph_parts")
DROP_OBJECTS = text("DELETE FROM router.graph_objects")

DECISION = text("""
SELECT d.decision_id, d.concern_id, d.version, d.round, d.originator, d.concern_digest, d.digest, d.body_digest,
       b.body, d.graph_version, d.graph_root, d.engine, d.as_of, d.decided_at
FROM router.decisions d JOIN router.decision_bodies b USING (body_digest)
WHERE d.concern_id = :concern_id AND (CAST(:version AS integer) IS NULL OR d.version = :version)
ORDER BY d.version DESC, d.round DESC LIMIT 1
""")
ROUTINGS = text("""
SELECT c.concern_id, c.version, c.received_at, coalesce(a.routing, c.routing) AS routing
FROM router.concerns c LEFT JOIN LATERAL (
  SELECT routing FROM router.acts
  WHERE concern_id = c.concern_id AND version = c.version AND routing IS NOT NULL ORDER BY round DESC LIMIT 1) a ON true
WHERE c.received_at >= coalesce(CAST(:since AS timestamptz), '-infinity')
  AND (CAST(:received_at AS timestamptz) IS NULL
       OR (c.received_at, c.concern_id, c.version)
          > (:received_at, CAST(:concern_id AS text), CAST(:version AS integer)))
ORDER BY c.received_at, c.concern_id, c.version LIMIT :row_count_max
""")
TOLD = text("""
SELECT recipient, notice_id, settled FROM router.notices
WHERE concern_id = :concern_id AND version = :version AND kind = 'tell'
""")
