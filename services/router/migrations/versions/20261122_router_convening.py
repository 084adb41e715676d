"""Meetings that a named person convenes about a concern: events, only ever added to."""

import sqlalchemy as sa
from alembic import op

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


def downgrade() -> None:
    op.drop_table("panel_events", schema="router")
