"""Later rounds: what opens one, what it tells, and what it leaves to people."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain.errors import RoundTaken
from services.router.domain.model import DecisionKey, Head, WorkItem
from services.router.domain.policy import CurrentJudge
from services.router.domain.rounds import Act, Opened, Person, hand_over
from services.router.domain.tokens import awaited_version, is_newer, token_of
from services.router.ports import Decided
from services.router.usecases import (
    Absent,
    Desk,
    Patience,
    Refused,
    Stands,
    choose_bodies,
    end_stale_holds,
    route_concerns,
)
from services.router.usecases.patience import REST_SECONDS
from shared.records import Batch, Span
from tests.rules import small
from tests.support.clock import NOON, FrozenClock
from tests.support.router_fakes import (
    InMemoryRouter,
    InMemoryTransaction,
    a_concern,
    graph_objects,
    judge_of,
    judging,
    replica_of,
)

SECOND = replica_of(graph_objects(small.org("delta")), 2)
SAM = Person("alpha-case", "alpha", "Sam")


def choice(*orgs: str, request: str = "r1", reason: str = "they regulate it") -> Act:
    return Act("choice", SAM, reason, orgs, request, dict.fromkeys(orgs, "full"))


async def routed(store: InMemoryRouter, current: CurrentJudge, **routing: Any) -> Desk:
    await route_concerns(Batch((a_concern(1, **routing),), ()), current=current, ledger=store, clock=FrozenClock())
    return Desk(current, store.begin, FrozenClock(NOON + timedelta(minutes=5)))


async def choose(desk: Desk, act: Act) -> Stands | Refused | Absent:
    return await choose_bodies("con_1", act, asker=act.by.org, desk=desk)


async def test_a_chosen_body_is_told_in_a_second_round_with_its_own_decision_and_fact() -> None:
    store = InMemoryRouter()
    desk = await routed(store, judging(), categories=["theft"])
    result = await choose(desk, choice("beta"))
    (notice,) = store.state.issued
    assert result == Stands(store.state.routed[1].id, 2, {"beta": notice.id})
    assert (notice.data.kind, notice.data.reason, notice.data.round) == ("tell", "CHOSEN", 2)
    assert [(t.org, t.notice_id) for t in store.state.routed[1].data.told] == [("beta", notice.id)]
    fact = store.state.facts[1]
    assert (fact.actor, fact.body["act"]["organisations"], fact.body["round"]) == ("alpha-case", ["beta"], 2)
    assert "they regulate it" not in fact.model_dump_json()


async def test_who_was_told_before_is_named_with_the_old_notice_and_not_told_again() -> None:
    store = InMemoryRouter()
    desk = await routed(store, judging(small.pact(small.clause(to=["beta", "gamma"]))))
    (first,) = store.state.issued
    assert isinstance(await choose(desk, choice("gamma")), Stands)
    assert [notice.data.recipient for notice in store.state.issued] == ["beta", "gamma"]
    told = {row.org: row.notice_id for row in store.state.routed[1].data.told}
    assert told["beta"] == first.id


async def test_the_same_choice_sent_again_opens_no_other_round() -> None:
    store = InMemoryRouter()
    desk = await routed(store, judging(), categories=["theft"])
    first, second = await choose(desk, choice("beta")), await choose(desk, choice("beta"))
    other = await choose(desk, choice("beta", request="r2", reason="in other words"))
    assert isinstance(first, Stands)
    assert second == other == replace(first, repeated=True)
    assert len(store.state.decisions) == 2


async def test_an_earlier_choice_stands_in_every_later_round() -> None:
    store = InMemoryRouter()
    both = (small.pact(small.clause(to=["beta", "gamma"])), small.org("gamma"))
    desk = await routed(store, judging(*both), categories=["theft"])
    await choose(desk, choice("beta"))
    await choose(desk, choice("gamma", request="r2"))
    third = store.state.routed[2].data
    assert [(row.org, row.reason) for row in third.told] == [("beta", "CHOSEN"), ("gamma", "CHOSEN")]
    assert [notice.data.recipient for notice in store.state.issued] == ["beta", "gamma"]


@pytest.mark.parametrize("org", ["gamma", "nobody", "alpha"])
async def test_an_originator_cannot_choose_what_is_not_available_and_nothing_changes(org: str) -> None:
    store = InMemoryRouter()
    desk = await routed(store, judging(), categories=["harm"])
    before = len(store.state.decisions), len(store.state.issued)
    result = await choose(desk, choice("beta", org))
    assert isinstance(result, Refused)
    assert result.reasons.keys() == {org}
    assert (len(store.state.decisions), len(store.state.issued)) == before


async def test_only_the_originator_chooses() -> None:
    store = InMemoryRouter()
    desk = await routed(store, judging(), categories=["theft"])
    stranger = replace(choice("beta"), by=Person("b", "beta", "Kim"))
    assert await choose(desk, stranger) == Absent()


async def test_a_gate_that_shut_meanwhile_stops_a_choice() -> None:
    store = InMemoryRouter()
    desk = await routed(store, judging(), categories=["theft"])
    ended = small.pact(in_force=small.during(None, "2025-01-01"))
    desk.current.swap(judge_of(replica_of(graph_objects(ended), 2)))
    assert isinstance(await choose(desk, choice("beta")), Refused)


class AlwaysTaken(InMemoryRouter):
    """A store in which somebody else opens each round just before."""

    @asynccontextmanager
    async def begin(self, spans: Sequence[Span] = ()) -> AsyncIterator[InMemoryTransaction]:
        async with super().begin(spans) as tx:
            yield TakenTransaction(tx.state)


class TakenTransaction(InMemoryTransaction):
    async def open_round(self, decided: Decided, opened: Opened, ended: Sequence[WorkItem]) -> bool:  # noqa: ARG002 - the port's
        return False


async def test_of_two_acts_at_once_one_opens_the_round_and_the_other_must_look_again() -> None:
    store = AlwaysTaken()
    desk = await routed(store, judging(), categories=["theft"])
    with pytest.raises(RoundTaken):
        await choose(desk, choice("beta"))
    assert len(store.state.decisions) == 1


async def test_the_machine_leaves_a_hold_that_somebody_else_has_ended() -> None:
    store, current = AlwaysTaken(), judging()
    desk = await routed(store, current, min_graph_token=token_of(SECOND.head))
    current.swap(judge_of(SECOND))
    assert await end_stale_holds(desk, store) == 0


async def test_a_concern_that_asks_for_a_newer_graph_is_held_and_decided_once_it_is_there() -> None:
    store, current = InMemoryRouter(), judging()
    desk = await routed(store, current, min_graph_token=token_of(SECOND.head))
    assert store.state.issued == []
    assert [(i.kind, i.codes) for i in store.state.items.values()] == [("held", ("HOLD_STALE_GRAPH",))]
    assert await end_stale_holds(desk, store) == 0
    current.swap(judge_of(SECOND))
    assert await end_stale_holds(desk, store) == 1
    (notice,) = store.state.issued
    assert (notice.data.round, notice.data.graph_version, notice.data.graph_root) == (2, 2, SECOND.head.root)
    assert store.state.opened[DecisionKey("con_1", 1, 2)].act.by.is_machine
    assert [i.resolution for i in store.state.items.values() if "HOLD_STALE_GRAPH" in i.codes] == ["graph-arrived"]
    assert await end_stale_holds(desk, store) == 0


async def test_a_concern_whose_graph_is_there_within_the_wait_is_decided_on_it_at_once() -> None:
    store, current = InMemoryRouter(), judging()
    patience = Patience(current, FrozenClock(), wait_seconds=10)
    batch = Batch((a_concern(1, min_graph_token=token_of(SECOND.head)), a_concern(2)), ())
    routing = asyncio.create_task(
        route_concerns(batch, current=current, ledger=store, clock=FrozenClock(), patience=patience)
    )
    await asyncio.sleep(0)
    current.swap(judge_of(SECOND))
    await routing
    assert {record.graph.version for record in store.state.decisions.values()} == {2}
    assert len(store.state.issued) == 2


async def test_after_a_wait_in_vain_the_others_of_the_partition_do_not_wait_again() -> None:
    clock, current = FrozenClock(), judging()
    patience = Patience(current, clock, wait_seconds=0.01)
    asking = [a_concern(1, min_graph_token="9.aaaaaaaa")]
    await patience.wait_for(asking)
    endless = Patience(current, clock, wait_seconds=3600)
    endless._resting_until = patience._resting_until
    async with asyncio.timeout(1):
        await endless.wait_for(asking)
    clock.move(timedelta(seconds=REST_SECONDS))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.01):
            await endless.wait_for(asking)


@pytest.mark.parametrize("token", [None, "", "x.y", "1.abcdefgh", 7])
async def test_nothing_is_waited_for_that_no_later_graph_could_bring(token: Any) -> None:
    async with asyncio.timeout(1):
        await Patience(judging(), FrozenClock(), wait_seconds=3600).wait_for([a_concern(1, min_graph_token=token)])


@given(st.integers(1, 10**17), st.integers(1, 10**17), st.text("0123456789abcdef", min_size=64, max_size=64))
def test_a_token_asks_for_its_own_graph_or_a_later_one(version: int, other: int, root: str) -> None:
    token = token_of(Head(version, root))
    assert awaited_version(token) == version
    assert is_newer(token, Head(other, root)) == (other < version)
    changed = ("0" if root[0] != "0" else "1") + root[1:]
    assert is_newer(token, Head(version, changed))


KEY = DecisionKey("con_1", 1)
ITEMS = st.builds(
    WorkItem,
    item_id=st.uuids().map(lambda name: f"wrk_{name.hex}"),
    kind=st.sampled_from(["unroutable", "held", "gap"]),
    key=st.just(KEY),
    codes=st.tuples(st.sampled_from(["A", "B"])),
    bodies=st.tuples(st.sampled_from(["x", "y"])),
    opened_at=st.just(NOON),
    owner=st.sampled_from(["", "sam"]),
)
QUEUE = st.lists(ITEMS, max_size=3, unique_by=lambda item: item.kind)


CAME_BACK = st.lists(
    st.builds(replace, ITEMS, kind=st.sampled_from(["refused", "returned", "correlation", "emergency"])), max_size=4
)


@given(QUEUE, QUEUE, CAME_BACK, st.integers(-1, 6))
def test_after_a_round_each_matter_waits_once_and_none_is_lost(
    before: list[WorkItem], fresh: list[WorkItem], others: list[WorkItem], at: int
) -> None:
    done = dict(enumerate([*before, *others])).get(at)
    handover = hand_over([*before, *others], fresh, done=done)
    standing = [item for item in [*before, *others] if item not in handover.ended]
    assert [item for item in standing if item in others] == [item for item in others if item != done]
    now = sorted((item.kind, item.codes, item.bodies) for item in [*standing, *handover.opened] if item not in others)
    left = [item for item in fresh if done is None or item.kind != done.kind]
    assert now == sorted((item.kind, item.codes, item.bodies) for item in left)
    owners = {item.kind: item.owner for item in before}
    assert all(item.owner == owners.get(item.kind, "") for item in handover.opened)
