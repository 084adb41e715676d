"""The tables of the schema `router`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from services.router.adapters.subject_tables import (
    panel_dues_table,
    panel_events_table,
    panels_table,
    sightings_table,
    suggestions_table,
)
from shared.db.outbox import outbox_table
from shared.db.positions import parked_table, positions_table

metadata = MetaData(schema="router")

graph_head = Table(
    "graph_head",
    metadata,
    Column("single", Boolean, primary_key=True, server_default=text("true")),
    Column("version", BigInteger, nullable=False),
    Column("root", Text, nullable=False),
    CheckConstraint("single", name="graph_head_is_one_row"),
)

graph_objects = Table(
    "graph_objects",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("id", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("version", BigInteger, nullable=False),
)

graph_parts = Table(
    "graph_parts",
    metadata,
    Column("version", BigInteger, primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("parts", Integer, nullable=False),
    Column("parent_root", Text, nullable=False),
    Column("root", Text, nullable=False),
    Column("kinds", ARRAY(Text), nullable=False),
    Column("ids", ARRAY(Text), nullable=False),
    Column("bodies", ARRAY(LargeBinary), nullable=False),
)

# Concerns that are decided alike share their decision's bytes: a day's decisions are few, its concerns many.
decision_bodies = Table(
    "decision_bodies",
    metadata,
    Column("body_digest", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
)

decisions = Table(
    "decisions",
    metadata,
    Column("decision_id", Text, primary_key=True),
    Column("concern_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("round", SmallInteger, nullable=False),
    Column("originator", Text, nullable=False),
    Column("concern_digest", Text, nullable=False),
    Column("digest", Text, nullable=False),
    Column("body_digest", Text, nullable=False),
    Column("graph_version", BigInteger, nullable=False),
    Column("graph_root", Text, nullable=False),
    Column("engine", Text, nullable=False),
    Column("as_of", Text, nullable=False),
    Column("decided_at", DateTime(timezone=True), nullable=False),
    UniqueConstraint("concern_id", "version", "round", name="one_decision_per_version_and_round"),
)

# A version of a concern as it came in: later rounds need it, and so does who asks what was routed. `received_at` is the
# routing's, or the moment of acceptance where that cannot be read; `followed` once its sightings are kept.
concerns = Table(
    "concerns",
    metadata,
    Column("concern_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("digest", Text, nullable=False),
    Column("received_at", DateTime(timezone=True), nullable=False),
    Column("accepted_at", DateTime(timezone=True), nullable=False),
    Column("routing", LargeBinary, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("traceparent", Text),
    Column("followed", Boolean, nullable=False, server_default=text("false")),
)
Index("concerns_by_receipt", concerns.c.received_at, concerns.c.concern_id, concerns.c.version)
Index("concerns_not_followed", concerns.c.accepted_at, postgresql_where=text("NOT followed"))

notices = Table(
    "notices",
    metadata,
    Column("notice_id", Text, primary_key=True),
    Column("decision_id", Text, nullable=False),
    Column("concern_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ref", Text, nullable=False),
    # Whether it still tells: looked at again by each graph until it is settled, or until a day that is known already.
    Column("checked_version", BigInteger, nullable=False, server_default="0"),
    Column("withdraw_at", DateTime(timezone=True)),
    Column("settled", Text),
    UniqueConstraint("concern_id", "version", "recipient", "kind", "ref", name="one_notice_per_recipient"),
)
Index(
    "notices_unsettled",
    notices.c.checked_version,
    postgresql_where=text("settled IS NULL AND kind = 'tell'"),
)
Index(
    "notices_ending",
    notices.c.withdraw_at,
    postgresql_where=text("settled IS NULL AND withdraw_at IS NOT NULL"),
)

recalls = Table(
    "recalls",
    metadata,
    Column("concern_id", Text, primary_key=True),
    Column("reason", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
)

work_items = Table(
    "work_items",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("concern_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("round", SmallInteger, nullable=False),
    Column("codes", JSONB, nullable=False),
    Column("bodies", JSONB, nullable=False),
    Column("opened_at", DateTime(timezone=True), nullable=False),
    Column("ref", Text, nullable=False, server_default=""),
    Column("owner", Text, nullable=False, server_default=""),
    Column("waits_until", DateTime(timezone=True)),
    Column("resolution", Text),
    Column("resolved_at", DateTime(timezone=True)),
    Column("due_at", DateTime(timezone=True)),
    UniqueConstraint("concern_id", "version", "round", "kind", "ref", name="one_item_per_kind_and_ref"),
)
Index(
    "work_items_open",
    work_items.c.opened_at,
    work_items.c.item_id,
    postgresql_where=text("resolved_at IS NULL"),
)
Index(
    "work_items_closed",
    work_items.c.opened_at,
    work_items.c.item_id,
    postgresql_where=text("resolved_at IS NOT NULL"),
)
Index(
    "work_items_stale",
    work_items.c.opened_at,
    postgresql_where=text("resolved_at IS NULL AND codes @> '[\"HOLD_STALE_GRAPH\"]'"),
)
Index(
    "work_items_due",
    work_items.c.due_at,
    postgresql_where=text("resolved_at IS NULL AND due_at IS NOT NULL"),
)
Index(
    "work_items_of_concern",
    work_items.c.concern_id,
    work_items.c.version,
    postgresql_where=text("resolved_at IS NULL"),
)

# What people did with a work item; only ever added to.
work_item_events = Table(
    "work_item_events",
    metadata,
    Column("item_id", Text, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("event", Text, nullable=False),
    Column("at", DateTime(timezone=True), nullable=False),
    Column("principal", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

# What opened a round behind the first: whose act it was, why, and all choices that stand from it on.
acts = Table(
    "acts",
    metadata,
    Column("concern_id", Text, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("round", SmallInteger, primary_key=True),
    Column("decision_id", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("principal", Text, nullable=False),
    Column("org", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("organisations", JSONB, nullable=False),
    Column("request", Text, nullable=False),
    Column("choices", JSONB, nullable=False),
    Column("routing", LargeBinary),
    Column("record", LargeBinary),
    Column("at", DateTime(timezone=True), nullable=False),
)

sightings, suggestions = sightings_table(metadata), suggestions_table(metadata)
panel_events, panels, panel_dues = panel_events_table(metadata), panels_table(metadata), panel_dues_table(metadata)
outbox = outbox_table(metadata)
positions = positions_table(metadata)
parked_records = parked_table(metadata)
