"""Tables about the subjects of concerns: who was seen, what was suggested, and what people met about."""

from sqlalchemy import Column, DateTime, Index, Integer, LargeBinary, MetaData, Table, Text
from sqlalchemy.dialects.postgresql import ARRAY


def sightings_table(metadata: MetaData) -> Table:
    """Which concern is about whom, by the tokens of its newest version: what is counted, not who the subject is."""
    table = Table(
        "sightings",
        metadata,
        Column("kid", Text, primary_key=True),
        Column("token", Text, primary_key=True),
        Column("concern_id", Text, primary_key=True),
        Column("version", Integer, nullable=False),
        Column("subject", Integer, nullable=False),
        Column("kind", Text, nullable=False),
        Column("received_at", DateTime(timezone=True), nullable=False),
        Column("originator", Text, nullable=False),
        Column("source_type", Text, nullable=False),
        Column("categories", ARRAY(Text), nullable=False),
    )
    Index("sightings_by_receipt", table.c.kid, table.c.token, table.c.received_at)
    Index("sightings_of_concern", table.c.concern_id)
    return table


def suggestions_table(metadata: MetaData) -> Table:
    """Which work item suggests to look at a subject, by each of the subject's tokens."""
    return Table(
        "suggestions",
        metadata,
        Column("kid", Text, primary_key=True),
        Column("token", Text, primary_key=True),
        Column("item_id", Text, primary_key=True),
    )


def panel_events_table(metadata: MetaData) -> Table:
    """What people did about a meeting that one of them convened; only ever added to."""
    return Table(
        "panel_events",
        metadata,
        Column("panel_id", Text, primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("event", Text, nullable=False),
        Column("at", DateTime(timezone=True), nullable=False),
        Column("principal", Text, nullable=False),
        Column("org", Text, nullable=False),
        Column("person", Text, nullable=False),
        Column("request", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
    )
