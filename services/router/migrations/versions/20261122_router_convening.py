"""Meetings that a named person convenes about a concern: events, only ever added to, and what they come to."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_router_convening"
down_revision = "20261122_router_correlation"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "panel_events",
        sa.Column("panel_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("org", sa.Text, nullable=False),
        sa.Column("person", sa.Text, nullable=False),
        sa.Column("request", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        schema="router",
    )
    op.execute("GRANT SELECT, INSERT ON router.panel_events TO router_service")
    op.create_table(
        "panels",
        sa.Column("panel_id", sa.Text, primary_key=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("concern_id", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("convenor", sa.Text, nullable=False),
        sa.Column("invited", postgresql.ARRAY(sa.Text), nullable=False),
        schema="router",
    )
    op.create_index("panels_by_opening", "panels", ["opened_at", "panel_id"], schema="router")
    op.create_table(
        "panel_dues",
        sa.Column("panel_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True),
        sa.Column("day", sa.Date, nullable=False),
        sa.Column("owner", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("ended", sa.Boolean, nullable=False, server_default="false"),
        sa.Column("said", sa.Boolean, nullable=False, server_default="false"),
        schema="router",
    )
    op.create_index("panel_dues_open", "panel_dues", ["day"], schema="router", postgresql_where=sa.text("NOT ended"))
    op.execute("GRANT SELECT, INSERT, UPDATE ON router.panels, router.panel_dues TO router_service")


def downgrade() -> None:
    op.drop_table("panel_dues", schema="router")
    op.drop_table("panels", schema="router")
    op.drop_table("panel_events", schema="router")
