"""The notifier's tables: the ledger of notices, attempts, endpoints; and the audit facts in schema `audit`."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    func,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY

from shared.db.outbox import outbox_table
from shared.db.positions import parked_table, positions_table

metadata = MetaData(schema="notifier")

outbox = outbox_table(metadata)
positions = positions_table(metadata)
parked_records = parked_table(metadata)

_INSTANT = DateTime(timezone=True)
_PENDING = "state = 'pending'"

notices = Table(
    "notices",
    metadata,
    Column("notice_id", Text, primary_key=True),
    Column("decision_id", Text, nullable=False),
    Column("concern_id", Text, nullable=False),
    Column("version", Integer, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("ref", Text, nullable=False),
    Column("lane", SmallInteger, nullable=False),
    Column("state", Text, nullable=False, server_default="pending"),
    Column("reason", Text, nullable=False, server_default=""),
    Column("body", LargeBinary, nullable=False),
    Column("body_digest", Text, nullable=False),
    Column("rest", LargeBinary),
    Column("attempt_count", SmallInteger, nullable=False, server_default="0"),
    Column("next_attempt_at", _INSTANT, nullable=False),
    Column("lease_until", _INSTANT),
    Column("fencing", Integer, nullable=False, server_default="0"),
    Column("registered_at", _INSTANT, nullable=False),
    Column("give_up_at", _INSTANT, nullable=False),
    Column("valid_until", _INSTANT),
    Column("closed_at", _INSTANT),
    Column("outcome", LargeBinary),
    Column("message_id", Text),
    Column("alternate", Boolean, nullable=False, server_default=text("false")),
    Column("retry_seconds", ARRAY(Integer)),
    Column("acknowledge_within", Text, nullable=False, server_default=""),
    Column("acknowledge_by", _INSTANT),
    Column("escalate_at", _INSTANT),
    Column("escalated", ARRAY(Text), nullable=False, server_default="{}"),
    Column("acknowledged_at", _INSTANT),
    Column("read_at", _INSTANT),
    # A reader that goes by transactions misses none that commits late (below the oldest one still open).
    Column("inserted_by", BigInteger, nullable=False, server_default=text("(pg_current_xact_id()::text::bigint)")),
    UniqueConstraint("concern_id", "version", "recipient", "kind", "ref", name="notices_once"),
)
Index(
    "notices_first",
    notices.c.recipient,
    notices.c.next_attempt_at,
    postgresql_where=text(f"{_PENDING} AND attempt_count = 0"),
)
Index(
    "notices_again",
    notices.c.recipient,
    notices.c.next_attempt_at,
    postgresql_where=text(f"{_PENDING} AND attempt_count > 0"),
)
Index("notices_untold", notices.c.registered_at, postgresql_where=text("outcome IS NULL"))
# Said though it is never null: so no plan takes this index for another look at what waits.
Index("notices_ending", notices.c.give_up_at, postgresql_where=text(f"{_PENDING} AND give_up_at IS NOT NULL"))
Index(
    "notices_basis_ending",
    notices.c.valid_until,
    postgresql_where=text(f"{_PENDING} AND valid_until IS NOT NULL"),
)
Index("notices_escalating", notices.c.escalate_at, postgresql_where=text("escalate_at IS NOT NULL"))
Index("notices_inbox", notices.c.recipient, notices.c.inserted_by, notices.c.notice_id)
Index("notices_of_recipient", notices.c.recipient, notices.c.registered_at, notices.c.notice_id)

attempts = Table(
    "attempts",
    metadata,
    Column("notice_id", Text, primary_key=True),
    Column("attempt_no", SmallInteger, primary_key=True),
    Column("endpoint_id", Text, nullable=False),
    Column("at", _INSTANT, nullable=False),
    Column("duration_ms", Integer, nullable=False),
    Column("status", SmallInteger),
    Column("error", Text, nullable=False),
    Column("answer", LargeBinary, nullable=False),
)

acknowledgements = Table(
    "acknowledgements",
    metadata,
    Column("notice_id", Text, primary_key=True),
    Column("acknowledgement_no", SmallInteger, primary_key=True),
    Column("word", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("suggested_body", Text, nullable=False),
    Column("used_for", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("at", _INSTANT, nullable=False),
)

replays = Table(
    "replays",
    metadata,
    Column("replay_id", Text, primary_key=True),
    Column("recipient", Text, nullable=False),
    Column("since", _INSTANT, nullable=False),
    Column("until", _INSTANT, nullable=False),
    Column("rate_per_minute", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("total", Integer, nullable=False),
    Column("sent", Integer, nullable=False, server_default="0"),
    Column("place_at", _INSTANT, nullable=False),
    Column("place_id", Text, nullable=False, server_default=""),
    Column("next_at", _INSTANT, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", _INSTANT, nullable=False),
)
Index("replays_running", replays.c.next_at, postgresql_where=text("state = 'running'"))

endpoints = Table(
    "endpoints",
    metadata,
    Column("endpoint_id", Text, primary_key=True),
    Column("org", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("alternate", Boolean, nullable=False, server_default=text("false")),
    Column("secret", LargeBinary, nullable=False),
    Column("secret_kid", Text, nullable=False),
    Column("previous_secret", LargeBinary),
    Column("previous_until", _INSTANT),
    Column("access", LargeBinary),
    Column("rate_per_minute", Integer),
    Column("retry_seconds", ARRAY(Integer)),
    Column("verified_at", _INSTANT),
    Column("in_order", Boolean, nullable=False, server_default=text("false")),
    Column("encryption_key", Text, nullable=False, server_default=""),
    Column("registered_by", Text, nullable=False),
    Column("approved_by", Text),
    Column("created_at", _INSTANT, nullable=False),
    Column("changed_at", _INSTANT, nullable=False),
)
Index(
    "endpoints_one_each",
    endpoints.c.org,
    endpoints.c.alternate,
    unique=True,
    postgresql_where=text("state <> 'removed'"),
)

encrypted_copies = Table(
    "encrypted_copies",
    metadata,
    Column("message_id", Text, primary_key=True),
    Column("kid", Text, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("made_at", _INSTANT, nullable=False, server_default=func.now()),
)

endpoint_health = Table(
    "endpoint_health",
    metadata,
    Column("endpoint_id", Text, primary_key=True),
    Column("breaker", Text, nullable=False),
    Column("failure_count", Integer, nullable=False),
    Column("failing_since", _INSTANT),
    Column("next_probe_at", _INSTANT),
    Column("rate_per_minute", Integer),
    Column("in_flight_cap", SmallInteger, nullable=False),
    Column("last_success_at", _INSTANT),
    Column("last_failure", Text, nullable=False),
    Column("seen_at", _INSTANT, nullable=False),
)

facts = Table(
    "facts",
    metadata,
    Column("fact_id", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("concern_id", Text),
    Column("at", _INSTANT, nullable=False),
    Column("service", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("event", LargeBinary, nullable=False),
    Column("received_at", _INSTANT, nullable=False, server_default=func.now()),
    schema="audit",
)
Index("facts_of_concern", facts.c.concern_id, facts.c.at)
