"""The tables of schema `registry`."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import DATERANGE, TSTZRANGE

from shared.db.outbox import outbox_table

METADATA = MetaData(schema="registry")

commits = Table(
    "commits",
    METADATA,
    Column("version", BigInteger, primary_key=True, autoincrement=False),
    Column("parent_root", Text, nullable=False),
    Column("root", Text, nullable=False),
    Column("committed_at", DateTime(timezone=True), nullable=False),
    Column("principal", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("event", Text, nullable=False),
)

# Every state of every object is kept: a row is added, never changed, and the service's role can do no other.
objects = Table(
    "objects",
    METADATA,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("version", BigInteger, ForeignKey(commits.c.version), primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)
Index("objects_version", objects.c.version)

# A change is its events: added, never changed; the next number of a change can be taken once.
change_events = Table(
    "change_events",
    METADATA,
    Column("change_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("event", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("principal", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)
Index(
    "change_events_drafted", change_events.c.at, change_events.c.change_id, postgresql_where=text("number = 1")
)  # fmt: skip

# What a change proposes, by revision; `number` is the event that brought the object, `place` where it stands.
change_objects = Table(
    "change_objects",
    METADATA,
    Column("change_id", Text, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    Column("place", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    ForeignKeyConstraint(["change_id", "number"], [change_events.c.change_id, change_events.c.number]),
)

# What approvers saw, to the byte; the event carries its digest.
change_differences = Table(
    "change_differences",
    METADATA,
    Column("change_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    ForeignKeyConstraint(["change_id", "number"], [change_events.c.change_id, change_events.c.number]),
)

# The files in which people wrote a change; those of the seed stand under the change `seed`. Rows are only added.
documents = Table(
    "documents",
    METADATA,
    Column("change_id", Text, primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("path", Text, primary_key=True),
    Column("text", LargeBinary, nullable=False),
)

# The valid and recorded time of each object: where a state is replaced its rows are closed, and nothing else changes.
# That a facet and a lineage hold once at a time is an exclusion constraint, which stands in the migration alone.
intervals = Table(
    "intervals",
    METADATA,
    *(Column(name, Text(collation="C"), nullable=False) for name in ("kind", "object_id", "facet", "party", "lineage")),
    Column("valid", DATERANGE, nullable=False),
    Column("recorded", TSTZRANGE, nullable=False),
    Column("opened_version", BigInteger, nullable=False),
    Column("closed_version", BigInteger),
)
Index("intervals_object", intervals.c.kind, intervals.c.facet, intervals.c.object_id)
Index("intervals_party", intervals.c.party, postgresql_where=text("party <> ''"))
Index("intervals_lineage", intervals.c.lineage, postgresql_where=text("lineage <> ''"))

outbox = outbox_table(METADATA)
