"""The flows of the notifier, top to bottom: notices in, attempts out, what came of them; endpoints."""

from services.notifier.usecases.acknowledge import Acknowledged, Speaker, acknowledge_notice
from services.notifier.usecases.deliver import (
    Sent,
    attempt_notice,
    claim_due,
    end_notices,
    renew_leases,
    send_notice,
    settle_results,
)
from services.notifier.usecases.detail import Asked, Sources, give_detail
from services.notifier.usecases.endpoints import (
    Registered,
    Rules,
    Wanted,
    approve_endpoint,
    change_endpoint,
    encrypt_to,
    endpoint_of,
    published_keys,
    register_endpoint,
    rotate_keys,
    send_test,
    verify_endpoint,
)
from services.notifier.usecases.escalate import escalate_notices
from services.notifier.usecases.inbox import read_inbox
from services.notifier.usecases.register import Registration, confirm_registered, keep_facts, register_notices
from services.notifier.usecases.replays import (
    Stretch,
    advance_replays,
    change_replay,
    redeliver_notice,
    start_replay,
)
from services.notifier.usecases.watch import hasten_lane, keep_health

__all__ = [
    "Acknowledged",
    "Asked",
    "Registered",
    "Registration",
    "Rules",
    "Sent",
    "Sources",
    "Speaker",
    "Stretch",
    "Wanted",
    "acknowledge_notice",
    "advance_replays",
    "approve_endpoint",
    "attempt_notice",
    "change_endpoint",
    "change_replay",
    "claim_due",
    "confirm_registered",
    "encrypt_to",
    "end_notices",
    "endpoint_of",
    "escalate_notices",
    "give_detail",
    "hasten_lane",
    "keep_facts",
    "keep_health",
    "published_keys",
    "read_inbox",
    "redeliver_notice",
    "register_endpoint",
    "register_notices",
    "renew_leases",
    "rotate_keys",
    "send_notice",
    "send_test",
    "settle_results",
    "start_replay",
    "verify_endpoint",
]
