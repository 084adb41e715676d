"""Changes of the graph as events: what was proposed, who reviewed, approved and signed it, and what came of it."""

import sqlalchemy as sa
from alembic import op

revision = "20261122_changes"
down_revision = "20261122_commits_objects_outbox"
branch_labels = None
depends_on = None

SCHEMA = "registry"
TABLES = ("change_events", "change_objects", "change_differences")


def upgrade() -> None:
    _create_events()
    _create_objects()
    _create_differences()
    names = ", ".join(f"{SCHEMA}.{table}" for table in TABLES)
    op.execute(f"GRANT SELECT, INSERT ON {names} TO registry_service")


def _create_events() -> None:
    op.create_table(
        "change_events",
        sa.Column("change_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("event", sa.Text, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        schema=SCHEMA,
    )
    # The list of changes goes by their first event.
    first = sa.text("number = 1")
    op.create_index("change_events_drafted", "change_events", ["at", "change_id"], schema=SCHEMA, postgresql_where=first)


def _create_objects() -> None:
    op.create_table(
        "change_objects",
        sa.Column("change_id", sa.Text, primary_key=True),
        sa.Column("revision", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        _of_event(),
        schema=SCHEMA,
    )


def _create_differences() -> None:
    op.create_table(
        "change_differences",
        sa.Column("change_id", sa.Text, primary_key=True),
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        _of_event(),
        schema=SCHEMA,
    )


def _of_event() -> sa.ForeignKeyConstraint:
    columns = ["change_id", "number"]
    return sa.ForeignKeyConstraint(columns, [f"{SCHEMA}.change_events.{column}" for column in columns])


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table, schema=SCHEMA)
