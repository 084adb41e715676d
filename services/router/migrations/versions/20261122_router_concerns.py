"""The router keeps each version of a concern: later rounds, and the questions of what was routed, need it."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_router_concerns"
down_revision = "20261122_router"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "concerns",
        sa.Column("concern_id", sa.Text, primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("accepted_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("routing", sa.LargeBinary, nullable=False),
        sa.Column("sealed", sa.LargeBinary, nullable=False),
        sa.Column("traceparent", sa.Text),
        schema="router",
    )
    op.create_index(
        "concerns_by_receipt", "concerns", ["received_at", "concern_id", "version"], schema="router"
    )
    op.execute("GRANT SELECT, INSERT ON router.concerns TO router_service")


def downgrade() -> None:
    op.drop_table("concerns", schema="router")
