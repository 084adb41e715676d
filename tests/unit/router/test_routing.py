"""Concerns are decided once, told in the same transaction, and never lost."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.router.domain.errors import NoGraphYet
from services.router.domain.model import Concern, DecisionKey
from services.router.domain.policy import CLOCK_STEP, CLOCKS_APART, CurrentJudge
from services.router.domain.rounds import Person
from services.router.usecases import Desk, Done, Routed, route_concerns, route_item
from services.router.usecases.queues import Ask
from shared.agreements import decide, facts_of
from shared.agreements.reasons import HOLD_FAULT
from shared.canonical import canonical, digest
from shared.contracts.topics import lane_of
from shared.faults import PositionMoved
from shared.records import Batch, Span
from tests.rules import small
from tests.support.clock import NOON, FrozenClock
from tests.support.router_fakes import SEALED, InMemoryRouter, a_concern, judge_of, judging, replica_of
from tests.support.router_fakes import graph_objects as objects
from tests.support.router_state import State

SPAN = Span("router", "concordat.concerns.v1", 3, 0, 9)


async def route(router: InMemoryRouter, *concerns: Concern, current: CurrentJudge | None = None) -> tuple[Routed, ...]:
    batch = Batch(tuple(concerns), (SPAN,))
    return await route_concerns(batch, current=current or judging(), ledger=router, clock=FrozenClock())


async def routed(*concerns: Concern, current: CurrentJudge | None = None) -> State:
    router = InMemoryRouter()
    await route(router, *concerns, current=current)
    return router.state


async def test_a_told_body_gets_one_notice_on_its_own_lane() -> None:
    state = await routed(a_concern())
    (notice,) = state.issued
    assert (notice.data.recipient, notice.data.reason, notice.data.kind) == ("beta", "PERMITTED", "tell")
    assert notice.data.lane == lane_of("beta")
    assert notice.id == notice.data.notice_id == state.routed[0].data.told[0].notice_id
    assert notice.data.because[0].model_dump() == {
        "agreement": "pact",
        "clause": "c1",
        "signed_as": {"discloser": "alpha", "recipient": "beta"},
        "path": ["beta"],
    }


async def test_a_notice_carries_the_concern_unchanged_and_the_terms_of_its_clauses() -> None:
    concern = a_concern()
    (notice,) = (await routed(concern)).issued
    assert notice.data.routing == dict(concern.routing)
    assert notice.data.sealed.model_dump() == SEALED
    assert notice.data.accepted_at == concern.accepted_at != notice.time
    assert notice.data.fields == {"header": "full", "narrative": "full", "registrant": "generalise"}
    assert notice.data.onward == "free"
    assert notice.data.duties["limits"]["acknowledge"] == {"amount": 2, "unit": "working_days", "by": "policy"}
    assert notice.data.valid_until is None


async def test_a_notice_says_what_is_left_out_and_until_when_it_may_be_told() -> None:
    pact = small.pact(small.clause(fields={"registrant": "omit"}), in_force=small.during(None, "2025-07-01"))
    (notice,) = (await routed(a_concern(), current=judging(pact))).issued
    assert notice.data.withheld == {"registrant": "pact/c1"}
    assert notice.data.valid_until is not None
    assert notice.data.valid_until.isoformat() == "2025-06-30T23:00:00+00:00"


async def test_the_decision_event_names_graph_engine_and_totals() -> None:
    current = judging()
    (event,) = (await routed(a_concern(), current=current)).routed
    assert (event.data.graph_version, event.data.graph_root) == (1, current.head.root)
    assert sum(event.data.totals.values()) == 3
    assert (event.data.hold, event.data.unroutable, event.data.decided_at) == ([], False, NOON)


async def test_the_stored_bytes_are_the_total_decision_and_the_digest_covers_what_it_rests_on() -> None:
    concern, current = a_concern(), judging()
    (record,) = (await routed(concern, current=current)).decisions.values()
    snapshot = current.get().snapshot
    assert record.body == canonical(decide(snapshot, facts_of(concern.routing)).to_json())
    parts = [record.body, snapshot.root.encode(), concern.digest.encode(), record.engine.encode()]
    assert record.digest == digest(*parts)


async def test_the_audit_fact_holds_digests_and_ids_and_nothing_of_the_concern() -> None:
    state = await routed(a_concern(originator_ref="SECRET-REF"))
    (fact,) = state.facts
    (record,) = state.decisions.values()
    assert fact.body["digest"] == record.digest
    assert fact.body["notices"] == [state.issued[0].id]
    assert "SECRET-REF" not in fact.model_dump_json()


async def test_a_concern_that_reaches_nobody_goes_into_the_queue_with_whom_one_may_choose() -> None:
    state = await routed(a_concern(categories=["theft"]), current=judging(small.org("gamma")))
    (item,) = state.items.values()
    assert (item.kind, item.bodies, item.key) == ("unroutable", ("beta",), DecisionKey("con_1", 1))
    assert (state.routed[0].data.unroutable, state.issued) == (True, [])


async def test_the_same_batch_again_writes_nothing_and_tells_intake_again() -> None:
    router = InMemoryRouter()
    await route(router, a_concern(1), a_concern(2))
    before = router.state
    again = await route(router, a_concern(1), a_concern(2))
    after = router.state
    assert (after.decisions, after.issued, after.routed) == (before.decisions, before.issued, before.routed)
    assert (after.facts, after.items) == (before.facts, before.items)
    assert after.offered_again == [DecisionKey("con_1", 1), DecisionKey("con_2", 1)]
    assert [one.repeated for one in again] == [True, True]


async def test_the_stored_decision_wins_although_the_graph_has_changed() -> None:
    router = InMemoryRouter()
    await route(router, a_concern())
    before = router.state.decisions
    await route(router, a_concern(), current=judging(small.pact(small.clause(to=["gamma"]))))
    assert router.state.decisions == before
    assert [notice.data.recipient for notice in router.state.issued] == ["beta"]


async def test_the_same_concern_twice_in_one_batch_is_decided_once_and_told_again_to_intake() -> None:
    router = InMemoryRouter()
    first, second = await route(router, a_concern(), a_concern())
    assert (first.repeated, second.repeated) == (False, True)
    assert len(router.state.issued) == 1
    assert router.state.offered_again == [DecisionKey("con_1", 1)]


async def test_a_new_version_of_a_concern_is_decided_anew() -> None:
    state = await routed(a_concern(1), a_concern(1, version=2))
    assert [notice.data.version for notice in state.issued] == [1, 2]


async def test_a_concern_that_cannot_be_evaluated_is_held_and_its_neighbours_are_told() -> None:
    router = InMemoryRouter()
    result = await route(router, a_concern(1), a_concern(2, received_at="never"), a_concern(3))
    assert [notice.data.concern_id for notice in router.state.issued] == ["con_1", "con_3"]
    assert [one.fault for one in result] == [None, "ValueError", None]
    (item,) = router.state.items.values()
    assert (item.kind, item.codes, item.key.concern_id) == ("held", ("HOLD_FAULT",), "con_2")


def seen(state: State) -> dict[str, Any]:
    """What does not depend on fresh ids."""
    return {key.concern_id: (record.body, record.digest) for key, record in state.decisions.items()}


async def test_two_orders_of_concerns_give_the_same_decisions() -> None:
    concerns: Sequence[Concern] = [
        a_concern(1),
        a_concern(2, categories=["theft"]),
        a_concern(3, nation="wales"),
        a_concern(4, received_at="never"),
    ]
    assert seen(await routed(*concerns)) == seen(await routed(*reversed(concerns)))


async def test_one_batch_and_many_give_the_same_decisions() -> None:
    concerns = [a_concern(n, categories=["harm", "theft"][: 1 + n % 2]) for n in range(25)]
    router = InMemoryRouter()
    for concern in concerns:
        await route(router, concern)
    assert seen(router.state) == seen(await routed(*concerns))


async def test_without_a_graph_concerns_wait_and_no_position_moves() -> None:
    router = InMemoryRouter()
    with pytest.raises(NoGraphYet):
        await route(router, a_concern(), current=CurrentJudge())
    assert router.state == State()


async def test_a_batch_without_concerns_still_moves_on_even_without_a_graph() -> None:
    router = InMemoryRouter()
    assert await route(router, current=CurrentJudge()) == ()
    assert router.state.spans == [SPAN]


async def test_nothing_is_stored_when_another_router_has_the_partition() -> None:
    router = InMemoryRouter(moved=True)
    with pytest.raises(PositionMoved):
        await route(router, a_concern())
    assert router.state == State()


async def test_a_batch_keeps_the_judge_that_it_began_with() -> None:
    current = judging()
    router = InMemoryRouter()
    concerns = [a_concern(n) for n in range(60)]
    other = judge_of(replica_of(objects(small.pact(small.clause(to=["gamma"]))), version=2))

    class Meanwhile(FrozenClock):
        def now(self) -> Any:
            current_judge = current.get()
            current.swap(other)
            assert current_judge.head.version == 1
            return NOON

    await route_concerns(Batch(tuple(concerns), ()), current=current, ledger=router, clock=Meanwhile())
    assert len({record.graph for record in router.state.decisions.values()}) == 1


async def test_a_concern_from_minutes_ahead_of_the_routers_clock_is_held_in_the_queue_and_told_to_nobody() -> None:
    """A router whose clock is slow, or an intake whose clock is fast."""
    ahead = replace(a_concern(1), accepted_at=NOON + timedelta(minutes=2))
    within = replace(a_concern(2), accepted_at=NOON + CLOCKS_APART)
    router = InMemoryRouter()
    held, told = await route(router, ahead, within)
    assert (held.fault, told.fault) == (CLOCK_STEP, None)
    assert [event.subject for event in router.state.issued] == ["con_2"]
    assert [(item.key.concern_id, item.kind, item.codes) for item in router.state.items.values()] == [
        ("con_1", "held", (HOLD_FAULT,))
    ]
    assert {event.subject: event.data.hold for event in router.state.routed} == {"con_1": [HOLD_FAULT], "con_2": []}


async def test_what_was_held_for_a_slow_clock_is_told_when_a_person_routes_it_once_the_clock_is_right() -> None:
    router, current = InMemoryRouter(), judging()
    await route(router, replace(a_concern(1), accepted_at=NOON + timedelta(minutes=2)), current=current)
    desk = Desk(current, router.begin, FrozenClock(NOON + timedelta(minutes=3)))
    (item,) = router.state.items.values()
    done = await route_item(Ask(item.item_id, Person("duty", "", "Sam"), "the clock", "r1"), {"beta": "full"}, desk)
    assert isinstance(done, Done)
    assert done.item.state(NOON) == "closed"
    assert [(event.data.recipient, event.data.round) for event in router.state.issued] == [("beta", 2)]
