"""The inbox: every notice at once, for bodies that host no endpoint and for all who like to ask."""

from collections.abc import Sequence
from dataclasses import replace

from services.notifier.domain.escalation import deadline_of
from services.notifier.domain.model import ISSUED_KINDS, NoticeState
from services.notifier.ports import Begin, InboxPage, Records, Shown
from services.notifier.usecases.told import outcome_of
from shared.clock import Clock
from shared.contracts.audit import AuditFact
from shared.contracts.outcome import DELIVERED
from shared.ids import derived_id

TAKEN = "taken from the inbox"


async def read_inbox(page: InboxPage, *, clock: Clock, begin: Begin, records: Records) -> Sequence[Shown]:
    """The next notices of a recipient, noted as read: that is no acknowledgement, and stops no clock.

    For a body without an endpoint this is the delivery: its clock starts.
    """
    now = clock.now()
    shown = await records.inbox(page, now=now)
    fresh = [one for one in shown if one.read_at is None]
    if not fresh:
        return shown
    by_inbox = not await records.has_endpoint(page.recipient)
    async with begin() as ledger:
        delivered = await ledger.read(fresh, delivered=by_inbox, now=now)
        told = [one for one in fresh if one.notice_id in delivered and one.subject.kind in ISSUED_KINDS]
        await ledger.publish(
            [outcome_of(DELIVERED, (one.notice_id, one.subject), at=now, detail=TAKEN) for one in told]
        )
        await ledger.record([_fact(one) for one in told])
    return [_as_delivered(one) if one.notice_id in delivered else one for one in shown]


def _as_delivered(shown: Shown) -> Shown:
    by = shown.acknowledge_by or deadline_of(shown.registered_at, shown.acknowledge_within)
    return replace(shown, state=NoticeState.DELIVERED, acknowledge_by=by)


def _fact(shown: Shown) -> AuditFact:
    return AuditFact(
        fact_id=derived_id("fct", "inbox", shown.notice_id),
        kind="delivery-attempt",
        concern_id=shown.subject.concern_id,
        at=shown.registered_at,
        service="notifier",
        actor=shown.subject.recipient,
        body={"notice_id": shown.notice_id, "recipient": shown.subject.recipient, "verdict": "delivered", "by": TAKEN},
    )
