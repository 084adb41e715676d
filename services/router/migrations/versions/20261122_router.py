"""The router's schema: its copy of the graph, decisions and notices, work items, outbox and positions."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "20261122_router"
down_revision = None
branch_labels = None
depends_on = None

TABLES = (
    "positions", "parked_records", "outbox_heights", "outbox_open", "outbox_unpublished", "outbox", "work_items", "notices", "decisions", "decision_bodies",
    "graph_parts", "graph_objects", "graph_head",
)
GRANTS = {
    "graph_head": "SELECT, UPDATE",
    # A graph that does not have its root is dropped whole for the registry's; parts go once their commit is whole.
    "graph_objects": "SELECT, INSERT, UPDATE, DELETE",
    "graph_parts": "SELECT, INSERT, DELETE",
    "decision_bodies": "SELECT, INSERT",
    "decisions": "SELECT, INSERT",
    "notices": "SELECT, INSERT",
    "work_items": "SELECT, INSERT, UPDATE",
    "outbox": "SELECT, INSERT, DELETE",
    "outbox_unpublished": "SELECT, INSERT, DELETE",
    "outbox_open": "SELECT, INSERT, UPDATE, DELETE",
    "outbox_heights": "SELECT, INSERT, UPDATE, DELETE",
    "positions": "SELECT, INSERT, UPDATE",
    "parked_records": "SELECT, INSERT",
}


def upgrade() -> None:
    _graph()
    _decisions()
    _work_items()
    _plumbing()
    op.execute("INSERT INTO router.graph_head (version, root) VALUES (0, '')")
    for table, rights in GRANTS.items():
        op.execute(f"GRANT {rights} ON router.{table} TO router_service")


def downgrade() -> None:
    for table in TABLES:
        op.drop_table(table, schema="router")


def _graph() -> None:
    op.create_table(
        "graph_head",
        sa.Column("single", sa.Boolean, primary_key=True, server_default=sa.text("true")),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("root", sa.Text, nullable=False),
        sa.CheckConstraint("single", name="graph_head_is_one_row"),
        schema="router",
    )
    op.create_table(
        "graph_objects",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        schema="router",
    )
    op.create_table(
        "graph_parts",
        sa.Column("version", sa.BigInteger, primary_key=True),
        sa.Column("part", sa.Integer, primary_key=True),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("parent_root", sa.Text, nullable=False),
        sa.Column("root", sa.Text, nullable=False),
        sa.Column("kinds", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("ids", postgresql.ARRAY(sa.Text), nullable=False),
        sa.Column("bodies", postgresql.ARRAY(sa.LargeBinary), nullable=False),
        schema="router",
    )


def _decisions() -> None:
    op.create_table(
        "decision_bodies",
        sa.Column("body_digest", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        schema="router",
    )
    op.create_table(
        "decisions",
        sa.Column("decision_id", sa.Text, primary_key=True),
        sa.Column("concern_id", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("round", sa.SmallInteger, nullable=False),
        sa.Column("originator", sa.Text, nullable=False),
        sa.Column("concern_digest", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("body_digest", sa.Text, nullable=False),
        sa.Column("graph_version", sa.BigInteger, nullable=False),
        sa.Column("graph_root", sa.Text, nullable=False),
        sa.Column("engine", sa.Text, nullable=False),
        sa.Column("as_of", sa.Text, nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.UniqueConstraint("concern_id", "version", "round", name="one_decision_per_version_and_round"),
        schema="router",
    )
    op.create_table(
        "notices",
        sa.Column("notice_id", sa.Text, primary_key=True),
        sa.Column("decision_id", sa.Text, nullable=False),
        sa.Column("concern_id", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.UniqueConstraint("concern_id", "version", "recipient", "kind", "ref", name="one_notice_per_recipient"),
        schema="router",
    )


def _work_items() -> None:
    op.create_table(
        "work_items",
        sa.Column("item_id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("concern_id", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("round", sa.SmallInteger, nullable=False),
        sa.Column("codes", postgresql.JSONB, nullable=False),
        sa.Column("bodies", postgresql.JSONB, nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True)),
        sa.UniqueConstraint("concern_id", "version", "round", "kind", name="one_item_per_kind"),
        schema="router",
    )
    op.create_index(
        "work_items_open", "work_items", ["opened_at", "item_id"], schema="router",
        postgresql_where=sa.text("resolved_at IS NULL"),
    )


def _plumbing() -> None:
    op.create_table(
        "outbox",
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("closes_with", sa.Text),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        schema="router",
    )
    op.create_index("outbox_created", "outbox", ["created_at"], schema="router")
    op.create_table(
        "outbox_unpublished",
        sa.Column("created_at", sa.DateTime(timezone=True), primary_key=True),
        sa.Column("event_id", sa.Text, primary_key=True),
        schema="router",
    )
    op.create_table(
        "outbox_open",
        sa.Column("closes_with", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("again_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("repeat_count", sa.SmallInteger, nullable=False, server_default="0"),
        schema="router",
    )
    op.create_index("outbox_again", "outbox_open", ["again_at"], schema="router")
    op.create_table(
        "outbox_heights",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("record_offset", sa.BigInteger, nullable=False),
        schema="router",
    )
    op.create_table(
        "positions",
        sa.Column("consumer_group", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.SmallInteger, primary_key=True),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        sa.Column("last_timestamp", sa.BigInteger),
        schema="router",
    )
    op.create_table(
        "parked_records",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.SmallInteger, primary_key=True),
        sa.Column("value_digest", sa.Text, primary_key=True),
        sa.Column("record_offset", sa.BigInteger, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("parked_at", sa.DateTime(timezone=True), nullable=False, server_default=sa.func.now()),
        schema="router",
    )
