"""The rest of a notice: asked by its recipient on a stated basis, checked against the law of now, recorded, given."""

from dataclasses import dataclass

from services.notifier.domain import detail, message, redaction
from services.notifier.domain.detail import Allowed, Ground
from services.notifier.domain.errors import DetailRefused, NothingThere
from services.notifier.ports import Begin, Json, Law, Ledger, Opener, Rest
from services.notifier.usecases.acknowledge import Speaker
from shared.clock import Clock
from shared.contracts.audit import AuditFact
from shared.ids import new_id


@dataclass(frozen=True, slots=True, repr=False)
class Asked:
    """Who asks, with which token, and the clause on which it does: `agreement/clause`."""

    by: Speaker
    authorization: str
    basis: str


@dataclass(frozen=True, slots=True)
class Sources:
    """Where what is given comes from."""

    law: Law
    opener: Opener


async def give_detail(notice_id: str, asked: Asked, *, sources: Sources, clock: Clock, begin: Begin) -> Json:
    """What the law of now allows the recipient of a notice. What was asked is recorded, whatever came of it.

    Raises NothingThere, DetailRefused, LawUnavailable, NotOpened.
    """
    async with begin() as ledger:
        rest = await _of(notice_id, asked, ledger)
    allowed = Allowed(told=False)
    if _closed(rest, clock) is None:
        allowed = await sources.law.allowed(rest.subject, authorization=asked.authorization)
    async with begin() as ledger:
        rest = await _of(notice_id, asked, ledger)  # it may have been taken back meanwhile
        ground = _closed(rest, clock) or detail.unfounded(asked.basis, allowed)
        given = {} if ground else _given(rest, allowed, sources.opener)
        await ledger.record([_fact(rest, asked, given, ground, clock)])
    if ground:
        raise DetailRefused(ground)
    return {"basis": asked.basis, **given}


async def _of(notice_id: str, asked: Asked, ledger: Ledger) -> Rest:
    rest = await ledger.rest(notice_id)
    if rest is None or rest.subject.recipient != asked.by.org or rest.subject.kind != "tell":
        raise NothingThere
    return rest


def _closed(rest: Rest, clock: Clock) -> Ground | None:
    keeps = rest.concern is not None
    return detail.closed(rest.state, rest.valid_until, taken_back=rest.taken_back, keeps_rest=keeps, now=clock.now())


def _given(rest: Rest, allowed: Allowed, opener: Opener) -> Json:
    subject, concern = rest.subject, rest.concern or {}
    routing, terms = concern["routing"], redaction.Terms(allowed.fields or {})
    opened = opener.open(concern["sealed"], concern_id=subject.concern_id, version=subject.version)
    shown = redaction.redact(
        routing, opened, terms, lambda klass, value: opener.pseudonym(subject.recipient, klass, value)
    )
    found = redaction.left_out(routing, opened, terms)
    return {
        "notice": message.reference(rest.notice_id, subject.concern_id, subject.version),
        "concern": shown,
        "because": message.clauses(allowed.because),
        "fields": {klass: policy for klass, policy in terms.fields.items() if policy != redaction.OMIT},
        "withheld": message.withheld_in_words(allowed.withheld or {}, found),
        "onward": allowed.onward,
        "graph": allowed.graph,
    }


def _fact(rest: Rest, asked: Asked, given: Json, ground: Ground | None, clock: Clock) -> AuditFact:
    """Which classes were given and which were not; never what they hold."""
    named = {"notice_id": rest.notice_id, "version": rest.subject.version, "recipient": rest.subject.recipient}
    verdict = {"verdict": "refused", "ground": ground.value} if ground else {"verdict": "given"}
    classes = {name: given[name] for name in ("fields", "graph") if name in given}
    withheld = {row["class"]: row["reason"] for row in given.get("withheld", ())}
    return AuditFact(
        fact_id=new_id("fct"),
        kind="access",
        concern_id=rest.subject.concern_id,
        at=clock.now(),
        service="notifier",
        actor=asked.by.client,
        body={**named, "basis": asked.basis, **verdict, **classes, **({"withheld": withheld} if given else {})},
    )
