"""The ledger of notices, attempts and endpoints, the outbox, and the audit facts; with the rights on them."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "20261122_ledger_endpoints_audit"
down_revision = None
branch_labels = None
depends_on = None

SCHEMA = "notifier"
INSTANT = sa.DateTime(timezone=True)
TRANSACTION = "(pg_current_xact_id()::text::bigint)"


def upgrade() -> None:
    _create_notices()
    _index_notices()
    _create_attempts_and_acknowledgements()
    _create_endpoints()
    _create_replays()
    _create_outbox()
    _create_positions()
    _create_facts()
    _grant()


def _create_notices() -> None:
    op.create_table(
        "notices",
        sa.Column("notice_id", sa.Text, primary_key=True),
        sa.Column("decision_id", sa.Text, nullable=False),
        sa.Column("concern_id", sa.Text, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("ref", sa.Text, nullable=False),
        sa.Column("lane", sa.SmallInteger, nullable=False),
        sa.Column("state", sa.Text, nullable=False, server_default="pending"),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("body_digest", sa.Text, nullable=False),
        sa.Column("rest", sa.LargeBinary),
        sa.Column("attempt_count", sa.SmallInteger, nullable=False, server_default="0"),
        sa.Column("next_attempt_at", INSTANT, nullable=False),
        sa.Column("lease_until", INSTANT),
        sa.Column("fencing", sa.Integer, nullable=False, server_default="0"),
        sa.Column("registered_at", INSTANT, nullable=False),
        sa.Column("give_up_at", INSTANT, nullable=False),
        sa.Column("valid_until", INSTANT),
        sa.Column("closed_at", INSTANT),
        sa.Column("outcome", sa.LargeBinary),
        sa.Column("message_id", sa.Text),
        sa.Column("alternate", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("retry_seconds", ARRAY(sa.Integer)),
        sa.Column("acknowledge_within", sa.Text, nullable=False, server_default=""),
        sa.Column("acknowledge_by", INSTANT),
        sa.Column("escalate_at", INSTANT),
        sa.Column("escalated", ARRAY(sa.Text), nullable=False, server_default="{}"),
        sa.Column("acknowledged_at", INSTANT),
        sa.Column("read_at", INSTANT),
        sa.Column("inserted_by", sa.BigInteger, nullable=False, server_default=sa.text(TRANSACTION)),
        sa.UniqueConstraint("concern_id", "version", "recipient", "kind", "ref", name="notices_once"),
        schema=SCHEMA,
    )
    # The bytes are written once and lie apart, so that a lease or a result copies a narrow row.
    op.execute("ALTER TABLE notifier.notices ALTER COLUMN body SET STORAGE EXTERNAL, ALTER COLUMN rest SET STORAGE EXTERNAL")
    op.execute("ALTER TABLE notifier.notices SET (toast_tuple_target = 256, fillfactor = 80)")


def _index_notices() -> None:
    pending = "state = 'pending'"
    for name, columns, where in (
        ("notices_first", ["recipient", "next_attempt_at"], f"{pending} AND attempt_count = 0"),
        ("notices_again", ["recipient", "next_attempt_at"], f"{pending} AND attempt_count > 0"),
        ("notices_untold", ["registered_at"], "outcome IS NULL"),
        ("notices_ending", ["give_up_at"], f"{pending} AND give_up_at IS NOT NULL"),
        ("notices_basis_ending", ["valid_until"], f"{pending} AND valid_until IS NOT NULL"),
        ("notices_escalating", ["escalate_at"], "escalate_at IS NOT NULL"),
        ("notices_inbox", ["recipient", "inserted_by", "notice_id"], None),
        ("notices_of_recipient", ["recipient", "registered_at", "notice_id"], None),
    ):
        condition = sa.text(where) if where else None
        op.create_index(name, "notices", columns, schema=SCHEMA, postgresql_where=condition)


def _create_attempts_and_acknowledgements() -> None:
    op.create_table(
        "attempts",
        sa.Column("notice_id", sa.Text, primary_key=True),
        sa.Column("attempt_no", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("endpoint_id", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("duration_ms", sa.Integer, nullable=False),
        sa.Column("status", sa.SmallInteger),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("answer", sa.LargeBinary, nullable=False),
        schema=SCHEMA,
    )
    op.create_table(
        "acknowledgements",
        sa.Column("notice_id", sa.Text, primary_key=True),
        sa.Column("acknowledgement_no", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("word", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("suggested_body", sa.Text, nullable=False),
        sa.Column("used_for", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        schema=SCHEMA,
    )


def _create_endpoints() -> None:
    op.create_table(
        "endpoints",
        sa.Column("endpoint_id", sa.Text, primary_key=True),
        sa.Column("org", sa.Text, nullable=False),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("description", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False, server_default=""),
        sa.Column("alternate", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("secret", sa.LargeBinary, nullable=False),
        sa.Column("secret_kid", sa.Text, nullable=False),
        sa.Column("previous_secret", sa.LargeBinary),
        sa.Column("previous_until", INSTANT),
        sa.Column("access", sa.LargeBinary),
        sa.Column("rate_per_minute", sa.Integer),
        sa.Column("retry_seconds", ARRAY(sa.Integer)),
        sa.Column("verified_at", INSTANT),
        sa.Column("in_order", sa.Boolean, nullable=False, server_default=sa.text("false")),
        sa.Column("encryption_key", sa.Text, nullable=False, server_default=""),
        sa.Column("registered_by", sa.Text, nullable=False),
        sa.Column("approved_by", sa.Text),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("changed_at", INSTANT, nullable=False),
        schema=SCHEMA,
    )
    op.create_index(
        "endpoints_one_each",
        "endpoints",
        ["org", "alternate"],
        unique=True,
        schema=SCHEMA,
        postgresql_where=sa.text("state <> 'removed'"),
    )
    op.create_table(
        "encrypted_copies",
        sa.Column("message_id", sa.Text, primary_key=True),
        sa.Column("kid", sa.Text, primary_key=True),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sa.Column("made_at", INSTANT, nullable=False, server_default=sa.func.now()),
        schema=SCHEMA,
    )
    op.create_table(
        "endpoint_health",
        sa.Column("endpoint_id", sa.Text, primary_key=True),
        sa.Column("breaker", sa.Text, nullable=False),
        sa.Column("failure_count", sa.Integer, nullable=False),
        sa.Column("failing_since", INSTANT),
        sa.Column("next_probe_at", INSTANT),
        sa.Column("rate_per_minute", sa.Integer),
        sa.Column("in_flight_cap", sa.SmallInteger, nullable=False),
        sa.Column("last_success_at", INSTANT),
        sa.Column("last_failure", sa.Text, nullable=False),
        sa.Column("seen_at", INSTANT, nullable=False),
        schema=SCHEMA,
    )


def _create_replays() -> None:
    op.create_table(
        "replays",
        sa.Column("replay_id", sa.Text, primary_key=True),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.Column("until", INSTANT, nullable=False),
        sa.Column("rate_per_minute", sa.Integer, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("total", sa.Integer, nullable=False),
        sa.Column("sent", sa.Integer, nullable=False, server_default="0"),
        sa.Column("place_at", INSTANT, nullable=False),
        sa.Column("place_id", sa.Text, nullable=False, server_default=""),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        schema=SCHEMA,
    )
    running = sa.text("state = 'running'")
    op.create_index("replays_running", "replays", ["next_at"], schema=SCHEMA, postgresql_where=running)


def _create_outbox() -> None:
    op.create_table(
        "outbox",
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, nullable=False),
        sa.Column("partition", sa.SmallInteger, nullable=False),
        sa.Column("key", sa.Text, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("closes_with", sa.Text),
        sa.Column("created_at", INSTANT, nullable=False, server_default=sa.func.now()),
        schema=SCHEMA,
    )
    op.create_index("outbox_created", "outbox", ["created_at"], schema=SCHEMA)
    op.create_table(
        "outbox_unpublished",
        sa.Column("created_at", INSTANT, primary_key=True),
        sa.Column("event_id", sa.Text, primary_key=True),
        schema=SCHEMA,
    )
    op.create_table(
        "outbox_open",
        sa.Column("closes_with", sa.Text, primary_key=True),
        sa.Column("event_id", sa.Text, primary_key=True),
        sa.Column("again_at", INSTANT, nullable=False),
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


def _create_positions() -> None:
    op.create_table(
        "positions",
        sa.Column("consumer_group", sa.Text, primary_key=True),
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("next_offset", sa.BigInteger, nullable=False),
        sa.Column("last_timestamp", sa.BigInteger),
        schema=SCHEMA,
    )
    op.create_table(
        "parked_records",
        sa.Column("topic", sa.Text, primary_key=True),
        sa.Column("partition", sa.SmallInteger, primary_key=True, autoincrement=False),
        sa.Column("value_digest", sa.Text, primary_key=True),
        sa.Column("record_offset", sa.BigInteger, nullable=False),
        sa.Column("value", sa.LargeBinary, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("parked_at", INSTANT, nullable=False, server_default=sa.func.now()),
        schema=SCHEMA,
    )


def _create_facts() -> None:
    op.create_table(
        "facts",
        sa.Column("fact_id", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("concern_id", sa.Text),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("service", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("event", sa.LargeBinary, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False, server_default=sa.func.now()),
        schema="audit",
    )
    op.create_index("facts_of_concern", "facts", ["concern_id", "at"], schema="audit")


def _grant() -> None:
    """Attempts and facts only grow; a notice keeps its bytes, and what it is about, for good."""
    for grant in (
        "SELECT, INSERT ON notifier.notices, notifier.attempts, notifier.acknowledgements, notifier.endpoints,"
        " notifier.encrypted_copies, notifier.endpoint_health, notifier.replays",
        "UPDATE (state, reason, attempt_count, next_attempt_at, lease_until, fencing, closed_at, outcome, alternate,"
        " acknowledge_by, escalate_at, escalated, acknowledged_at, read_at) ON notifier.notices",
        "UPDATE (state, reason, changed_at, secret, secret_kid, previous_secret, previous_until, rate_per_minute,"
        " verified_at, encryption_key, approved_by) ON notifier.endpoints",
        "UPDATE ON notifier.endpoint_health",
        "UPDATE (state, sent, place_at, place_id, next_at, rate_per_minute) ON notifier.replays",
        "SELECT, INSERT, DELETE ON notifier.outbox, notifier.outbox_unpublished",
        "SELECT, INSERT, UPDATE, DELETE ON notifier.outbox_open, notifier.outbox_heights",
        "SELECT, INSERT, UPDATE ON notifier.positions",
        "SELECT, INSERT ON notifier.parked_records",
        "SELECT, INSERT ON audit.facts",
    ):
        op.execute(f"GRANT {grant} TO notifier_service")


def downgrade() -> None:
    """The first version: there is nothing before it."""
