"""Concerns, their versions, the timeline, and the plumbing tables"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_concerns"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "intake"
GRANTS = {
    "concerns": "SELECT, INSERT",
    "versions": "SELECT, INSERT",
    "steps": "SELECT, INSERT",
    "timeline": "SELECT, INSERT",
    "outbox": "SELECT, INSERT, UPDATE (created_at), DELETE",
    "outbox_unpublished": "SELECT, INSERT, DELETE",
    "outbox_open": "SELECT, INSERT, UPDATE, DELETE",
    "outbox_heights": "SELECT, INSERT, UPDATE, DELETE",
    "positions": "SELECT, INSERT, UPDATE",
    "parked_records": "SELECT, INSERT",
}


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "concerns",
        sa.Column("concern_id", sa.Text(), primary_key=True),
        sa.Column("originator", sa.Text(), nullable=False),
        sa.Column("originator_ref", sa.Text(), nullable=False),
        sa.Column("partition_key", sa.Text(), nullable=False),
        _moment("accepted_at"),
        sa.UniqueConstraint("originator", "originator_ref", name="concerns_natural_key"),
        schema=SCHEMA,
    )
    op.create_index("concerns_newest", "concerns", ["originator", "accepted_at", "concern_id"], schema=SCHEMA)
    op.create_index("concerns_newest_of_all", "concerns", ["accepted_at", "concern_id"], schema=SCHEMA)
    op.create_table(
        "versions",
        sa.Column("concern_id", sa.Text(), primary_key=True),
        sa.Column("version", sa.Integer(), primary_key=True),
        sa.Column("body_mac", sa.LargeBinary(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        _moment("accepted_at"),
        _moment("received_at"),
        sa.Column("routing", sa.LargeBinary(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("identifier_flags", postgresql.JSONB(), nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "steps",
        sa.Column("concern_id", sa.Text(), primary_key=True),
        sa.Column("number", sa.Integer(), primary_key=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        _moment("at"),
        schema=SCHEMA,
    )
    op.create_index(
        "steps_recall", "steps", ["concern_id"], unique=True, schema=SCHEMA,
        postgresql_where=sa.text("kind = 'recall'"),
    )
    op.create_table(
        "timeline",
        sa.Column("event_id", sa.Text(), primary_key=True),
        sa.Column("concern_id", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        _moment("at"),
        sa.Column("body", postgresql.JSONB(), nullable=False),
        schema=SCHEMA,
    )
    op.create_index("timeline_of_concern", "timeline", ["concern_id"], schema=SCHEMA)
    _plumbing()
    for table, rights in GRANTS.items():
        op.execute(f"GRANT {rights} ON {SCHEMA}.{table} TO {SCHEMA}_service")


def _plumbing() -> None:
    op.create_table(
        "outbox",
        sa.Column("event_id", sa.Text(), primary_key=True),
        sa.Column("topic", sa.Text(), nullable=False),
        sa.Column("partition", sa.SmallInteger(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("closes_with", sa.Text()),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        schema=SCHEMA,
    )
    op.create_index("outbox_created", "outbox", ["created_at"], schema=SCHEMA)
    op.create_table(
        "outbox_unpublished",
        sa.Column("created_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("event_id", sa.Text, primary_key=True),
        schema=SCHEMA,
    )
    op.create_table(
        "outbox_open",
        sa.Column("closes_with", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("again_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("repeat_count", sa.SmallInteger, nullable=False, server_default="0"),
        schema=SCHEMA,
    )
    op.create_index("outbox_again", "outbox_open", ["again_at"], schema=SCHEMA)
    op.create_table(
        "outbox_heights",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("record_offset", sa.BigInteger, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "positions",
        sa.Column("consumer_group", sa.Text(), primary_key=True),
        sa.Column("topic", sa.Text(), primary_key=True),
        sa.Column("partition", sa.SmallInteger(), primary_key=True),
        sa.Column("next_offset", sa.BigInteger(), nullable=False),
        sa.Column("last_timestamp", sa.BigInteger()),
        schema=SCHEMA,
    )
    op.create_table(
        "parked_records",
        sa.Column("topic", sa.Text(), primary_key=True),
        sa.Column("partition", sa.SmallInteger(), primary_key=True),
        sa.Column("value_digest", sa.Text(), primary_key=True),
        sa.Column("record_offset", sa.BigInteger(), nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        schema=SCHEMA,
    )


def downgrade() -> None:
    for table in reversed(GRANTS):
        op.drop_table(table, schema=SCHEMA)
