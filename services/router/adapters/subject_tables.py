"""Tables about the subjects of concerns: who was seen, what was suggested, and what people met about."""

from sqlalchemy import Boolean, Column, Date, DateTime, Index, Integer, LargeBinary, MetaData, Table, Text, text
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


def panels_table(metadata: MetaData) -> Table:
    """What the events of each panel come to, for who asks for a list."""
    table = Table(
        "panels",
        metadata,
        Column("panel_id", Text, primary_key=True),
        Column("opened_at", DateTime(timezone=True), nullable=False),
        Column("concern_id", Text, nullable=False),
        Column("state", Text, nullable=False),
        Column("convenor", Text, nullable=False),
        Column("invited", ARRAY(Text), nullable=False),
    )
    Index("panels_by_opening", table.c.opened_at, table.c.panel_id)
    return table


def panel_dues_table(metadata: MetaData) -> Table:
    """Actions and reviews of panels, each with its day, and whether it was said that this day is past."""
    table = Table(
        "panel_dues",
        metadata,
        Column("panel_id", Text, primary_key=True),
        Column("number", Integer, primary_key=True),
        Column("day", Date, nullable=False),
        Column("owner", Text, nullable=False),
        Column("action", Text, nullable=False),
        Column("ended", Boolean, nullable=False, server_default="false"),
        Column("said", Boolean, nullable=False, server_default="false"),
    )
    Index("panel_dues_open", table.c.day, postgresql_where=text("NOT ended"))
    return table
