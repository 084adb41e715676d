"""What recipients say and are owed, as statements: acknowledgements, silence, the inbox, withdrawals, replays."""

from sqlalchemy import TextClause, text

from services.notifier.adapters.statements import SUBJECT, rows_of

_SUBJECT = ", ".join(f"n.{name}" for name in SUBJECT)

ADDRESSED: TextClause = text(
    f"SELECT n.notice_id, {_SUBJECT}, n.state FROM notifier.notices n WHERE n.notice_id = :notice_id FOR UPDATE"  # noqa: S608 - constants only, here and below
)

REST: TextClause = text(
    f"""SELECT n.notice_id, {_SUBJECT}, n.state, n.valid_until, n.rest, EXISTS (
        SELECT 1 FROM notifier.notices u WHERE u.concern_id = n.concern_id AND u.version = n.version
            AND u.recipient = n.recipient AND u.kind IN ('recall', 'withdrawal') AND u.ref = n.notice_id
    ) AS taken_back
    FROM notifier.notices n WHERE n.notice_id = :notice_id"""  # noqa: S608
)

SAID: TextClause = text(
    """SELECT word, reason, suggested_body, used_for, actor, at FROM notifier.acknowledgements
    WHERE notice_id = :notice_id ORDER BY acknowledgement_no"""
)

KEEP: TextClause = text(
    """INSERT INTO notifier.acknowledgements
        (notice_id, acknowledgement_no, word, reason, suggested_body, used_for, actor, at)
    SELECT CAST(:notice_id AS text), count(*) + 1, :word, :reason, :suggested_body, :used_for, :actor, :at
    FROM notifier.acknowledgements WHERE notice_id = :notice_id"""
)

# A lease that is held stays: the delivery under way is still written down when it ends.
ACKNOWLEDGE: TextClause = text(
    """UPDATE notifier.notices SET state = :state, escalate_at = NULL, closed_at = coalesce(closed_at, :at),
        acknowledged_at = coalesce(acknowledged_at, :at) WHERE notice_id = :notice_id"""
)

SILENT: TextClause = text(
    f"""SELECT n.notice_id, {_SUBJECT}, n.lane, n.state, n.registered_at, n.acknowledge_within, n.escalated,
        CASE WHEN n.state = 'delivered' THEN coalesce(n.closed_at, n.registered_at) ELSE n.registered_at END AS since,
        EXISTS (SELECT 1 FROM notifier.endpoints e
            WHERE e.org = n.recipient AND e.state <> 'removed' AND NOT e.alternate) AS reachable,
        NOT n.alternate AND EXISTS (SELECT 1 FROM notifier.endpoints e
            WHERE e.org = n.recipient AND e.state = 'active' AND e.alternate) AS alternate
    FROM notifier.notices n WHERE n.escalate_at <= :now
    ORDER BY n.escalate_at LIMIT :row_count_max FOR UPDATE OF n SKIP LOCKED"""  # noqa: S608
)

ESCALATED: TextClause = text(
    f"""UPDATE notifier.notices n SET escalated = string_to_array(r.steps, ' '), escalate_at = r.again_at,
        acknowledge_by = coalesce(r.acknowledge_by, n.acknowledge_by), alternate = n.alternate OR r.moves,
        next_attempt_at = CASE WHEN r.moves THEN :now ELSE n.next_attempt_at END
    FROM {
        rows_of("r", notice_id="text", steps="text", again_at="timestamptz", acknowledge_by="timestamptz", moves="bool")
    } WHERE n.notice_id = r.notice_id"""  # noqa: S608
)

