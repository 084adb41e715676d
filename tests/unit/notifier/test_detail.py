"""The rest of a notice: only its recipient, only on a clause in force, each look recorded, no value in the record."""

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.adapters.keys import KeyedOpener
from services.notifier.adapters.law import NoLaw
from services.notifier.domain.detail import Allowed, Ground, closed, unfounded
from services.notifier.domain.errors import DetailRefused, LawUnavailable, NothingThere
from services.notifier.domain.model import NoticeState, Subject
from services.notifier.ports import Json, Law
from services.notifier.usecases import Asked, Sources, Speaker, give_detail, register_notices
from shared.contracts.audit import AuditFact
from shared.contracts.notice import NoticeIssued
from shared.records import Batch
from tests.support.clock import NOON, FrozenClock
from tests.support.notifier_fakes import SEALING, TOKENS, InMemoryStore, RoomyLanes, a_notice

OPENER = KeyedOpener(SEALING, TOKENS)
CLAUSE: Json = {"agreement": "mou-cqc-gmc", "clause": "c1", "signed_as": {"discloser": "cqc"}, "path": []}
BASIS = "mou-cqc-gmc/c1"
POINTER: dict[str, Any] = {
    "fields": {"header": "full", "narrative": "omit", "registrant": "omit"},
    "withheld": {"narrative": "field_policy_default", "registrant": "mou-cqc-gmc/c1"},
    "pointer_only": True,
}
NOW_MORE = Allowed(
    told=True,
    because=(CLAUSE,),
    fields={"header": "full", "narrative": "full", "registrant": "omit"},
    withheld={"registrant": "mou-cqc-gmc/c1"},
    onward="ask_originator",
    graph={"version": 7, "root": "ab"},
)
CANARIES = ("Something is wrong.", "A Doctor", "4012345")


@dataclass(slots=True)
class SaidLaw:
    """Answers as it was told to; remembers who asked. `meanwhile` happens while it is asked."""

    allows: Allowed = NOW_MORE
    asked: list[tuple[Subject, str]] = field(default_factory=list)
    meanwhile: list[NoticeIssued] = field(default_factory=list)
    house: "House | None" = None

    async def allowed(self, subject: Subject, *, authorization: str) -> Allowed:
        self.asked.append((subject, authorization))
        if self.house and self.meanwhile:
            await self.house.take(*self.meanwhile)
        return self.allows


@dataclass(slots=True)
class House:
    """A notifier in memory with a law."""

    store: InMemoryStore = field(default_factory=InMemoryStore)
    clock: FrozenClock = field(default_factory=FrozenClock)
    law: SaidLaw = field(default_factory=SaidLaw)

    async def take(self, *events: NoticeIssued) -> None:
        await register_notices(Batch(events, ()), opener=OPENER, clock=self.clock, lanes=RoomyLanes(), store=self.store)

    async def ask(self, event: NoticeIssued, basis: str = BASIS, *, org: str = "gmc", law: Law | None = None) -> Json:
        asked = Asked(Speaker("gmc-clerk", org), "Bearer of the clerk", basis)
        sources = Sources(law or self.law, OPENER)
        return await give_detail(event.data.notice_id, asked, sources=sources, clock=self.clock, begin=self.store.begin)

    async def refused(self, event: NoticeIssued, basis: str = BASIS) -> Ground:
        with pytest.raises(DetailRefused) as refused:
            await self.ask(event, basis)
        return refused.value.ground

    @property
    def looks(self) -> list[AuditFact]:
        return [fact for fact in self.store.facts if fact.kind == "access"]


def undoing(event: NoticeIssued, kind: str) -> NoticeIssued:
    return a_notice(
        "gmc", concern_id=event.data.concern_id, kind=kind, ref=event.data.notice_id, fields={"header": "full"}
    )


async def told(event: NoticeIssued) -> House:
    house = House()
    await house.take(event)
    return house


async def test_a_pointer_names_where_the_rest_is_and_what_is_given_is_what_the_law_of_now_allows() -> None:
    event = a_notice(**POINTER)
    house = await told(event)
    (row,) = house.store.rows.values()
    body = orjson.loads(row.entry.body)["data"]
    assert "summary" not in body["concern"]
    assert body["notice"]["detail"] == f"/v1/notices/{event.data.notice_id}/detail"
    given = await house.ask(event)
    assert given["concern"]["summary"] == "Something is wrong."
    assert given["concern"]["subjects"] == [{"kind": "registrant", "registers": ["gmc"]}]
    assert given["withheld"] == [{"class": "registrant", "reason": "mou-cqc-gmc/c1"}]
    assert (given["basis"], given["fields"]) == (BASIS, {"header": "full", "narrative": "full"})
    assert (given["onward"], given["graph"]) == ("ask_originator", {"version": 7, "root": "ab"})
    assert [row["cite"] for row in given["because"]] == [BASIS]


async def test_the_law_is_asked_about_this_notice_with_the_readers_own_token() -> None:
    event = a_notice(**POINTER)
    house = await told(event)
    await house.ask(event)
    ((subject, authorization),) = house.law.asked
    assert (subject.concern_id, subject.version, subject.recipient) == (event.data.concern_id, 1, "gmc")
    assert authorization == "Bearer of the clerk"


