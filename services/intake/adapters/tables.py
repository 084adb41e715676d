"""The tables of schema `intake`.

Versions and timeline name their concern without a foreign key: a version is written in the same statement as its
concern, a timeline entry is joined to it, nothing is ever deleted, and the check would cost on every accept.
"""

from sqlalchemy import Column, DateTime, Index, Integer, LargeBinary, MetaData, Table, Text, UniqueConstraint, text
from sqlalchemy.dialects.postgresql import JSONB

from shared.db.outbox import outbox_table
from shared.db.positions import parked_table, positions_table

SCHEMA = "intake"
metadata = MetaData(schema=SCHEMA)

concerns = Table(
    "concerns",
    metadata,
    Column("concern_id", Text, primary_key=True),
    Column("originator", Text, nullable=False),
    Column("originator_ref", Text, nullable=False),
    Column("partition_key", Text, nullable=False),
    Column("accepted_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("originator", "originator_ref", name="concerns_natural_key"),
)
Index("concerns_newest", concerns.c.originator, concerns.c.accepted_at, concerns.c.concern_id)
Index("concerns_newest_of_all", concerns.c.accepted_at, concerns.c.concern_id)

versions = Table(
    "versions",
    metadata,
    Column("concern_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("body_mac", LargeBinary, nullable=False),
    Column("digest", Text, nullable=False),
    Column("accepted_at", DateTime(timezone=True), nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("routing", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("identifier_flags", JSONB, nullable=False),
)

# Each step after version 1 takes the next number: a version its own, the recall the one after all. Two that come at
# once want the same number, and one gets it; after a recall no version is the next.
steps = Table(
    "steps",
    metadata,
    Column("concern_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("reason", Text),
    Column("at", DateTime(timezone=True), nullable=False),
)
Index("steps_recall", steps.c.concern_id, unique=True, postgresql_where=text("kind = 'recall'"))

# What a concern was built on: each source that any of its versions names, with the notice that told of it.
lineage = Table(
    "lineage",
    metadata,
    Column("concern_id", Text, primary_key=True),
    Column("source_id", Text, primary_key=True),
    Column("notice_id", Text, primary_key=True),
)
Index("lineage_of_source", lineage.c.source_id, lineage.c.concern_id)

timeline = Table(
    "timeline",
    metadata,
    Column("event_id", Text, primary_key=True),
    Column("concern_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("body", JSONB, nullable=False),
)
Index("timeline_of_concern", timeline.c.concern_id)

outbox = outbox_table(metadata)
positions = positions_table(metadata)
parked = parked_table(metadata)
