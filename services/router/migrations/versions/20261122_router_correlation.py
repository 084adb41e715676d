"""Concerns about one subject are found by its tokens, a moment after each was decided."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "20261122_router_correlation"
down_revision = "20261122_router_all_moved"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "sightings",
        sa.Column("kid", sa.Text, primary_key=True),
        sa.Column("token", sa.Text, primary_key=True),
        sa.Column("concern_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("subject", sa.Integer, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("originator", sa.Text, nullable=False),
        sa.Column("source_type", sa.Text, nullable=False),
        sa.Column("categories", ARRAY(sa.Text), nullable=False),
        schema="router",
    )
    op.create_index("sightings_by_receipt", "sightings", ["kid", "token", "received_at"], schema="router")
    op.create_index("sightings_of_concern", "sightings", ["concern_id"], schema="router")
    op.create_table(
        "suggestions",
        sa.Column("kid", sa.Text, primary_key=True),
        sa.Column("token", sa.Text, primary_key=True),
        sa.Column("item_id", sa.Text, primary_key=True),
        schema="router",
    )
    followed = sa.Column("followed", sa.Boolean, nullable=False, server_default=sa.text("false"))
    op.add_column("concerns", followed, schema="router")
    op.create_index(
        "concerns_not_followed", "concerns", ["accepted_at"], schema="router",
        postgresql_where=sa.text("NOT followed"),
    )
    op.execute("GRANT SELECT, INSERT, DELETE ON router.sightings TO router_service")
    op.execute("GRANT SELECT, INSERT ON router.suggestions TO router_service")
    op.execute("GRANT UPDATE (followed) ON router.concerns TO router_service")


def downgrade() -> None:
    op.drop_index("concerns_not_followed", "concerns", schema="router")
    op.drop_column("concerns", "followed", schema="router")
    op.drop_table("suggestions", schema="router")
    op.drop_table("sightings", schema="router")