# A notice that stands in the inbox of a body without an endpoint is with it from its registration on. It is looked
# at next: its clock may not have been watched while there was an endpoint.
READ: TextClause = text(
    f"""WITH r AS (SELECT * FROM {rows_of("r", notice_id="text", acknowledge_by="timestamptz")}), mine AS (
        SELECT n.notice_id, n.state = 'pending' AND :delivered AS delivered, r.acknowledge_by
        FROM notifier.notices n JOIN r USING (notice_id)
        WHERE n.read_at IS NULL ORDER BY n.notice_id FOR UPDATE OF n
    )
    UPDATE notifier.notices n SET read_at = :now,
        state = CASE WHEN mine.delivered THEN 'delivered' ELSE n.state END,
        reason = CASE WHEN mine.delivered THEN '' ELSE n.reason END,
        closed_at = CASE WHEN mine.delivered THEN n.registered_at ELSE n.closed_at END,
        acknowledge_by = CASE WHEN mine.delivered THEN mine.acknowledge_by ELSE n.acknowledge_by END,
        escalate_at = CASE WHEN mine.delivered THEN :now ELSE n.escalate_at END
    FROM mine WHERE n.notice_id = mine.notice_id RETURNING n.notice_id, mine.delivered"""  # noqa: S608
)

_TOLD = "n.attempt_count > 0 OR n.lease_until IS NOT NULL OR n.read_at IS NOT NULL OR n.state IN (%s)" % ", ".join(  # noqa: UP031 - the text holds braces of no format
    f"'{state}'" for state in ("delivered", "acknowledged", "accepted", "refused", "used")
)

# What reached nobody in time still stands in the inbox, so it is cancelled like what is pending.
WITHDRAW: TextClause = text(
    f"""WITH s AS (SELECT * FROM {rows_of("r", **SUBJECT)}), earlier AS (
        SELECT n.notice_id, {_SUBJECT}, n.state, ({_TOLD}) AS told
        FROM notifier.notices n
        JOIN s ON (n.concern_id, n.version, n.recipient) = (s.concern_id, s.version, s.recipient)
        WHERE n.kind IN ('tell', 'invitation') ORDER BY n.notice_id FOR UPDATE OF n
    ), cancelled AS (
        UPDATE notifier.notices n SET state = 'cancelled', reason = 'withdrawn', closed_at = :now, escalate_at = NULL
        FROM earlier e WHERE n.notice_id = e.notice_id AND e.state IN ('pending', 'expired_undelivered')
        RETURNING n.notice_id, {_SUBJECT}, e.told
    ), moot AS (
        UPDATE notifier.notices n SET state = 'cancelled', reason = 'nothing to undo', closed_at = :now,
            escalate_at = NULL
        FROM s WHERE (n.concern_id, n.version, n.recipient, n.kind, n.ref)
            = (s.concern_id, s.version, s.recipient, s.kind, s.ref) AND n.state = 'pending' AND NOT EXISTS (
            SELECT 1 FROM earlier e WHERE e.told
              AND (e.concern_id, e.version, e.recipient) = (s.concern_id, s.version, s.recipient))
        RETURNING n.notice_id, {_SUBJECT}, false
    )
    SELECT * FROM cancelled UNION ALL SELECT * FROM moot"""  # noqa: S608
)

_COPIED = "decision_id, concern_id, version, recipient, lane, body, body_digest, valid_until"
_MAY_GO_AGAIN = """n.kind <> 'replay' AND n.state NOT IN ('cancelled', 'expired')
    AND (n.valid_until IS NULL OR n.valid_until > :now)"""

HASTEN_ONE: TextClause = text(
    """UPDATE notifier.notices SET next_attempt_at = :now WHERE notice_id = :notice_id AND state = 'pending'
    RETURNING notice_id"""
)


def _resend(new_id: str, ref: str, rows: str) -> str:
    return f"""INSERT INTO notifier.notices ({_COPIED}, notice_id, message_id, kind, ref, next_attempt_at,
        registered_at, give_up_at, outcome)
    SELECT {_COPIED}, {new_id}, coalesce(n.message_id, n.notice_id), 'replay', {ref}, :now, :now,
        CAST(:give_up_at AS timestamptz), CAST('' AS bytea) FROM {rows}"""  # noqa: S608


RESEND: TextClause = text(
    _resend(
        "CAST(:replay_id AS text)",
        "CAST(:replay_id AS text)",
        f"notifier.notices n WHERE n.notice_id = :notice_id AND {_MAY_GO_AGAIN} RETURNING notice_id",
    )
)

_OF_JOB = f"""n.recipient = :recipient AND n.registered_at >= :since AND n.registered_at < :until
    AND n.state <> 'pending' AND {_MAY_GO_AGAIN}"""

REPLAY_TOTAL: TextClause = text(f"SELECT count(*) FROM notifier.notices n WHERE {_OF_JOB}")  # noqa: S608

