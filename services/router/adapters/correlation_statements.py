"""The SQL of finding concerns about one subject; none of it is on the way of a concern to those who are told."""

from sqlalchemy import TextClause, text

# Two routers that each kept one concern of three would both see too few: one at a time looks after them.
MINE = text("SELECT pg_try_advisory_xact_lock(hashtext('router.sightings'))")
UNFOLLOWED = text("""
SELECT concern_id, version, received_at, routing FROM router.concerns
WHERE NOT followed ORDER BY accepted_at LIMIT :row_count_max FOR UPDATE SKIP LOCKED
""")
FORGET_EARLIER = text("""
DELETE FROM router.sightings s USING unnest(CAST(:concern_ids AS text[]), CAST(:versions AS integer[]))
  AS f(concern_id, version)
WHERE s.concern_id = f.concern_id AND s.version < f.version
""")
KEEP = text("""
INSERT INTO router.sightings (kid, token, concern_id, version, subject, kind, received_at, originator, source_type,
                              categories)
SELECT s.kid, s.token, s.concern_id, s.version, s.subject, s.kind, s.received_at, s.originator, s.source_type,
       string_to_array(s.categories, chr(31))
FROM unnest(CAST(:kids AS text[]), CAST(:tokens AS text[]), CAST(:concern_ids AS text[]), CAST(:versions AS integer[]),
  CAST(:subjects AS integer[]), CAST(:kinds AS text[]), CAST(:received_ats AS timestamptz[]),
  CAST(:originators AS text[]), CAST(:source_types AS text[]), CAST(:categories AS text[]))
  AS s(kid, token, concern_id, version, subject, kind, received_at, originator, source_type, categories)
WHERE NOT EXISTS (
  SELECT FROM router.concerns c WHERE c.concern_id = s.concern_id AND c.version > s.version)
ON CONFLICT (kid, token, concern_id) DO NOTHING
""")
FOLLOWED = text("""
UPDATE router.concerns c SET followed = true
FROM unnest(CAST(:concern_ids AS text[]), CAST(:versions AS integer[])) AS f(concern_id, version)
WHERE c.concern_id = f.concern_id AND c.version = f.version
""")
SOURCES = text("""
SELECT DISTINCT s.kid, s.token, s.originator, s.source_type FROM router.sightings s
WHERE (s.kid, s.token) IN (SELECT * FROM unnest(CAST(:kids AS text[]), CAST(:tokens AS text[])))
  AND s.received_at > :since AND s.received_at < :until
  AND NOT EXISTS (SELECT FROM router.recalls r WHERE r.concern_id = s.concern_id)
""")
SUGGESTED = text("""
SELECT s.kid, s.token, i.item_id, i.opened_at, i.resolved_at
FROM router.suggestions s JOIN router.work_items i USING (item_id)
WHERE (s.kid, s.token) IN (SELECT * FROM unnest(CAST(:kids AS text[]), CAST(:tokens AS text[])))
ORDER BY i.opened_at, i.item_id
""")
SUGGEST = text("""
INSERT INTO router.suggestions (kid, token, item_id)
SELECT kid, token, :item_id FROM unnest(CAST(:kids AS text[]), CAST(:tokens AS text[])) AS t(kid, token)
ON CONFLICT DO NOTHING
""")

# Rows outside the viewer's slice never leave the database: no count can be taken over them.
_SLICE = """
SELECT s.kid, s.token, s.concern_id, s.version, s.subject, s.kind, s.received_at, s.originator, s.source_type,
       s.categories, b.body
FROM router.sightings s
LEFT JOIN router.notices n ON n.concern_id = s.concern_id AND n.version = s.version AND n.recipient = :org
  AND n.kind = 'tell' AND n.settled IS DISTINCT FROM 'withdrawn'
LEFT JOIN router.decisions d ON d.decision_id = n.decision_id
LEFT JOIN router.decision_bodies b ON b.body_digest = d.body_digest
WHERE (CAST(:everything AS boolean) OR s.originator = :org OR b.body IS NOT NULL)
  AND NOT EXISTS (SELECT FROM router.recalls r WHERE r.concern_id = s.concern_id)
  AND CONDITION
ORDER BY s.received_at, s.concern_id, s.subject
"""


def _slice(condition: str) -> TextClause:
    return text(_SLICE.replace("CONDITION", condition))


SEEN_OF_CONCERN = _slice("s.concern_id = :concern_id")
SEEN_OF_TOKENS = _slice("""(s.kid, s.token) IN (SELECT * FROM unnest(CAST(:kids AS text[]), CAST(:tokens AS text[])))
  AND s.received_at > :since AND s.received_at < :until""")
KNOWS_OF = text("""
SELECT EXISTS (SELECT FROM router.decisions WHERE concern_id = :concern_id
               AND (CAST(:everything AS boolean) OR originator = :org))
    OR EXISTS (SELECT FROM router.notices WHERE concern_id = :concern_id AND recipient = :org AND kind = 'tell'
               AND settled IS DISTINCT FROM 'withdrawn')
""")
