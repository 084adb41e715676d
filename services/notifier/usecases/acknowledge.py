"""What recipients say of their notices: taken once, kept, told to the originator's side and to the router."""

from dataclasses import dataclass
from typing import Any

from services.notifier.domain.acknowledgement import Acknowledgement, Clash, Kept, Repeated, Taken, Word, take
from services.notifier.domain.errors import AcknowledgementClash, NothingThere
from services.notifier.domain.model import ISSUED_KINDS, NoticeState
from services.notifier.ports import Addressed, Begin, Ledger
from services.notifier.usecases.told import outcome_of
from shared.clock import Clock
from shared.contracts.audit import AuditFact
from shared.contracts.outcome import ACCEPTED, ACKNOWLEDGED, REFUSED, USED, OutcomeType
from shared.ids import derived_id

TYPES: dict[Word, OutcomeType] = {
    Word.RECEIVED: ACKNOWLEDGED,
    Word.ACCEPTED: ACCEPTED,
    Word.REFUSED: REFUSED,
    Word.OUTCOME: USED,
}


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who speaks: a client, and the organisation that it acts for."""

    client: str
    org: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The notice as it stands now; `repeated` when that was said before."""

    notice_id: str
    state: NoticeState
    repeated: bool


async def acknowledge_notice(
    notice_id: str, said: Acknowledgement, *, by: Speaker, clock: Clock, begin: Begin
) -> Acknowledged:
    """Take a recipient's word on its own notice. Raises NothingThere, AcknowledgementClash."""
    async with begin() as ledger:
        notice = await ledger.addressed(notice_id)
        if notice is None or notice.subject.recipient != by.org or notice.subject.kind not in ISSUED_KINDS:
            raise NothingThere
        match take(said, [kept.acknowledgement for kept in notice.said], state=notice.state):
            case Clash(because):
                raise AcknowledgementClash(because)
            case Repeated():
                return Acknowledged(notice_id, notice.state, repeated=True)
            case Taken(state):
                await _keep(notice, Kept(said, by.client, clock.now()), state, ledger)
                return Acknowledged(notice_id, state, repeated=False)


async def _keep(notice: Addressed, kept: Kept, state: NoticeState, ledger: Ledger) -> None:
    said = kept.acknowledgement
    codes = {"reason": said.reason, "suggested_body": said.suggested_body, "used_for": said.used_for}
    stated: dict[str, Any] = {name: code for name, code in codes.items() if code}
    named = (notice.notice_id, notice.subject)
    await ledger.acknowledge(notice.notice_id, kept, state)
    await ledger.publish([outcome_of(TYPES[said.word], named, at=kept.at, **stated)])
    await ledger.record([_fact(notice, kept, stated)])


def _fact(notice: Addressed, kept: Kept, stated: dict[str, str]) -> AuditFact:
    word = kept.acknowledgement.word.value
    return AuditFact(
        fact_id=derived_id("fct", "recipient-receipt", notice.notice_id, len(notice.said) + 1),
        kind="recipient-receipt",
        concern_id=notice.subject.concern_id,
        at=kept.at,
        service="notifier",
        actor=kept.actor,
        body={"notice_id": notice.notice_id, "recipient": notice.subject.recipient, "word": word, **stated},
    )
