"""Commits, objects and outbox of the graph, and the few rights that the service has on them."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_commits_objects_outbox"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "registry"


def upgrade() -> None:
    _create_history()
    _create_outbox()
    op.execute("GRANT SELECT, INSERT ON registry.commits, registry.objects TO registry_service")
    op.execute("GRANT SELECT, INSERT, DELETE ON registry.outbox, registry.outbox_unpublished TO registry_service")
    marks = "registry.outbox_open, registry.outbox_heights"
    op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {marks} TO registry_service")


def _create_history() -> None:
    op.create_table(
        "commits",
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("parent_root", sa.Text, nullable=False),
        sa.Column("root", sa.Text, nullable=False),
        sa.Column("committed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("event", sa.Text, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "objects",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column(
            "version",
            sa.BigInteger,
            sa.ForeignKey("registry.commits.version"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("body", sa.LargeBinary, nullable=False),
        schema=SCHEMA,
    )
    op.create_index("objects_version", "objects", ["version"], schema=SCHEMA)


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("closes_with", sa.Text),
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


def downgrade() -> None:
    for table in ("outbox_heights", "outbox_open", "outbox_unpublished", "outbox", "objects", "commits"):
        op.drop_table(table, schema=SCHEMA)
