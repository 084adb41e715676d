"""Where lanes lead, beside the reference: the worlds in which each turn of the road decides by itself."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from shared.agreements import Snapshot, decide, facts_of
from shared.agreements.fast import Decider
from shared.agreements.fast.terrain import terrain_of
from tests.rules import small
from tests.support.few import counting_as_few

ROUTING: dict[str, Any] = {
    "originator": "alpha",
    "received_at": "2025-03-03T10:00:00Z",
    "categories": ["harm"],
    "nation": "england",
    "subjects": [{"kind": "provider"}],
    "purposes": ["regulatory-function"],
}
ONE_WORD = {"kind": "vocabulary", "id": "functions", "terms": [{"id": "hygiene"}, {"id": "records"}, {"id": "theft"}]}


@pytest.fixture(autouse=True, params=[0, 1000])
def _few(request: pytest.FixtureRequest) -> Iterator[None]:
    with counting_as_few(request.param):
        yield


def of(snapshot: Snapshot, org: str, *asks: Mapping[str, Any]) -> list[str]:
    """The reason for one body for each concern; one decider for all, which decides as the reference does."""
    fast, found = Decider(snapshot), []
    for changes in asks:
        facts = facts_of({**ROUTING, **changes})
        plain, swift = decide(snapshot, facts), fast.decide(facts)
        assert swift.whole() == plain
        assert swift.totals() == plain.totals()
        found.append(plain.of(org).reason)
    return found


HYGIENE, RECORDS, NOTHING = {"functions": ["hygiene"]}, {"functions": ["records"]}, dict[str, Any]()


def parts(before: str, **scopes: str) -> list[small.Row]:
    """The body fell into these, each of which has one function."""
    gone = small.org(before, exists=small.during(None, "2020-01-01"))
    steps = [small.follows(before, after, "split", functions=[scope]) for after, scope in scopes.items()]
    return [gone, *steps, *(small.org(after, small.remit()) for after in scopes if after != "alpha")]


def test_a_body_is_joined_the_wrong_way_through_a_part_for_the_concerns_of_that_part_alone() -> None:
    told = small.pact(small.clause(frm=["beta"], to=["delta"]), parties=[*map(small.party, ("beta", "delta", "gamma"))])
    world = small.world(*parts("delta", alpha="hygiene", eta="records"), told)
    assert of(world, "beta", HYGIENE, RECORDS, NOTHING) == ["WRONG_DIRECTION", "NO_PATH", "WRONG_DIRECTION"]
    assert of(world, "beta", RECORDS, HYGIENE) == ["NO_PATH", "WRONG_DIRECTION"]


def test_a_body_that_is_joined_the_wrong_way_by_two_roads_is_so_once() -> None:
    clauses = small.clause(frm=["beta"], to=["delta"]), small.clause(id="c2", frm=["beta"], to=["alpha"])
    told = small.pact(*clauses, parties=[*map(small.party, ("alpha", "beta", "delta"))])
    world = small.world(*parts("delta", alpha="hygiene", eta="records"), told)
    assert of(world, "beta", HYGIENE, RECORDS) == ["WRONG_DIRECTION", "WRONG_DIRECTION"]


def test_a_lane_is_held_where_both_its_ends_have_to_be_chosen_by_a_person() -> None:
    tells = small.pact(
        small.clause(frm=["delta"], to=["beta"]), parties=[*map(small.party, ("beta", "delta", "gamma"))]
    )
    fallen = *parts("delta", alpha="hygiene", eta="records"), *parts("beta", zeta="hygiene", iota="records")
    world = small.world(*fallen, tells)
    assert of(world, "zeta", NOTHING, HYGIENE, RECORDS) == ["HOLD_SUCCESSION_AMBIGUOUS", "PERMITTED", "NO_PATH"]
    assert of(world, "iota", NOTHING, HYGIENE, RECORDS) == ["HOLD_SUCCESSION_AMBIGUOUS", "NO_PATH", "NO_PATH"]


def test_a_body_that_follows_whom_it_told_is_not_told_by_itself() -> None:
    assert of(small.world(small.follows("beta", "alpha")), "alpha", NOTHING) == ["ORIGINATOR"]


def test_a_function_and_a_category_of_one_name_are_two_things() -> None:
    world = small.world(
        ONE_WORD,
        *parts("beta", zeta="theft", iota="records"),
        small.follows("beta", "iota", "split", id="other", categories=["theft"]),
    )
    function, category = {"functions": ["theft"]}, {"categories": ["theft"]}
    assert of(world, "zeta", function, category, function) == ["PERMITTED", "NO_PATH", "PERMITTED"]
    assert of(world, "zeta", category, function) == ["NO_PATH", "PERMITTED"]


def test_parts_that_are_told_apart_by_their_categories_are_kept_apart() -> None:
    gone = small.org("beta", exists=small.during(None, "2020-01-01"))
    scopes = {"zeta": ["harm"], "iota": ["theft"]}
    steps = [small.follows("beta", name, "split", categories=terms) for name, terms in scopes.items()]
    bodies = [small.org(name, small.remit(*terms)) for name, terms in scopes.items()]
    world = small.world(gone, *steps, *bodies)
    harm, theft, both = ({"categories": terms} for terms in (["harm"], ["theft"], ["harm", "theft"]))
    assert of(world, "zeta", harm, theft, both, harm) == ["PERMITTED", "NO_PATH", "PERMITTED", "PERMITTED"]
    assert of(world, "iota", both, harm, theft) == ["PERMITTED", "NO_PATH", "PERMITTED"]


@pytest.mark.parametrize(("other", "before"), [("delta", "NO_PATH"), ("alpha", "PERMITTED")])
def test_a_body_is_not_joined_by_whom_the_originator_has_yet_to_follow(other: str, before: str) -> None:
    """Alpha will follow delta. Delta tells beta, and so does another, delta again or alpha; beta fell into parts."""
    clauses = small.clause(frm=["delta"], to=["beta"]), small.clause(id="c2", frm=[other], to=["beta"])
    tells = small.pact(*clauses, parties=[*map(small.party, ("alpha", "beta", "delta"))])
    later = small.org("delta"), small.follows("delta", "alpha", effective="2025-06-01")
    world = small.world(*later, *parts("beta", zeta="hygiene", iota="records"), tells)
    after = {"received_at": "2025-06-02T10:00:00Z"}
    for body, function in (("zeta", HYGIENE), ("iota", RECORDS)):
        assert of(world, body, function, function | after, function) == [before, "PERMITTED", before]


def test_what_the_roads_of_a_party_ask_is_known_whoever_asks_first() -> None:
    world = small.world(*parts("beta", zeta="hygiene", iota="records"))
    for changes, asked in (
        (HYGIENE, (True, frozenset({"hygiene"}))),
        ({"functions": ["unheard-of"]}, (True, frozenset())),
        (NOTHING, (False, frozenset())),
    ):
        assert terrain_of(world).asked("beta", facts_of({**ROUTING, **changes})) == asked


def test_a_successor_waits_to_be_chosen_only_while_nothing_else_stops_the_clause() -> None:
    required = small.pact(small.clause(when={"recipient_remit": "required"}))
    world = small.world(*parts("beta", zeta="hygiene", iota="records"), required)
    theft, law = {"categories": ["theft"]}, {"purposes": ["law"]}
    waits = "HOLD_SUCCESSION_AMBIGUOUS"
    assert of(world, "zeta", theft, theft | law, NOTHING, law) == [waits, "NOT_IN_REMIT", waits, "PURPOSE_NOT_COVERED"]


def test_a_gateway_to_one_sector_opens_for_the_bodies_of_that_sector_alone() -> None:
    way = small.gateway(to_sector=["private"])
    gamma = small.org("gamma", small.remit(), sector="private")
    told = small.pact(small.clause(to=["beta", "gamma"]))
    world = small.world(small.barred_alpha(), small.bar(way), gamma, told)
    assert of(world, "beta", NOTHING) == ["FORBIDDEN"]
    assert of(world, "gamma", NOTHING) == ["PERMITTED"]


def test_a_body_that_no_clause_joins_and_that_is_the_subject_is_no_gap_though_a_bar_keeps_it_silent() -> None:
    world = small.world(small.barred_alpha(), small.bar(), small.org("gamma", small.remit()))
    about = {"subjects": [{"kind": "provider", "org": "gamma"}]}
    assert of(world, "gamma", about) == ["SUBJECT_IS_RECIPIENT"]


@pytest.mark.parametrize("ids", [("c1", "c2"), ("c2", "c1")])
def test_of_two_clauses_towards_a_part_only_one_that_the_remit_alone_stops_makes_it_wait(ids: tuple[str, str]) -> None:
    """Both towards the lowest body: what stops one lane must not be taken for what stops its neighbour."""
    needs = {"recipient_remit": "required"}
    for_law = small.clause(id=ids[0], when=needs, purposes=["law"])
    for_theft = small.clause(id=ids[1], when={**needs, "urgency_at_least": "urgent"})
    fallen = parts("beta", **{"a-part": "hygiene", "b-part": "records"})
    world = small.world(*fallen, small.pact(for_law, for_theft), small.org("alpha", small.remit()))
    theft, now, law = {"categories": ["theft"]}, {"urgency": "urgent"}, {"purposes": ["law"]}
    waits, elsewhere, purpose = "HOLD_SUCCESSION_AMBIGUOUS", "NOT_IN_REMIT", "PURPOSE_NOT_COVERED"
    assert of(world, "a-part", theft, theft | now, theft | law, now, NOTHING) == [
        elsewhere, waits, waits, waits, purpose,
    ]  # fmt: skip


def test_what_a_gateway_opens_is_asked_of_a_body_of_the_sector_whose_lanes_they_are() -> None:
    tells = small.clause(to=["beta", "delta", "gamma"]), small.clause(id="c2")
    told = small.pact(*tells, parties=[*map(small.party, ("alpha", "beta", "delta", "gamma"))])
    delta = small.org("delta", small.remit(), sector="private")
    world = small.world(small.barred_alpha(), small.bar(small.gateway(to_sector=["private"])), delta, told)
    assert [of(world, body, NOTHING) for body in ("beta", "delta", "gamma")] == [
        ["FORBIDDEN"], ["PERMITTED"], ["FORBIDDEN"],
    ]  # fmt: skip


def test_a_clause_is_the_one_that_its_lane_is_of_in_whatever_order_they_stand() -> None:
    backwards = small.clause(id="c2", to=["gamma"]), small.clause(id="c1", summary="tells beta")
    assert of(small.world(small.pact(*backwards)), "beta", NOTHING) == ["PERMITTED"]


def test_who_is_left_out_by_name_and_forbidden_besides_is_no_gap() -> None:
    never = small.clause(id="c2", effect="FORBID")
    world = small.world(small.pact(small.clause(when={"topics_none": ["fire"]}), never))
    assert of(world, "beta", {"topics": ["fire"]}, NOTHING) == ["FORBIDDEN", "FORBIDDEN"]
