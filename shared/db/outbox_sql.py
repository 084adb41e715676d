"""The statements of the outbox; SCHEMA stands for the schema of the service. Each is read by an index of its own."""

from sqlalchemy import TextClause, text

ADD = """
INSERT INTO SCHEMA.outbox (event_id, topic, partition, key, value, closes_with, created_at)
SELECT event_id, topic, partition, key, value, closes_with, now() + place * interval '1 microsecond'
FROM unnest(CAST(:ids AS text[]), CAST(:topics AS text[]), CAST(:partitions AS smallint[]),
            CAST(:keys AS text[]), CAST(:bodies AS bytea[]), CAST(:closes AS text[]))
     WITH ORDINALITY AS r(event_id, topic, partition, key, value, closes_with, place)
ON CONFLICT (event_id) DO NOTHING
"""

CLOSE = """
UPDATE SCHEMA.outbox SET closed_at = now()
WHERE closes_with = ANY(CAST(:names AS text[])) AND closed_at IS NULL
"""

MARK = """
UPDATE SCHEMA.outbox o SET published_at = now(), record_offset = m.record_offset,
    publish_count = least(publish_count + 1, 1000),
    again_at = now() + make_interval(secs => least(
        CAST(:again_seconds AS integer) * 2 ^ least(publish_count, 16), CAST(:again_seconds_max AS integer)))
FROM unnest(CAST(:ids AS text[]), CAST(:offsets AS bigint[])) AS m(event_id, record_offset)
WHERE o.event_id = m.event_id
"""

# Two reads, each by its own index: one OR over both would make the planner walk the whole table.
LOST = """
SELECT event_id, topic, partition, key, value, closes_with FROM (
    (SELECT event_id, topic, partition, key, value, closes_with, created_at FROM SCHEMA.outbox
     WHERE published_at IS NULL AND created_at < now() - make_interval(secs => :unpublished_seconds)
     ORDER BY created_at LIMIT :row_count_max)
    UNION ALL
    (SELECT event_id, topic, partition, key, value, closes_with, created_at FROM SCHEMA.outbox
     WHERE closes_with IS NOT NULL AND closed_at IS NULL AND again_at < now()
     ORDER BY again_at LIMIT :row_count_max)) AS found
ORDER BY created_at, event_id LIMIT :row_count_max
"""

# A walk from one (topic, partition) to the next along the index: as many reads as there are partitions.
_PARTITIONS = """
WITH RECURSIVE parts AS (
    (SELECT o.topic, o.partition FROM SCHEMA.outbox o WHERE o.record_offset IS NOT NULL
     ORDER BY o.topic, o.partition LIMIT 1)
    UNION ALL
    SELECT n.topic, n.partition FROM parts p CROSS JOIN LATERAL (
        SELECT o.topic, o.partition FROM SCHEMA.outbox o
        WHERE o.record_offset IS NOT NULL AND (o.topic, o.partition) > (p.topic, p.partition)
        ORDER BY o.topic, o.partition LIMIT 1) AS n)
"""

HEIGHTS = """
PARTITIONS
SELECT p.topic, p.partition, (
    SELECT max(o.record_offset) FROM SCHEMA.outbox o WHERE o.topic = p.topic AND o.partition = p.partition) AS height
FROM parts p
"""

REOPEN = """
WITH picked AS (
    SELECT event_id, partition, record_offset,
           created_at > now() - make_interval(days => :retention_days)
           OR (closes_with IS NOT NULL AND closed_at IS NULL) AS wanted
    FROM SCHEMA.outbox
    WHERE topic = :topic AND record_offset >= 0 AND (partition, record_offset) > (:partition, :record_offset)
    ORDER BY partition, record_offset LIMIT :row_count_max),
done AS (
    UPDATE SCHEMA.outbox o SET again_at = NULL,
        record_offset = CASE WHEN picked.wanted THEN NULL ELSE -1 END,
        published_at = CASE WHEN picked.wanted THEN NULL ELSE o.published_at END
    FROM picked WHERE o.event_id = picked.event_id)
SELECT partition, record_offset, count(*) OVER () AS row_count FROM picked
ORDER BY partition DESC, record_offset DESC LIMIT 1
"""

# The lowest offsets are the rows that were published longest ago: an open row gets a new offset within the hour.
PRUNE = """
DELETE FROM SCHEMA.outbox WHERE event_id IN (
PARTITIONS
SELECT event_id FROM parts p CROSS JOIN LATERAL (
    SELECT o.event_id, o.published_at, o.closes_with, o.closed_at FROM SCHEMA.outbox o
    WHERE o.topic = p.topic AND o.partition = p.partition AND o.record_offset IS NOT NULL
    ORDER BY o.record_offset LIMIT :row_count_max) AS oldest
WHERE published_at < now() - make_interval(days => :retention_days)
  AND (closes_with IS NULL OR closed_at < now() - make_interval(days => :retention_days)))
"""


def statement(template: str, schema: str) -> TextClause:
    """The statement for one schema, whose name is a constant of its service."""
    return text(template.replace("PARTITIONS", _PARTITIONS).replace("SCHEMA", schema))
