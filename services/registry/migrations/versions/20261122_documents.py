"""The files in which people wrote a change, kept with it to the byte."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_documents"
down_revision = "20261122_intervals"
branch_labels = None
depends_on = None

SCHEMA = "registry"


def upgrade() -> None:
    op.create_table(
        "documents",
        sa.Column("change_id", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("text", sa.LargeBinary, nullable=False),
        schema=SCHEMA,
    )
    op.execute("GRANT SELECT, INSERT ON registry.documents TO registry_service")


def downgrade() -> None:
    op.drop_table("documents", schema=SCHEMA)
