"""The statements of the ledger. All writers but the owner of a lease skip locked rows, so none can deadlock."""

from sqlalchemy import TextClause, text

from shared.db.outbox_sql import filled
from shared.db.positions import moved
from shared.db.writer import Statement

SCHEMA = "notifier"

_LEASE = "now() + make_interval(secs => :seconds)"
_UNLEASED = "(n.lease_until IS NULL OR n.lease_until < now())"
_LEASED = """n.notice_id, n.concern_id, n.version, n.recipient, n.kind, n.ref, n.body, n.body_digest, n.attempt_count,
    n.fencing, n.give_up_at, n.valid_until, coalesce(n.message_id, n.notice_id) AS message_id, n.acknowledge_within,
    n.retry_seconds, n.alternate"""
_RECORDED = "n.notice_id, n.concern_id, n.version, n.recipient, n.kind, n.ref, n.outcome"


def rows_of(alias: str, **columns: str) -> str:
    """`unnest` of array parameters as a table with these columns and types."""
    arrays = ", ".join(f"CAST(:{name} AS {kind}[])" for name, kind in columns.items())
    return f"unnest({arrays}) AS {alias}({', '.join(columns)})"


SUBJECT = {"concern_id": "text", "version": "int", "recipient": "text", "kind": "text", "ref": "text"}

_REGISTER = f"""INSERT INTO notifier.notices (notice_id, decision_id, concern_id, version, recipient, kind, ref, lane,
        body, body_digest, next_attempt_at, lease_until, fencing, registered_at, give_up_at, valid_until, alternate,
        acknowledge_within, escalate_at, retry_seconds, rest, outcome)
    SELECT notice_id, decision_id, concern_id, version, recipient, kind, ref, lane, body, body_digest, registered_at,
        CASE WHEN leased THEN {_LEASE} END, CAST(leased AS int), registered_at, give_up_at, valid_until, alternate,
        acknowledge_within, escalate_at, CAST(string_to_array(retry_seconds, ' ') AS int[]), rest,
        CASE WHEN NOT issued THEN CAST('' AS bytea) END
    FROM {
    rows_of(
        "r",
        notice_id="text",
        decision_id="text",
        lane="smallint",
        body="bytea",
        body_digest="text",
        leased="bool",
        registered_at="timestamptz",
        give_up_at="timestamptz",
        valid_until="timestamptz",
        alternate="bool",
        acknowledge_within="text",
        escalate_at="timestamptz",
        retry_seconds="text",
        rest="bytea",
        issued="bool",
        **SUBJECT,
    )
}
    ORDER BY notice_id ON CONFLICT DO NOTHING RETURNING notice_id"""  # noqa: S608 - constants only, here and below

REGISTER: TextClause = text(_REGISTER)
REGISTER_ALONE = Statement.of(
    f"WITH {moved(SCHEMA)}, registered AS ({_REGISTER}) SELECT ARRAY(SELECT notice_id FROM registered) AS notice_ids, "  # noqa: S608
    f"{SCHEMA}.all_moved((SELECT count(*) FROM moved), cardinality(:span_topics))"
)

RECORDED: TextClause = text(
    f"SELECT {_RECORDED} FROM notifier.notices n JOIN {rows_of('r', **SUBJECT)} "  # noqa: S608
    "USING (concern_id, version, recipient, kind, ref)"
)


# Before it, of the same concern, for the same recipient; what came at once goes by version, then as it was meant.
_PLACE = """({0}.registered_at, {0}.version,
    coalesce(array_position(ARRAY['tell', 'invitation', 'withdrawal', 'recall'], {0}.kind), 9), {0}.notice_id)"""
_EARLIER = f"""EXISTS (SELECT 1 FROM notifier.notices e WHERE e.concern_id = n.concern_id
    AND e.recipient = n.recipient AND e.state = 'pending' AND {_PLACE.format("e")} < {_PLACE.format("n")})"""  # noqa: S608


COPY: TextClause = text("SELECT body FROM notifier.encrypted_copies WHERE message_id = :message_id AND kid = :kid")
KEEP_COPY: TextClause = text(
    """INSERT INTO notifier.encrypted_copies (message_id, kid, body) VALUES (:message_id, :kid, :body)
    ON CONFLICT DO NOTHING"""
)


