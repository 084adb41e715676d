"""What silence causes: reminders, the second contact, the alarm, the alternate endpoint; each step once."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from services.notifier.domain import message
from services.notifier.domain.escalation import Escalation, Step, escalate, rests_on_a_guess
from services.notifier.domain.model import REMINDER, Entry, NoticeId, Subject
from services.notifier.domain.retry import GIVE_UP_AFTER
from services.notifier.ports import Begin
from services.notifier.usecases.told import outcome_of
from shared.clock import Clock
from shared.contracts.audit import AuditFact
from shared.contracts.envelope import rfc3339
from shared.contracts.outcome import ESCALATED, NoticeOutcome
from shared.ids import derived_id

ROWS_MAX = 200
REMINDING = (Step.REMINDER, Step.SECOND_CONTACT)


async def escalate_notices(*, clock: Clock, begin: Begin) -> Sequence[Escalation]:
    """Take every step that is due, in one transaction with what it says to others; gives what was looked at."""
    now = clock.now()
    async with begin() as ledger:
        looked_at = [escalate(silent, now=now) for silent in await ledger.silent(now=now, row_count_max=ROWS_MAX)]
        if not looked_at:
            return ()
        await ledger.escalated(looked_at, now=now)
        steps = [(one, step) for one in looked_at for step in one.steps]
        reminders = [_reminder(one, step, now) for one, step in steps if step in REMINDING]
        await ledger.register(reminders, leased=frozenset())
        await ledger.publish([_told(one, step, now) for one, step in steps])
        await ledger.record([_fact(one, step, now) for one, step in steps])
    return looked_at


def _told(escalation: Escalation, step: Step, now: datetime) -> NoticeOutcome:
    silent, by = escalation.silent, escalation.acknowledge_by
    stated: dict[str, Any] = {"due_at": by} if by else {}
    return outcome_of(ESCALATED, (silent.notice_id, silent.subject), at=now, step=step.value, **stated)


def _reminder(escalation: Escalation, step: Step, now: datetime) -> Entry:
    """A message of its own, to the alternate endpoint where the second contact is meant and there is one."""
    silent = escalation.silent
    about = silent.subject
    subject = Subject(about.concern_id, about.version, about.recipient, REMINDER, f"{silent.notice_id}/{step.value}")
    notice_id = NoticeId(derived_id("ntc", REMINDER, silent.notice_id, step.value))
    body = orjson.dumps(_words(escalation, step, notice_id, now))
    return Entry(
        notice_id=notice_id,
        decision_id="",
        subject=subject,
        lane=silent.lane,
        body=body,
        body_digest=hashlib.sha256(body).hexdigest(),
        registered_at=now,
        give_up_at=now + GIVE_UP_AFTER,
        valid_until=None,
        alternate=step is Step.SECOND_CONTACT and silent.alternate,
    )


def _words(escalation: Escalation, step: Step, notice_id: NoticeId, now: datetime) -> message.Json:
    silent, by = escalation.silent, escalation.acknowledge_by
    about = message.reference(silent.notice_id, silent.subject.concern_id, silent.subject.version)
    data = {
        "notice": about | {"kind": silent.subject.kind, "recipient": silent.subject.recipient},
        "step": step.value,
        "acknowledge_by": by and rfc3339(by),
        "provisional": rests_on_a_guess(by, silent.acknowledge_within),
        "acknowledge_at": f"/v1/notices/{silent.notice_id}/acknowledgements",
    }
    concern_id = silent.subject.concern_id
    return message.cloud_event(REMINDER, notice_id=notice_id, concern_id=concern_id, time=rfc3339(now), data=data)


def _fact(escalation: Escalation, step: Step, now: datetime) -> AuditFact:
    silent = escalation.silent
    return AuditFact(
        fact_id=derived_id("fct", "escalation", silent.notice_id, step.value),
        kind="escalation",
        concern_id=silent.subject.concern_id,
        at=now,
        service="notifier",
        actor="notifier",
        body={"notice_id": silent.notice_id, "recipient": silent.subject.recipient, "step": step.value},
    )
