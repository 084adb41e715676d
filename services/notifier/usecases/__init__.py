"""The flows of the notifier, top to bottom: notices in, attempts out, what came of them; endpoints."""

from services.notifier.usecases.deliver import attempt_notice, claim_due, end_notices, renew_leases, settle_results
from services.notifier.usecases.endpoints import Registered, Wanted, change_endpoint, endpoint_of, register_endpoint
from services.notifier.usecases.register import Registration, confirm_registered, keep_facts, register_notices

__all__ = [
    "Registered",
    "Registration",
    "Wanted",
    "attempt_notice",
    "change_endpoint",
    "claim_due",
    "confirm_registered",
    "end_notices",
    "endpoint_of",
    "keep_facts",
    "register_endpoint",
    "register_notices",
    "renew_leases",
    "settle_results",
]
