"""Rounds that people open, and what they do with the items that wait for them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_router_rounds"
down_revision = "20261122_router_concerns"
branch_labels = None
depends_on = None

OPEN = sa.text("resolved_at IS NULL")
STALE = sa.text("resolved_at IS NULL AND codes @> '[\"HOLD_STALE_GRAPH\"]'")


def upgrade() -> None:
    _work_items()
    op.create_table(
        "work_item_events",
        sa.Column("item_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        schema="router",
    )
    _acts()
    op.execute("GRANT SELECT, INSERT ON router.work_item_events, router.acts TO router_service")


def downgrade() -> None:
    op.drop_table("acts", schema="router")
    op.drop_table("work_item_events", schema="router")
    for name in ("work_items_of_concern", "work_items_stale", "work_items_closed"):
        op.drop_index(name, "work_items", schema="router")
    op.drop_constraint("one_item_per_kind_and_ref", "work_items", schema="router")
    for name in ("ref", "owner", "waits_until", "resolution"):
        op.drop_column("work_items", name, schema="router")
    op.create_unique_constraint(
        "one_item_per_kind", "work_items", ["concern_id", "version", "round", "kind"], schema="router"
    )


def _work_items() -> None:
    for column in (
        sa.Column("ref", sa.Text, nullable=False, server_default=""),
        sa.Column("owner", sa.Text, nullable=False, server_default=""),
        sa.Column("waits_until", sa.DateTime(timezone=True)),
        sa.Column("resolution", sa.Text),
    ):
        op.add_column("work_items", column, schema="router")
    op.drop_constraint("one_item_per_kind", "work_items", schema="router")
    op.create_unique_constraint(
        "one_item_per_kind_and_ref", "work_items", ["concern_id", "version", "round", "kind", "ref"], schema="router"
    )
    closed = sa.text("resolved_at IS NOT NULL")
    op.create_index(
        "work_items_closed", "work_items", ["opened_at", "item_id"], schema="router", postgresql_where=closed
    )
    op.create_index("work_items_stale", "work_items", ["opened_at"], schema="router", postgresql_where=STALE)
    op.create_index(
        "work_items_of_concern", "work_items", ["concern_id", "version"], schema="router", postgresql_where=OPEN
    )


def _acts() -> None:
    op.create_table(
        "acts",
        sa.Column("concern_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("round", sa.SmallInteger, primary_key=True),
        sa.Column("decision_id", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("org", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("organisations", postgresql.JSONB, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("choices", postgresql.JSONB, nullable=False),
        sa.Column("routing", sa.LargeBinary),
        sa.Column("record", sa.LargeBinary),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        schema="router",
    )
