"""The SQL of taking back what was told, of versions that follow others, and of what became of notices."""

from sqlalchemy import text

_TOLD = """
SELECT notice_id, concern_id, version, recipient, settled FROM router.notices
"""
TOLD_BEFORE = text(
    _TOLD
    + """
WHERE concern_id = :concern_id AND version < :version AND kind = 'tell' AND settled IS DISTINCT FROM 'withdrawn'
ORDER BY version, recipient
"""
)
# Each by its own index; a row that another router works on is left to it.
UNCHECKED = text(
    _TOLD
    + """
WHERE settled IS NULL AND kind = 'tell' AND checked_version < :version
ORDER BY checked_version LIMIT :row_count_max FOR UPDATE SKIP LOCKED
"""
)
ENDING = text(
    _TOLD
    + """
WHERE settled IS NULL AND withdraw_at <= :now ORDER BY withdraw_at LIMIT :row_count_max FOR UPDATE SKIP LOCKED
"""
)
CHECK = text("""
UPDATE router.notices SET checked_version = :version, withdraw_at = :withdraw_at WHERE notice_id = :notice_id
""")
SETTLE = text("""
UPDATE router.notices n SET settled = s.settled
FROM unnest(CAST(:notice_ids AS text[]), CAST(:settled AS text[])) AS s(notice_id, settled)
WHERE n.notice_id = s.notice_id AND n.settled IS NULL
""")
# What was delivered can be taken back as well; a notice is taken back once.
UNDO = text("""
WITH undone AS (
  INSERT INTO router.notices (notice_id, decision_id, concern_id, version, recipient, kind, ref)
  VALUES (:notice_id, :decision_id, :concern_id, :version, :recipient, :kind, :ref)
  ON CONFLICT (concern_id, version, recipient, kind, ref) DO NOTHING RETURNING ref)
UPDATE router.notices SET settled = 'withdrawn' WHERE notice_id IN (SELECT ref FROM undone)
""")
RECALL = text("""
INSERT INTO router.recalls (concern_id, reason, at) VALUES (:concern_id, :reason, :at) ON CONFLICT DO NOTHING
""")
RECALLED_AMONG = text("SELECT concern_id, reason FROM router.recalls WHERE concern_id = ANY(CAST(:names AS text[]))")
RECALLED = text("SELECT EXISTS (SELECT FROM router.recalls WHERE concern_id = :concern_id)")
# A suggestion is about a subject of several concerns, a review about what was done: both outlive a version.
SUPERSEDE = text("""
WITH item AS (
  UPDATE router.work_items SET resolution = 'superseded', resolved_at = :at
  WHERE concern_id = :concern_id AND version < :version AND resolved_at IS NULL
    AND kind NOT IN ('correlation', 'emergency')
  RETURNING item_id)
INSERT INTO router.work_item_events (item_id, number, event, at, principal, body)
SELECT item_id, 1 + (SELECT count(*) FROM router.work_item_events e WHERE e.item_id = item.item_id),
       'resolved', :at, 'router', :body
FROM item
""")
OPEN_ITEM = text("""
INSERT INTO router.work_items (item_id, kind, concern_id, version, round, codes, bodies, opened_at, ref, due_at)
VALUES (:item_id, :kind, :concern_id, :version, :round, CAST(:codes AS jsonb), CAST(:bodies AS jsonb), :opened_at, :ref,
        :due_at)
ON CONFLICT DO NOTHING
""")
