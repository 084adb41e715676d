"""P5: the fast path is the reference, on everything: rows, classes, totals and the canonical bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.adapters.seed_files import read_objects
from shared.agreements import Class, Decision, Facts, Snapshot, decide, facts_of, load
from shared.agreements.case import Attempt, Case
from shared.agreements.facts import Hop, SubjectFacts
from shared.agreements.fast import Decider, Swift
from shared.canonical import canonical
from tests.rules import small
from tests.support.concerns import concerns
from tests.support.few import FEW, counting_as_few
from tests.support.following import Followed
from tests.support.graph_words import ORGS as ORGS_OF_GRAPHS
from tests.support.graphs import changes, graphs, worlds
from tests.support.laws import Row, encoded, law

SEED = read_objects()
CONCERNS = [example["concern"] for row in SEED if row["kind"] == "agreement" for example in row["examples"]]
ORGS = sorted(row["id"] for row in SEED if row["kind"] == "organisation")


CONCERN: Row = {
    "received_at": "2025-03-03T10:00:00Z",
    "categories": ["harm"],
    "nation": "england",
    "subjects": [{"kind": "provider"}],
    "purposes": ["regulatory-function"],
}
UNHEARD_OF: dict[str, Any] = {
    "originator": "nobody",
    "categories": frozenset({"unheard-of"}),
    "urgency": "unheard-of",
    "sensitivity": frozenset({"unheard-of"}),
    "named_recipients": frozenset({"nobody", ORGS_OF_GRAPHS[0]}),
    "subjects": (SubjectFacts("provider", org=ORGS_OF_GRAPHS[1]), SubjectFacts("unheard-of", org="nobody")),
    "provenance": (Hop("nobody", ORGS_OF_GRAPHS[0], "unheard-of", granted=frozenset({"nobody"})),),
}
UNKNOWN = sorted(UNHEARD_OF)


def assert_equal(fast: Swift, plain: Decision) -> None:
    assert canonical(fast.to_json()) == encoded(plain)
    assert fast.whole() == plain
    assert fast.totals() == plain.totals()
    assert fast.reasons() == counted(plain)
    assert tuple(fast.of(row.org) for row in plain.outcomes) == plain.outcomes
    for klass in Class:
        assert fast.of_class(klass) == plain.of_class(klass)
        if klass is not Class.ORIGINATOR:
            assert fast.names(klass) == tuple(row.org for row in plain.of_class(klass))


def both(snapshot: Snapshot, facts: Facts) -> Decision:
    plain = decide(snapshot, facts)
    assert_equal(Decider(snapshot).decide(facts), plain)
    return plain


CASES = tuple(path.stem for path in sorted(Path(small.__file__).parent.glob("test_*.py")))


@pytest.mark.parametrize("name", CASES)
def test_p5_every_case_of_the_rules_is_decided_alike(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each case that holds a rule of the reference holds it here too, and its own assertions with it."""
    monkeypatch.setattr(small, "decide", both)
    cases = vars(import_module(f"tests.rules.{name}")).items()
    ran = [case() for title, case in cases if title.startswith("test_") and not case.__code__.co_argcount]
    assert ran


def test_p5_a_parent_that_is_reached_by_two_roads_is_cited_with_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beta passed to zeta itself and to eta, a division of zeta's."""
    steps = small.follows("beta", "zeta"), small.follows("beta", "eta", "operating_name")
    bodies = small.org("zeta", small.remit()), small.org("eta", deliver_to="zeta")
    snapshot = small.world(*bodies, *steps)
    monkeypatch.setattr(small, "decide", both)
    told = small.ask(snapshot).of("zeta")
    assert {row.path for row in told.because} == {("beta", "zeta"), ("beta", "eta", "zeta")}


