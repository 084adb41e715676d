"""Suspending an endpoint, and saying so to its owner: in the inbox, and at the alternate endpoint if there is one."""

import hashlib
from collections.abc import Mapping
from datetime import datetime

import orjson

from services.notifier.domain import message
from services.notifier.domain.model import SUSPENSION, EndpointId, Entry, NoticeId, Subject
from services.notifier.domain.retry import GIVE_UP_AFTER
from services.notifier.ports import Ledger
from shared.contracts.envelope import rfc3339
from shared.contracts.topics import lane_of
from shared.ids import derived_id


async def suspend_endpoints(reasons: Mapping[EndpointId, str], ledger: Ledger, *, at: datetime) -> Mapping[str, str]:
    """Suspend active endpoints and tell their owners; gives the endpoints that were active, with their owners."""
    gone = await ledger.suspend(reasons, at=at)
    entries = [_message(endpoint_id, org, reasons[endpoint_id], at) for endpoint_id, org in gone.items()]
    await ledger.register(entries, leased=frozenset())
    return {str(endpoint_id): org for endpoint_id, org in gone.items()}


def _message(endpoint_id: EndpointId, org: str, reason: str, at: datetime) -> Entry:
    ref = f"{endpoint_id}/{rfc3339(at)}"
    notice_id = NoticeId(derived_id("ntc", SUSPENSION, ref))
    data = {"endpoint_id": endpoint_id, "reason": reason, "resume_at": f"/v1/endpoints/{endpoint_id}/resume"}
    event = message.cloud_event(SUSPENSION, notice_id=notice_id, concern_id=endpoint_id, time=rfc3339(at), data=data)
    body = orjson.dumps(event)
    return Entry(
        notice_id=notice_id,
        decision_id="",
        subject=Subject("", 0, org, SUSPENSION, ref),
        lane=lane_of(org),
        body=body,
        body_digest=hashlib.sha256(body).hexdigest(),
        registered_at=at,
        give_up_at=at + GIVE_UP_AFTER,
        valid_until=None,
        alternate=True,
    )