def _due(attempts: str, limit: str) -> str:
    return f"""(SELECT n.notice_id, n.attempt_count, n.next_attempt_at FROM notifier.notices n
        WHERE n.recipient = f.recipient AND n.alternate = f.alternate AND n.state = 'pending'
          AND n.attempt_count {attempts} AND n.next_attempt_at <= :now AND {_UNLEASED}
          AND n.notice_id <> ALL(CAST(:held AS text[])) AND (NOT f.in_order OR NOT {_EARLIER})
        ORDER BY n.next_attempt_at LIMIT {limit})"""  # noqa: S608


# Whatever the planner believes of how many wait (none, as a rule, until an endpoint is away), what is due is looked for
# once and taken by its key: nothing here may be joined to all that waits. The state is asked of the locked row.
# A quarter of the slots is kept for old failures, so that a stream of first attempts never starves them.
CLAIM: TextClause = text(
    f"""WITH due AS MATERIALIZED (
        SELECT d.notice_id FROM (
            SELECT r.*, EXISTS (SELECT 1 FROM notifier.endpoints o WHERE o.org = r.recipient
                AND o.alternate = r.alternate AND o.in_order AND o.state <> 'removed') AS in_order
            FROM {rows_of("r", recipient="text", slots="int", alternate="bool")}
        ) f
        CROSS JOIN LATERAL (
            SELECT u.notice_id FROM ({_due("= 0", "f.slots - f.slots / 4")} UNION ALL {_due("> 0", "f.slots")}) u
            ORDER BY u.attempt_count > 0, u.next_attempt_at LIMIT f.slots
        ) d
    ), mine AS (
        SELECT n.notice_id, n.state FROM notifier.notices n
        WHERE n.notice_id = ANY(ARRAY(SELECT notice_id FROM due)) AND {_UNLEASED} FOR UPDATE SKIP LOCKED
    )
    UPDATE notifier.notices n SET lease_until = {_LEASE}, fencing = n.fencing + 1
    FROM mine WHERE n.notice_id = mine.notice_id AND mine.state = 'pending' RETURNING {_LEASED}"""  # noqa: S608
)

CLAIM_ENDED: TextClause = text(
    f"""WITH mine AS (
        SELECT n.notice_id FROM notifier.notices n
        WHERE n.state = 'pending' AND (n.give_up_at <= :now OR n.valid_until <= :now) AND {_UNLEASED}
        LIMIT :row_count_max FOR UPDATE SKIP LOCKED
    )
    UPDATE notifier.notices n SET lease_until = {_LEASE}, fencing = n.fencing + 1
    FROM mine WHERE n.notice_id = mine.notice_id RETURNING {_LEASED}"""  # noqa: S608
)

RENEW: TextClause = text(
    f"""WITH mine AS (
        SELECT n.notice_id, n.state, n.fencing FROM notifier.notices n
        WHERE n.notice_id = ANY(CAST(:ids AS text[])) AND n.lease_until IS NOT NULL FOR UPDATE SKIP LOCKED
    )
    UPDATE notifier.notices n SET lease_until = {_LEASE}
    FROM mine JOIN unnest(CAST(:ids AS text[]), CAST(:fencing AS int[])) AS h(notice_id, fencing)
        USING (notice_id, fencing)
    WHERE n.notice_id = mine.notice_id AND mine.state = 'pending' RETURNING n.notice_id"""  # noqa: S608
)

# What a person said while a delivery was under way stands; the delivery is written down beside it. A notice that was
# cancelled while it was under way, and arrived, was delivered.
_OPEN = "(n.state = 'pending' OR (n.state = 'cancelled' AND r.state = 'delivered'))"

