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
    op.execute("GRANT SELECT, INSERT ON registry.commits, registry.objects, registry.outbox TO registry_service")
    marks = "published_at, closed_at, record_offset, publish_count, again_at"
    op.execute(f"GRANT UPDATE ({marks}), DELETE ON registry.outbox TO registry_service")


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
        sa.Column("published_at", sa.DateTime(timezone=True)),
        sa.Column("closed_at", sa.DateTime(timezone=True)),
        sa.Column("record_offset", sa.BigInteger),
        sa.Column("publish_count", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("again_at", sa.DateTime(timezone=True)),
        schema=SCHEMA,
    )
    unpublished = sa.text("published_at IS NULL")
    op.create_index("outbox_unpublished", "outbox", ["created_at"], schema=SCHEMA, postgresql_where=unpublished)
    is_open = sa.text("closes_with IS NOT NULL AND closed_at IS NULL")
    op.create_index("outbox_open", "outbox", ["closes_with"], schema=SCHEMA, postgresql_where=is_open)
    op.create_index("outbox_again", "outbox", ["again_at"], schema=SCHEMA, postgresql_where=is_open)
    columns, is_known = ["topic", "partition", "record_offset"], sa.text("record_offset IS NOT NULL")
    op.create_index("outbox_records", "outbox", columns, schema=SCHEMA, postgresql_where=is_known)


def downgrade() -> None:
    op.drop_table("outbox", schema=SCHEMA)
    op.drop_table("objects", schema=SCHEMA)
    op.drop_table("commits", schema=SCHEMA)
