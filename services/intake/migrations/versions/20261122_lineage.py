"""What concerns are built on"""

import sqlalchemy as sa
from alembic import op

revision = "20261122_lineage"
down_revision = "20261122_concerns"
branch_labels = None
depends_on = None

SCHEMA = "intake"


def upgrade() -> None:
    op.create_table(
        "lineage",
        sa.Column("concern_id", sa.Text(), primary_key=True),
        sa.Column("source_id", sa.Text(), primary_key=True),
        sa.Column("notice_id", sa.Text(), primary_key=True),
        schema=SCHEMA,
    )
    op.create_index("lineage_of_source", "lineage", ["source_id", "concern_id"], schema=SCHEMA)
    op.execute(f"GRANT SELECT, INSERT ON {SCHEMA}.lineage TO {SCHEMA}_service")


def downgrade() -> None:
    op.drop_table("lineage", schema=SCHEMA)