async def test_each_look_is_recorded_with_basis_reader_and_fields_and_without_a_value() -> None:
    event = a_notice(**POINTER)
    house = await told(event)
    await house.ask(event)
    await house.refused(event, "mou-cqc-gmc/c2")
    given, refused = house.looks
    assert (given.actor, given.concern_id) == ("gmc-clerk", event.data.concern_id)
    named = {"notice_id": event.data.notice_id, "version": 1, "recipient": "gmc"}
    assert given.body == {
        **named,
        "basis": BASIS,
        "verdict": "given",
        "fields": {"header": "full", "narrative": "full"},
        "withheld": {"registrant": "mou-cqc-gmc/c1"},
        "graph": {"version": 7, "root": "ab"},
    }
    assert refused.body == {**named, "basis": "mou-cqc-gmc/c2", "verdict": "refused", "ground": "other-clause"}
    assert not any(value in f"{given} {refused}" for value in CANARIES)
    assert given.fact_id != refused.fact_id


@pytest.mark.parametrize("kind", ["recall", "withdrawal"])
async def test_what_was_taken_back_is_not_given_and_nobody_asks_the_law(kind: str) -> None:
    event = a_notice(**POINTER)
    house = await told(event)
    await house.take(undoing(event, kind))
    assert await house.refused(event) is Ground.TAKEN_BACK
    assert house.law.asked == []


async def test_what_is_taken_back_while_the_law_is_asked_is_not_given() -> None:
    event = a_notice(**POINTER)
    house = await told(event)
    house.law.house, house.law.meanwhile = house, [undoing(event, "recall")]
    assert await house.refused(event) is Ground.TAKEN_BACK
    assert [fact.body["verdict"] for fact in house.looks] == ["refused"]


async def test_at_the_end_of_its_basis_nothing_more_is_given() -> None:
    event = a_notice(**POINTER, valid_until=NOON + timedelta(days=1))
    house = await told(event)
    house.clock.move(timedelta(days=30))
    assert await house.refused(event) is Ground.BASIS_ENDED


async def test_who_would_not_be_told_any_more_is_given_nothing() -> None:
    event = a_notice(**POINTER)
    house = await told(event)
    house.law.allows = Allowed(told=False)
    assert await house.refused(event) is Ground.NO_LONGER_TOLD


async def test_where_nothing_was_left_out_there_is_no_rest_and_nothing_is_kept_for_it() -> None:
    event = a_notice()
    house = await told(event)
    (row,) = house.store.rows.values()
    assert row.entry.rest is None
    assert "detail" not in orjson.loads(row.entry.body)["data"]["notice"]
    assert await house.refused(event) is Ground.NOTHING_LEFT_OUT


async def test_who_was_told_without_a_clause_can_state_none_and_nothing_is_kept_for_it() -> None:
    house = await told(a_notice(**POINTER, because=[], reason="EMERGENCY"))
    (row,) = house.store.rows.values()
    assert row.entry.rest is None


async def test_what_is_kept_for_it_stays_sealed() -> None:
    house = await told(a_notice(**POINTER))
    (row,) = house.store.rows.values()
    assert row.entry.rest is not None
    assert not any(value.encode() in row.entry.rest for value in CANARIES)


async def test_a_notice_of_another_body_or_of_another_kind_is_not_there() -> None:
    event = a_notice(**POINTER)
    house = await told(event)
    recall = undoing(event, "recall")
    await house.take(recall)
    for asked, org in ((event, "nmc"), (recall, "gmc"), (a_notice(), "gmc")):
        with pytest.raises(NothingThere):
            await house.ask(asked, org=org)
    assert house.looks == []


async def test_without_a_router_nothing_is_given() -> None:
    event = a_notice(**POINTER)
    house = await told(event)
    with pytest.raises(LawUnavailable):
        await house.ask(event, law=NoLaw())


@given(st.sampled_from(NoticeState), st.booleans(), st.booleans(), st.none() | st.integers(-5, 5), st.integers(-5, 5))
def test_nothing_is_open_that_was_taken_back_has_ended_or_left_nothing(
    state: NoticeState, taken_back: bool, keeps_rest: bool, until: int | None, at: int
) -> None:
    valid_until = None if until is None else NOON + timedelta(days=until)
    ground = closed(state, valid_until, taken_back=taken_back, keeps_rest=keeps_rest, now=NOON + timedelta(days=at))
    over = state in (NoticeState.CANCELLED, NoticeState.EXPIRED) or (until is not None and at >= until)
    assert (ground is None) == (keeps_rest and not taken_back and not over)


@given(st.sampled_from([BASIS, "mou-cqc-gmc/c2", "mou-cqc-gmc", "/", ""]), st.booleans())
def test_only_a_clause_that_tells_now_is_a_basis(basis: str, is_told: bool) -> None:
    ground = unfounded(basis, replace(NOW_MORE, told=is_told))
    assert (ground is None) == (is_told and basis == BASIS)