@pytest.mark.parametrize("other", ["iota", "zulu"])
def test_p5_of_two_roads_to_a_parent_one_that_is_sure_suffices(other: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Beta passed to zeta, and to theta, which fell into eta, a division of zeta's, and another."""
    whole = small.follows("beta", "zeta"), small.follows("beta", "theta")
    parts = [small.follows("theta", name, "split", functions=["hygiene"]) for name in ("eta", other)]
    bodies = small.org("zeta", small.remit()), small.org("eta", deliver_to="zeta"), small.org(other)
    theta = small.org("theta", exists=small.during(None, "2020-01-01"))
    monkeypatch.setattr(small, "decide", both)
    with counting_as_few(0):
        decision = small.ask(small.world(*bodies, theta, *whole, *parts))
    assert decision.of("zeta").klass is Class.TOLD
    assert decision.of(other).klass is Class.HELD


def test_p5_who_speaks_for_a_part_alone_is_told_apart_by_the_functions_of_the_concern() -> None:
    """Alpha fell into a part for hygiene and one for records: what one says of the other's is not covered."""
    parts = [
        small.follows("alpha", name, "split", functions=[function])
        for name, function in (("cleaners", "hygiene"), ("clerks", "records"))
    ]
    alpha = small.org("alpha", exists=small.during(None, "2020-01-01"))
    snapshot = small.world(alpha, small.org("cleaners"), small.org("clerks"), *parts)
    decider, seen = Decider(snapshot), []
    for functions in (["hygiene"], ["records"], ["hygiene"]):
        facts = facts_of({**CONCERN, "originator": "cleaners", "functions": functions})
        assert_equal(decider.decide(facts), decide(snapshot, facts))
        seen.append(decider.decide(facts).of("beta").klass)
    assert seen == [Class.TOLD, Class.GAP, Class.TOLD]


def counted(plain: Decision) -> dict[str, dict[str, int]]:
    """How many bodies of each class have which reason."""
    others = [klass for klass in Class if klass is not Class.ORIGINATOR]
    return {klass.value: dict(Counter(row.reason for row in plain.of_class(klass))) for klass in others}


@law
@given(worlds(), st.lists(concerns(), min_size=1, max_size=4), FEW)
def test_p5_the_fast_path_decides_as_the_reference_does(snapshot: Snapshot, routings: list[Row], few: int) -> None:
    with counting_as_few(few):
        decider = Decider(snapshot)
        for routing in routings:
            facts = facts_of(routing)
            assert_equal(decider.decide(facts), decide(snapshot, facts))


@law
@given(worlds(), concerns())
def test_p5_each_body_is_joined_to_the_originator_by_the_clauses_that_the_reference_tries(
    snapshot: Snapshot, routing: Row
) -> None:
    case, decider = Case(snapshot, facts_of(routing)), Decider(snapshot)
    orgs = sorted(snapshot.graph.organisations)
    tried = {org: [attempt for attempt in case.attempts if attempt.recipient.org == org] for org in orgs}
    assert {org: in_order(decider.attempts(case, org)) for org in orgs} == {org: in_order(tried[org]) for org in orgs}
    untried = {org for org in orgs if org != case.originator and not tried[org]}
    assert decider.wrong_way(case, untried) == case.bodies.wrong_way_to(case.originator) & untried


def in_order(attempts: Iterable[Attempt]) -> list[Attempt]:
    return sorted(attempts, key=lambda tried: (tried.clause.cite, str(tried.discloser), str(tried.recipient)))


@law
@given(worlds(), concerns(), st.sets(st.sampled_from(UNKNOWN), min_size=1))
def test_p5_a_concern_with_words_that_are_not_known_waits_as_the_reference_says(
    snapshot: Snapshot, routing: Row, unknown: set[str]
) -> None:
    facts = replace(facts_of(routing), **{name: UNHEARD_OF[name] for name in unknown})
    fast = Decider(snapshot).decide(facts)
    assert fast.hold == ("HOLD_UNKNOWN_TERM",) or "HOLD_CONFLICT" in fast.hold
    assert_equal(fast, decide(snapshot, facts))


@law
@given(graphs(), st.lists(changes(), min_size=1, max_size=4), st.lists(concerns(), min_size=1, max_size=3), FEW)
def test_p5_after_every_commit_the_fast_path_decides_as_the_reference_on_the_graph_read_anew(
    rows: list[Row], steps: list[list[Row]], routings: list[Row], few: int
) -> None:
    """Each step is taken over by `Snapshot.after` and `Decider.after`, with the slices that were asked for before."""
    followed, asked = Followed(rows), list(map(facts_of, routings))
    with counting_as_few(few):
        for changed in steps:
            for facts in asked:
                followed.decider.decide(facts)
            if followed.commit(changed):
                anew = followed.anew()
                for facts in asked:
                    assert_equal(followed.decider.decide(facts), decide(anew, facts))


@law
@given(graphs(), graphs())
def test_p5_a_commit_leaves_the_slices_of_those_whom_it_does_not_touch(rows: list[Row], other: list[Row]) -> None:
    changed = [row for row in other if row["kind"] == "agreement"][-1:]
    followed = Followed(rows)
    before, decider = followed.snapshot, followed.decider
    held = {org: decider.slice_of(org) for org in before.graph.organisations}
    if not followed.commit(changed):
        return
    old = {party.org for row in changed for party in before.graph.agreements[row["id"]].parties}
    parties = old | {party["org"] for row in changed for party in row["parties"]}
    untouched = [org for org in held if not followed.snapshot.acting_for(org) & parties]
    assert all((followed.decider.slice_of(org) is held[org]) == (org in untouched) for org in held)


@cache
def seed() -> tuple[Snapshot, Decider]:
    snapshot = Snapshot(load(SEED), 1, "root")
    return snapshot, Decider(snapshot)


@pytest.mark.parametrize("number", range(0, len(CONCERNS), 13))
def test_p5_every_example_of_the_seed_is_decided_alike(number: int) -> None:
    snapshot, decider = seed()
    for concern in CONCERNS[number : number + 13]:
        facts = facts_of(concern)
        assert_equal(decider.decide(facts), decide(snapshot, facts))


@law
@given(st.sampled_from(CONCERNS), st.sampled_from(ORGS), st.dates(), st.booleans())
def test_p5_whoever_says_it_on_whatever_day(concern: Row, org: str, day: Any, as_now: bool) -> None:
    snapshot, decider = seed()
    facts = facts_of({**concern, "originator": org})
    facts = facts if as_now else replace(facts, incident_date=day)
    assert_equal(decider.decide(facts), decide(snapshot, facts))
