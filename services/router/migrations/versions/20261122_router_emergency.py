"""What was told in an emergency is reviewed by a day: an item may have to be resolved by then."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_router_emergency"
down_revision = "20261122_router_convening"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("work_items", sa.Column("due_at", sa.DateTime(timezone=True)), schema="router")
    op.create_index(
        "work_items_due", "work_items", ["due_at"], schema="router",
        postgresql_where=sa.text("resolved_at IS NULL AND due_at IS NOT NULL"),
    )


def downgrade() -> None:
    op.drop_index("work_items_due", "work_items", schema="router")
    op.drop_column("work_items", "due_at", schema="router")