# A fencing token, and a place in a list, are above nothing and below everything: the planner takes that for rare, so it
# asks for each row by its key, whatever it believes of the table. One that expects many joins each to each, or walks.
_SETTLE = f"""r AS (
        SELECT * FROM {
    rows_of(
        "r",
        notice_id="text",
        fencing="int",
        state="text",
        due_at="timestamptz",
        closed_at="timestamptz",
        acknowledge_by="timestamptz",
        escalate_at="timestamptz",
        reason="text",
        outcome="bytea",
        attempt_no="smallint",
        endpoint_id="text",
        at="timestamptz",
        duration_ms="int",
        status="smallint",
        error="text",
        answer="bytea",
    )
}
    ), settled AS (
        UPDATE notifier.notices n SET lease_until = NULL, attempt_count = coalesce(r.attempt_no, n.attempt_count),
            state = CASE WHEN {_OPEN} THEN r.state ELSE n.state END,
            reason = CASE WHEN {_OPEN} THEN r.reason ELSE n.reason END,
            closed_at = CASE WHEN {_OPEN} THEN r.closed_at ELSE n.closed_at END,
            outcome = CASE WHEN {_OPEN} THEN coalesce(r.outcome, n.outcome) ELSE n.outcome END,
            acknowledge_by = CASE WHEN {_OPEN} THEN coalesce(r.acknowledge_by, n.acknowledge_by)
                ELSE n.acknowledge_by END,
            escalate_at = CASE WHEN {_OPEN} AND r.state <> 'pending' THEN r.escalate_at ELSE n.escalate_at END,
            next_attempt_at = coalesce(r.due_at, n.next_attempt_at)
        FROM r WHERE n.notice_id = r.notice_id AND n.fencing = r.fencing AND n.lease_until IS NOT NULL
            AND r.fencing > 0 AND r.fencing < 2147483647
        RETURNING n.notice_id, r.attempt_no, r.endpoint_id, r.at, r.duration_ms, r.status, r.error, r.answer
    ), logged AS (
        INSERT INTO notifier.attempts (notice_id, attempt_no, endpoint_id, at, duration_ms, status, error, answer)
        SELECT notice_id, attempt_no, endpoint_id, at, duration_ms, status, error, answer
        FROM settled WHERE attempt_no IS NOT NULL ON CONFLICT DO NOTHING
    )
"""  # noqa: S608

SETTLE: TextClause = text(f"WITH {_SETTLE} SELECT notice_id FROM settled")  # noqa: S608
SETTLE_ALONE = Statement.of(
    filled(
        f"""WITH {_SETTLE}, said AS (
        INSERT INTO notifier.outbox (event_id, topic, partition, key, value)
        SELECT event_id, topic, partition, key, value
        FROM {
            rows_of(
                "o", of_notice="text", event_id="text", topic="text", partition="smallint", key="text", value="bytea"
            )
        } JOIN settled ON settled.notice_id = o.of_notice ON CONFLICT (event_id) DO NOTHING
        RETURNING event_id, closes_with, created_at
    ), TO_DO
    SELECT notice_id FROM settled""",  # noqa: S608
        SCHEMA,
    )
)

UNTOLD: TextClause = text(
    f"""SELECT {_RECORDED} FROM notifier.notices n WHERE n.outcome IS NULL AND n.registered_at <= :before
    ORDER BY n.registered_at LIMIT :row_count_max FOR UPDATE SKIP LOCKED"""  # noqa: S608
)

# Said in a way that no index answers: a plan that begins with all of which nothing was said walks them.
NOTE_OUTCOMES: TextClause = text(
    """UPDATE notifier.notices n SET outcome = o.outcome
    FROM unnest(CAST(:ids AS text[]), CAST(:outcomes AS bytea[])) WITH ORDINALITY AS o(notice_id, outcome, place)
    WHERE n.notice_id = o.notice_id AND coalesce(n.outcome IS NULL, false) AND o.place > 0 AND o.place < 2147483647"""
)

KEEP_FACTS: TextClause = text(
    f"""INSERT INTO audit.facts (fact_id, kind, concern_id, at, service, actor, event)
    SELECT fact_id, kind, concern_id, at, service, actor, event
    FROM {
        rows_of(
            "r",
            fact_id="text",
            kind="text",
            concern_id="text",
            at="timestamptz",
            service="text",
            actor="text",
            event="bytea",
        )
    }
    ORDER BY fact_id ON CONFLICT (fact_id) DO NOTHING"""  # noqa: S608
)

SUSPEND: TextClause = text(
    """UPDATE notifier.endpoints e SET state = 'suspended', reason = s.reason, changed_at = :at
    FROM unnest(CAST(:ids AS text[]), CAST(:reasons AS text[])) AS s(endpoint_id, reason)
    WHERE e.endpoint_id = s.endpoint_id AND e.state = 'active' RETURNING e.endpoint_id, e.org"""
)
