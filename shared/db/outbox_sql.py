"""The statements of the outbox; SCHEMA stands for the schema of the service. Each is read by an index of its own."""

from sqlalchemy import TextClause, text

RETENTION_DAYS = 7
"""As long as Kafka keeps its records: so far back can a lost log be filled again."""
KEPT_DAYS = RETENTION_DAYS + 1
"""A row stays a day longer, so that none goes while a log is being filled."""
AGAIN_SECONDS = 30
AGAIN_SECONDS_MAX = 3600

# What is still to be done with the rows that a CTE `said` has written, of which it returns event_id, closes_with and
# created_at. What is dated `infinity` waits for the one before it, and is published once that is closed.
_TO_DO = """unpublished AS (
  INSERT INTO SCHEMA.outbox_unpublished (created_at, event_id)
  SELECT created_at, event_id FROM said WHERE created_at < 'infinity'
  ON CONFLICT DO NOTHING
), opened AS (
  INSERT INTO SCHEMA.outbox_open (closes_with, event_id, again_at)
  SELECT closes_with, event_id, created_at + interval 'AGAIN seconds' FROM said WHERE closes_with IS NOT NULL
  ON CONFLICT DO NOTHING
)"""

ADD = """
WITH said AS (
  INSERT INTO SCHEMA.outbox (event_id, topic, partition, key, value, closes_with, created_at)
  SELECT event_id, topic, partition, key, value, closes_with, now() + place * interval '1 microsecond'
  FROM unnest(CAST(:ids AS text[]), CAST(:topics AS text[]), CAST(:partitions AS smallint[]),
              CAST(:keys AS text[]), CAST(:bodies AS bytea[]), CAST(:closes AS text[]))
       WITH ORDINALITY AS r(event_id, topic, partition, key, value, closes_with, place)
  ON CONFLICT (event_id) DO NOTHING
  RETURNING event_id, closes_with, created_at
), TO_DO
SELECT count(*) FROM said
"""

ADD_AGAIN = """
WITH again AS (
  SELECT event_id, topic, partition, key, value, closes_with, created_at FROM SCHEMA.outbox
  WHERE event_id = ANY(CAST(:ids AS text[]))
), unpublished AS (
  INSERT INTO SCHEMA.outbox_unpublished (created_at, event_id) SELECT created_at, event_id FROM again
  ON CONFLICT DO NOTHING
)
SELECT event_id, topic, partition, key, value, closes_with FROM again
"""

CLOSE = "DELETE FROM SCHEMA.outbox_open WHERE closes_with = ANY(CAST(:names AS text[]))"

# The heights in order: two that mark at once never wait for each other in a circle.
MARK = """
WITH marked AS (
  SELECT o.event_id, o.created_at, o.closes_with, o.topic, o.partition, m.record_offset
  FROM unnest(CAST(:ids AS text[]), CAST(:offsets AS bigint[])) AS m(event_id, record_offset)
  JOIN SCHEMA.outbox o USING (event_id)
), published AS (
  DELETE FROM SCHEMA.outbox_unpublished u USING marked m
  WHERE u.created_at = m.created_at AND u.event_id = m.event_id
), put_off AS (
  UPDATE SCHEMA.outbox_open o SET repeat_count = least(repeat_count + 1, 1000),
    again_at = now() + make_interval(secs => least(AGAIN * 2 ^ least(repeat_count + 1, 16), AGAIN_MAX))
  FROM marked m
  WHERE o.closes_with = m.closes_with AND o.event_id = m.event_id AND o.again_at < now() + interval 'AGAIN seconds' / 2
)
INSERT INTO SCHEMA.outbox_heights AS h (topic, partition, record_offset)
SELECT topic, partition, max(record_offset) FROM marked GROUP BY topic, partition ORDER BY topic, partition
ON CONFLICT (topic, partition) DO UPDATE SET record_offset = excluded.record_offset
WHERE h.record_offset < excluded.record_offset
"""

# An entry without a row is passed over before the rows are counted, or it would stand in the way of others for good.
LOST = """
SELECT o.event_id, o.topic, o.partition, o.key, o.value, o.closes_with FROM (
    (SELECT u.event_id FROM SCHEMA.outbox_unpublished u JOIN SCHEMA.outbox o USING (event_id)
     WHERE u.created_at < now() - make_interval(secs => :unpublished_seconds)
     ORDER BY u.created_at LIMIT :row_count_max)
    UNION
    (SELECT event_id FROM SCHEMA.outbox_open WHERE again_at < now() ORDER BY again_at LIMIT :row_count_max)) AS found
JOIN SCHEMA.outbox o USING (event_id)
ORDER BY o.created_at, o.event_id LIMIT :row_count_max
"""

HEIGHTS = "SELECT topic, partition, record_offset FROM SCHEMA.outbox_heights"

# A page ends with all rows of its last moment, so that the next begins after them.
REOPEN = """
WITH page AS (
  SELECT o.event_id, o.created_at, o.topic, o.closes_with FROM SCHEMA.outbox o
  WHERE o.created_at > coalesce(CAST(:after AS timestamptz), '-infinity') AND o.created_at < 'infinity'
  ORDER BY o.created_at FETCH FIRST :row_count_max ROWS WITH TIES
), reopened AS (
  INSERT INTO SCHEMA.outbox_unpublished (created_at, event_id)
  SELECT created_at, event_id FROM page
  WHERE topic = :topic AND (created_at > now() - interval 'RETENTION days' OR EXISTS (
    SELECT FROM SCHEMA.outbox_open p WHERE p.closes_with = page.closes_with AND p.event_id = page.event_id))
  ON CONFLICT DO NOTHING RETURNING event_id
)
SELECT (SELECT max(created_at) FROM page) AS last, (SELECT count(*) FROM reopened) AS row_count
"""
FORGET = "DELETE FROM SCHEMA.outbox_heights WHERE topic = :topic"

# A row may have gone just as it was to be published again: its entry says nothing any more.
STRAY = """
DELETE FROM SCHEMA.outbox_unpublished u
WHERE u.created_at < now() - interval 'KEPT days'
  AND NOT EXISTS (SELECT FROM SCHEMA.outbox o WHERE o.event_id = u.event_id)
"""

PRUNE = """
DELETE FROM SCHEMA.outbox WHERE event_id IN (
  SELECT o.event_id FROM SCHEMA.outbox o
  WHERE o.created_at < now() - interval 'KEPT days'
    AND NOT EXISTS (SELECT FROM SCHEMA.outbox_unpublished u
                    WHERE u.created_at = o.created_at AND u.event_id = o.event_id)
    AND NOT EXISTS (SELECT FROM SCHEMA.outbox_open p WHERE p.closes_with = o.closes_with AND p.event_id = o.event_id)
  ORDER BY o.created_at LIMIT :row_count_max)
"""


def filled(template: str, schema: str) -> str:
    """The text of a statement for one schema, whose name is a constant of its service.

    TO_DO stands for the CTEs that note what is still to be done with the rows that a CTE `said` has written.
    """
    values = {
        "TO_DO": _TO_DO,
        "AGAIN_MAX": str(AGAIN_SECONDS_MAX),
        "AGAIN": str(AGAIN_SECONDS),
        "RETENTION": str(RETENTION_DAYS),
        "KEPT": str(KEPT_DAYS),
        "SCHEMA": schema,
    }
    for name, value in values.items():
        template = template.replace(name, value)
    return template


def statement(template: str, schema: str) -> TextClause:
    """The statement for one schema."""
    return text(filled(template, schema))
