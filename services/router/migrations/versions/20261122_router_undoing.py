"""What is told can be taken back: which notices are not settled, and by which graph each was looked at last."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_router_undoing"
down_revision = "20261122_router_rounds"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("checked_version", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("withdraw_at", sa.DateTime(timezone=True)),
        sa.Column("settled", sa.Text),
    ):
        op.add_column("notices", column, schema="router")
    op.create_index(
        "notices_unsettled", "notices", ["checked_version"], schema="router",
        postgresql_where=sa.text("settled IS NULL AND kind = 'tell'"),
    )
    op.create_index(
        "notices_ending", "notices", ["withdraw_at"], schema="router",
        postgresql_where=sa.text("settled IS NULL AND withdraw_at IS NOT NULL"),
    )
    op.create_table(
        "recalls",
        sa.Column("concern_id", sa.Text, primary_key=True),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        schema="router",
    )
    op.execute("GRANT SELECT, INSERT ON router.recalls TO router_service")
    op.execute("GRANT UPDATE (checked_version, withdraw_at, settled) ON router.notices TO router_service")


def downgrade() -> None:
    op.drop_table("recalls", schema="router")
    op.drop_index("notices_ending", "notices", schema="router")
    op.drop_index("notices_unsettled", "notices", schema="router")
    for name in ("checked_version", "withdraw_at", "settled"):
        op.drop_column("notices", name, schema="router")
