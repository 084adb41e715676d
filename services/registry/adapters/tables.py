"""The tables of schema `registry`."""

from sqlalchemy import (
    BigInteger,
    Column,
    DateTime,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    Table,
    Text,
)

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

outbox = outbox_table(METADATA)