ADD_REPLAY: TextClause = text(
    """INSERT INTO notifier.replays (replay_id, recipient, since, until, rate_per_minute, state, total, place_at,
        next_at, created_by, created_at)
    VALUES (:replay_id, :recipient, :since, :until, :rate_per_minute, :state, :total, :since, :created_at, :created_by,
        :created_at)"""
)

DUE_REPLAYS: TextClause = text(
    """SELECT * FROM notifier.replays WHERE state = 'running' AND next_at <= :now
    ORDER BY next_at LIMIT :row_count_max FOR UPDATE SKIP LOCKED"""
)

ADVANCE_REPLAY: TextClause = text(
    f"""WITH n AS (
        SELECT n.* FROM notifier.notices n
        WHERE {_OF_JOB} AND (n.registered_at, n.notice_id) > (CAST(:place_at AS timestamptz), CAST(:place_id AS text))
        ORDER BY n.registered_at, n.notice_id LIMIT :count
    ), put AS ({_resend(":replay_id || '_' || n.notice_id", ":replay_id || '/' || n.notice_id", "n")}
        ON CONFLICT DO NOTHING
    )
    SELECT registered_at, notice_id, count(*) OVER () AS count FROM n
    ORDER BY registered_at DESC, notice_id DESC LIMIT 1"""  # noqa: S608
)

REPLAY_STANDS: TextClause = text(
    """UPDATE notifier.replays SET state = :state, sent = sent + :count, place_at = :place_at, place_id = :place_id,
        next_at = :next_at WHERE replay_id = :replay_id RETURNING *"""
)

CHANGE_REPLAY: TextClause = text(
    """UPDATE notifier.replays SET state = :state
    WHERE replay_id = :replay_id AND state IN ('running', 'paused')"""
)

HASTEN: TextClause = text(
    """WITH mine AS (
        SELECT n.notice_id FROM notifier.notices n
        WHERE n.recipient = :recipient AND n.alternate = :alternate AND n.state = 'pending' AND n.attempt_count > 0
          AND n.next_attempt_at > :now AND (n.lease_until IS NULL OR n.lease_until < now())
        ORDER BY n.next_attempt_at LIMIT :count FOR UPDATE SKIP LOCKED
    ), paced AS (SELECT notice_id, row_number() OVER () AS place FROM mine)
    UPDATE notifier.notices n
    SET next_attempt_at = least(n.next_attempt_at,
        CAST(:now AS timestamptz) + make_interval(secs => (paced.place - 1) / CAST(:per_second AS float)))
    FROM paced WHERE n.notice_id = paced.notice_id"""
)

KEEP_HEALTH: TextClause = text(
    f"""INSERT INTO notifier.endpoint_health (endpoint_id, breaker, failure_count, failing_since, next_probe_at,
        rate_per_minute, in_flight_cap, last_success_at, last_failure, seen_at)
    SELECT endpoint_id, breaker, failure_count, failing_since, next_probe_at, rate_per_minute, in_flight_cap,
        last_success_at, last_failure, :now
    FROM {
        rows_of(
            "r",
            endpoint_id="text",
            breaker="text",
            failure_count="int",
            failing_since="timestamptz",
            next_probe_at="timestamptz",
            rate_per_minute="int",
            in_flight_cap="smallint",
            last_success_at="timestamptz",
            last_failure="text",
        )
    }
    ORDER BY endpoint_id ON CONFLICT (endpoint_id) DO UPDATE SET breaker = excluded.breaker,
        failure_count = excluded.failure_count, next_probe_at = excluded.next_probe_at,
        rate_per_minute = excluded.rate_per_minute, in_flight_cap = excluded.in_flight_cap,
        failing_since = CASE WHEN excluded.failing_since IS NULL THEN NULL
            ELSE least(endpoint_health.failing_since, excluded.failing_since) END,
        last_success_at = greatest(endpoint_health.last_success_at, excluded.last_success_at),
        last_failure = coalesce(nullif(excluded.last_failure, ''), endpoint_health.last_failure),
        seen_at = excluded.seen_at
    RETURNING endpoint_id, failing_since"""  # noqa: S608
)
