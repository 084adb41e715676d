"""What was told is taken back: when an agreement ends early, when a concern is amended, when it is recalled."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain.errors import Recalled
from services.router.domain.model import Concern, DecisionKey, Recall
from services.router.domain.rounds import Act, Person
from services.router.domain.undoing import NoticeNews, Stays, TakeBack, ToldNotice, standing_of
from services.router.usecases import (
    Desk,
    Stands,
    choose_bodies,
    hear_of_notices,
    route_concerns,
    withdraw_ended,
)
from shared.agreements import Decision
from shared.contracts.notice import Notice
from shared.records import Batch, Span
from tests.rules import small
from tests.support.clock import NOON, FrozenClock
from tests.support.router_fakes import InMemoryRouter, a_concern, graph_objects, judge_of, judging, replica_of

SPAN = Span("router", "concordat.outcomes.v1", 3, 0, 9)
RECEIVED = datetime(2025, 3, 3, 10, tzinfo=UTC)
WIDE = (small.pact(small.clause(to=["beta", "gamma"])), small.org("gamma", small.remit()))


class Case:
    """A router on the small graph, moved on by concerns and commits."""

    def __init__(self, *objects: Any) -> None:
        self.store, self.clock, self.current = InMemoryRouter(), FrozenClock(), judging(*objects)
        self.version = 1

    async def route(self, *events: Concern | Recall) -> None:
        batch = Batch(tuple(events), ())
        await route_concerns(batch, current=self.current, ledger=self.store, clock=self.clock)

    async def commit(self, *objects: Any) -> int:
        """How many notices were taken back."""
        self.version += 1
        self.current.swap(judge_of(replica_of(graph_objects(*objects), self.version)))
        return await self.look()

    async def look(self) -> int:
        return await withdraw_ended(self.desk)

    async def hear(self, **news: Any) -> None:
        told = self.told[0]
        said = NoticeNews(told.notice_id, told.concern_id, told.version, told.recipient, NOON, **news)
        await hear_of_notices(Batch((said,), (SPAN,)), begin=self.store.begin)

    @property
    def desk(self) -> Desk:
        return Desk(self.current, self.store.begin, self.clock)

    @property
    def told(self) -> list[Notice]:
        return [event.data for event in self.store.state.issued if event.data.kind == "tell"]

    def undone(self, kind: str = "withdrawal") -> list[tuple[int, str, str]]:
        notices = (event.data for event in self.store.state.issued if event.data.kind == kind)
        return [(notice.version, notice.recipient, notice.reason) for notice in notices]


def ended(day: str) -> Any:
    return small.pact(terminated=day)


async def test_a_commit_that_ends_a_telling_clause_takes_back_what_is_not_yet_delivered() -> None:
    case = Case()
    await case.route(a_concern(1))
    assert await case.commit(ended("2025-03-01")) == 1
    assert case.undone() == [(1, "beta", "TERMINATED")]
    withdrawal = case.store.state.issued[-1].data
    assert (withdrawal.ref, withdrawal.pointer_only) == (case.told[0].notice_id, True)
    assert (withdrawal.graph_version, case.store.state.facts[-1].body["of"]) == (2, case.told[0].notice_id)
    assert await case.look() == 0


@pytest.mark.parametrize("settled", ["told", "ended"])
async def test_what_a_body_has_or_will_never_have_is_not_taken_back_by_a_commit(settled: Any) -> None:
    case = Case()
    await case.route(a_concern(1))
    await case.hear(settled=settled)
    assert await case.commit(ended("2025-03-01")) == 0
    assert case.undone() == []


async def test_what_another_clause_still_tells_stays() -> None:
    other = small.pact(small.clause(id="c2"), id="other", lineage="other")
    case = Case(other)
    await case.route(a_concern(1))
    assert await case.commit(other, ended("2025-03-01")) == 0


async def test_notices_of_concerns_that_are_not_kept_are_looked_at_once_and_left() -> None:
    case = Case()
    await case.route(*(a_concern(n) for n in range(1, 103)))
    case.store.state.concerns.clear()
    case.store.state.decisions.clear()
    async with asyncio.timeout(5):
        assert await case.commit(ended("2025-03-01")) == 0


async def test_an_end_that_lies_ahead_takes_effect_on_its_day() -> None:
    case = Case()
    await case.route(a_concern(1))
    assert await case.commit(ended("2025-03-05")) == 0
    case.clock.move(timedelta(days=1))
    assert await case.look() == 0
    case.clock.move(timedelta(days=1))
    assert await case.look() == 1
    assert case.undone() == [(1, "beta", "EXPIRED")]


async def test_a_graph_that_leaves_the_body_to_a_person_takes_nothing_back() -> None:
    case = Case()
    await case.route(a_concern(1))
    gone = small.org("beta", small.remit(), exists=small.during(None, "2020-01-01"))
    halves = [small.follows("beta", name, "split", functions=["hygiene"]) for name in ("gamma", "delta")]
    assert await case.commit(small.org("delta"), *halves) == 0
    assert await case.commit(gone, small.org("delta"), *halves) == 1


@given(st.integers(0, 400), st.integers(-400, 400))
def test_a_historic_concern_ages_from_its_acceptance(age_days: int, left_days: int) -> None:
    day = (RECEIVED + timedelta(days=max(left_days, -60) + 61)).date()
    concern = a_concern(1, received_at="2025-03-03T10:00:00Z")
    decision = judge_of(replica_of(graph_objects(small.pact(in_force=small.during(None, day.isoformat()))))).choose(
        concern, {}
    )
    outcome = decision.decision.of("beta")
    told = ToldNotice("ntc_1", "con_1", 1, "beta")
    now = concern.accepted_at + timedelta(days=age_days)
    found = standing_of(told, concern, decision.decision, now)
    assert outcome.valid_until is not None
    over = outcome.valid_until - concern.received_at <= timedelta(days=age_days)
    assert found == (TakeBack("EXPIRED") if over else Stays(concern.accepted_at + (outcome.valid_until - RECEIVED)))


def test_a_body_that_the_newest_graph_does_not_know_may_not_be_told() -> None:
    told = ToldNotice("ntc_1", "con_1", 1, "nobody")
    assert standing_of(told, a_concern(1), Decision("alpha", ()), NOON) == TakeBack("NO_PATH")


async def test_an_amended_concern_is_decided_anew_and_who_may_no_longer_know_is_told_of_the_withdrawal_only() -> None:
    case = Case(*WIDE, small.org("gamma", small.remit("harm"), small.remit("theft")), small.org("beta", small.remit()))
    await case.route(a_concern(1))
    await case.hear(settled="told")
    await case.route(a_concern(1, version=2, purposes=["law"]))
    assert sorted(case.undone()) == [(1, "beta", "PURPOSE_NOT_COVERED"), (1, "gamma", "PURPOSE_NOT_COVERED")]
    assert {notice.version for notice in case.told} == {1}
    assert {item.key.version for item in case.store.state.items.values() if item.resolution is None} <= {2}


async def test_who_may_still_know_is_told_the_new_version_and_nothing_is_withdrawn() -> None:
    case = Case()
    await case.route(a_concern(1), a_concern(1, version=2, topics=["fire"]))
    assert [(notice.version, notice.recipient) for notice in case.told] == [(1, "beta"), (2, "beta")]
    assert case.undone() == []


async def test_the_same_version_again_changes_nothing() -> None:
    case = Case()
    second = a_concern(1, version=2, purposes=["law"])
    await case.route(a_concern(1), second)
    before = len(case.store.state.issued), len(case.store.state.decisions)
    await case.route(second)
    assert (len(case.store.state.issued), len(case.store.state.decisions)) == before
    assert case.store.state.offered_again == [DecisionKey("con_1", 2)]


async def test_a_version_that_is_held_withdraws_nothing_until_it_is_decided() -> None:
    case = Case()
    await case.route(a_concern(1), a_concern(1, version=2, nation="atlantis"))
    assert case.undone() == []


async def test_a_chosen_body_hears_of_the_next_version_too_as_long_as_it_may() -> None:
    case = Case()
    await case.route(a_concern(1, categories=["theft"]))
    act = Act("choice", Person("a", "alpha", "Sam"), "theirs", ("beta",), "r1", {"beta": "full"})
    await choose_bodies("con_1", act, asker=None, desk=case.desk)
    await case.route(a_concern(1, version=2, categories=["theft"], topics=["fire"]))
    assert [(n.version, n.recipient, n.reason) for n in case.told] == [(1, "beta", "CHOSEN"), (2, "beta", "CHOSEN")]
    await case.route(a_concern(1, version=3, categories=["theft"], purposes=["law"]))
    assert case.undone() == [(1, "beta", "PURPOSE_NOT_COVERED"), (2, "beta", "PURPOSE_NOT_COVERED")]


async def test_a_recall_reaches_everyone_who_was_told_of_any_version_and_of_what_came_of_it() -> None:
    case = Case()
    await case.route(a_concern(1), a_concern(2), a_concern(3))
    await case.hear(settled="told")
    await case.route(Recall("con_1", "wrong-person", ("con_2",)))
    assert {event.data.concern_id for event in case.store.state.issued if event.data.kind == "recall"} == {
        "con_1", "con_2"
    }  # fmt: skip
    before = len(case.store.state.issued)
    await case.route(Recall("con_1", "wrong-person", ("con_2",)))
    assert len(case.store.state.issued) == before


async def test_intake_hears_of_a_recall_whoever_was_told_and_each_time_that_it_says_so() -> None:
    case = Case()
    await case.route(a_concern(1), a_concern(2, categories=["theft"]))
    for _ in range(2):
        await case.route(Recall("con_1", "wrong-person"), Recall("con_2", "wrong-person"))
    said = [(one.data.concern_id, one.data.kind, len(one.data.notices)) for one in case.store.state.undone]
    assert said == [("con_1", "recall", 1), ("con_2", "recall", 0), ("con_1", "recall", 0), ("con_2", "recall", 0)]
    assert case.store.state.undone[1].id == case.store.state.undone[3].id
    (row,) = case.store.state.undone[0].data.notices
    assert (row.org, row.of, row.version) == ("beta", case.told[0].notice_id, 1)


async def test_intake_hears_of_each_withdrawal_once() -> None:
    case = Case()
    await case.route(a_concern(1))
    await case.commit(ended("2025-03-01"))
    await case.look()
    (said,) = case.store.state.undone
    assert (said.data.kind, [row.reason for row in said.data.notices]) == ("withdrawal", ["TERMINATED"])
    assert said.data.notices[0].notice_id == case.store.state.issued[-1].id


async def test_nobody_is_told_of_a_recalled_concern_any_more() -> None:
    case = Case()
    await case.route(a_concern(1, categories=["theft"]), Recall("con_1", "wrong-person"))
    assert {item.resolution for item in case.store.state.items.values()} == {"superseded"}
    act = Act("choice", Person("a", "alpha", "Sam"), "theirs", ("beta",), "r1", {"beta": "full"})
    with pytest.raises(Recalled):
        await choose_bodies("con_1", act, asker=None, desk=case.desk)
    assert case.told == []


async def test_a_round_on_an_amended_concern_withdraws_from_who_may_no_longer_know() -> None:
    case = Case()
    await case.route(a_concern(1), a_concern(1, version=2, categories=["theft"]))
    assert case.undone() == []
    await case.commit(small.pact(small.clause(to=["gamma"], when={"categories": ["theft"]})), small.org("gamma"))
    act = Act("choice", Person("a", "alpha", "Sam"), "theirs", ("gamma",), "r1", {"gamma": "full"})
    assert isinstance(await choose_bodies("con_1", act, asker=None, desk=case.desk), Stands)
    assert [(version, org) for version, org, _ in case.undone()] == [(1, "beta")]


async def test_a_notice_that_the_notifier_has_is_closed() -> None:
    case = Case()
    await case.route(a_concern(1))
    await case.hear()
    assert case.store.state.closed == {case.told[0].notice_id}
    assert (case.store.state.settled, case.store.state.spans) == ({}, [SPAN])


@pytest.mark.parametrize(
    ("suggested", "kind", "codes", "bodies"),
    [
        (None, "refused", ("REFUSED", "not-ours"), ("beta",)),
        ("gamma", "returned", ("RETURNED", "not-ours"), ("gamma",)),
    ],
)
async def test_what_comes_back_waits_for_a_person_once(suggested: Any, kind: Any, codes: Any, bodies: Any) -> None:
    case = Case()
    await case.route(a_concern(1))
    for _ in range(2):
        await case.hear(settled="told", refusal="not-ours", suggested=suggested)
    (item,) = [item for item in case.store.state.items.values() if item.kind == kind]
    assert (item.codes, item.bodies, item.ref) == (codes, bodies, case.told[0].notice_id)
    assert replace(item, owner="sam").state(NOON) == "open"
