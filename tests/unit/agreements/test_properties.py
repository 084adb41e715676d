"""Laws of the decision, on random graphs and concerns. The numbers are those of the design's list of properties."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.agreements import Class, Decision, Facts, Snapshot, decide, explain, facts_of, held_for_fault
from shared.agreements.succession import Lineage
from tests.rules.small import Row, pact, party, world
from tests.unit.agreements.seeds import seed
from tests.unit.agreements.strategies import ORGS, clauses, quick, routings, rows, seed_concerns, worlds

ORDER = ("omit", "pseudonymise", "generalise", "full")


def _told(decision: Decision) -> set[str]:
    return {outcome.org for outcome in decision.told}


def _bytes(decision: Decision) -> str:
    return json.dumps(decision.to_json(), sort_keys=True)


def _with_clause(drawn: list[Row], extra: Row) -> Snapshot:
    own = pact(extra, id="extra", lineage="extra", parties=[party(name) for name in ORGS])
    return world(*drawn, own)


@quick
@given(seed_concerns())
def test_p1_every_organisation_is_in_exactly_one_class(facts: Facts) -> None:
    snapshot = seed(assumed=True)
    decision = decide(snapshot, facts)
    assert [outcome.org for outcome in decision.outcomes] == sorted(snapshot.graph.organisations)
    assert sum(decision.totals().values()) == len(snapshot.graph.organisations)


@quick
@given(st.text(max_size=8), st.datetimes(), st.lists(st.text(max_size=5), max_size=3))
def test_p1_no_facts_whatever_make_it_raise(originator: str, received: datetime, words: list[str]) -> None:
    terms = frozenset(words)
    facts = Facts(originator, received.astimezone(), terms, purposes=terms, flags=terms, named_recipients=terms)
    assert decide(seed(), facts).told == ()


@quick
@given(seed_concerns())
def test_p2_the_same_inputs_give_the_same_bytes(facts: Facts) -> None:
    again = Snapshot(seed().graph, version=2, root="other")
    assert _bytes(decide(seed(), facts)) == _bytes(decide(again, facts))


@quick
@given(seed_concerns(), st.integers(0, 11 * 3600))
def test_p2_facts_of_one_key_are_decided_alike(facts: Facts, seconds: int) -> None:
    later = replace(facts, received_at=facts.received_at + timedelta(seconds=seconds) - timedelta(hours=6))
    assert (facts.key() == later.key()) == (facts.day == later.day)
    if facts.day == later.day:
        assert _bytes(decide(seed(), facts)) == _bytes(decide(seed(), later))


@quick
@given(rows(), routings(), st.randoms(use_true_random=False))
def test_p3_the_order_of_anything_changes_nothing(drawn: list[Row], routing: Row, shuffler: Any) -> None:
    shuffled = [_shuffle(row, shuffler) for row in drawn]
    shuffler.shuffle(shuffled)
    facts, mixed = facts_of(routing), facts_of(_shuffle(routing, shuffler))
    assert _bytes(decide(world(*drawn), facts)) == _bytes(decide(world(*shuffled), mixed))


def _shuffle(value: Any, shuffler: Any) -> Any:
    if isinstance(value, dict):
        items = [(key, _shuffle(item, shuffler)) for key, item in value.items()]
        shuffler.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        mixed = [_shuffle(item, shuffler) for item in value]
        shuffler.shuffle(mixed)
        return mixed
    return value


@quick
@given(worlds(), routings())
def test_p6_every_body_told_cites_a_clause_that_alone_still_tells_it(snapshot: Snapshot, routing: Row) -> None:
    facts = facts_of(routing)
    for outcome in decide(snapshot, facts).told:
        assert outcome.because
        assert all(outcome.org in _told(_only(snapshot, row.agreement, facts)) for row in outcome.because)


def _only(snapshot: Snapshot, agreement: str, facts: Facts) -> Decision:
    kept = {agreement: snapshot.graph.agreements[agreement]}
    return decide(Snapshot(replace(snapshot.graph, agreements=kept), version=1, root="r"), facts)


@quick
@given(routings())
def test_p6_an_empty_graph_tells_nobody(routing: Row) -> None:
    graph = replace(world().graph, agreements={}, duties={}, bars={})
    assert decide(Snapshot(graph, version=1, root="r"), facts_of(routing)).told == ()


@quick
@given(rows(), clauses("x", ("PERMIT",)), routings())
def test_p7_another_permit_never_removes_a_recipient_nor_shows_it_more(
    drawn: list[Row], extra: Row, routing: Row
) -> None:
    before, after = decide(world(*drawn), facts_of(routing)), decide(_with_clause(drawn, extra), facts_of(routing))
    assert _told(before) <= _told(after)
    assert all(_shows_no_more(after, before, org) for org in _told(before))


@quick
@given(rows(), clauses("x", ("FORBID",)), routings())
def test_p8_a_prohibition_never_adds_a_recipient(drawn: list[Row], extra: Row, routing: Row) -> None:
    before, after = decide(world(*drawn), facts_of(routing)), decide(_with_clause(drawn, extra), facts_of(routing))
    assert _told(after) <= _told(before)


LOCK = [{"from": "gamma", "to": "alpha", "onward": "ask_originator", "granted": ["beta"]}]


@quick
@given(worlds(), routings())
def test_p9_more_sensitivity_fewer_purposes_and_a_longer_way_never_add_a_recipient_or_a_field(
    snapshot: Snapshot, routing: Row
) -> None:
    before = decide(snapshot, facts_of(routing))
    tighter: list[Row] = [
        {"sensitivity": ["personal_data", "child"]},
        {"purposes": routing["purposes"][:1]},
        {"provenance": LOCK},
        {"field_classes": ["header", "registrant"]},
    ]
    for change in tighter:
        after = decide(snapshot, facts_of({**routing, **change}))
        assert _told(after) <= _told(before)
        assert "purposes" in change or all(_shows_no_more(after, before, org) for org in _told(after))


def _shows_no_more(one: Decision, other: Decision, org: str) -> bool:
    less, more = one.of(org).fields, other.of(org).fields
    return all(ORDER.index(less[name]) <= ORDER.index(more[name]) for name in less)


@quick
@given(rows(), routings())
def test_p12_both_ways_is_two_one_way_clauses_and_nobody_tells_itself(drawn: list[Row], routing: Row) -> None:
    facts = facts_of(routing)
    decision = decide(world(*drawn), facts)
    assert facts.originator not in _told(decision)
    assert _told(decide(world(*map(_one_way, drawn)), facts)) == _told(decision)


def _one_way(row: Row) -> Row:
    """The same agreement with each `both` written as two clauses."""
    written: list[Row] = []
    for clause in row.get("clauses", []):
        there = {**clause, "direction": "one_way"} if clause["direction"] == "both" else clause
        back = {**there, "id": f"{clause['id']}-back", "from": clause["to"], "to": clause["from"]}
        written += [there, back] if clause["direction"] == "both" else [there]
    return {**row, "clauses": written} if row["kind"] == "agreement" else row


@quick
@given(rows(), routings(), st.integers(0, 23 * 60))
def test_p13_a_decision_is_constant_within_a_civil_day(drawn: list[Row], routing: Row, minutes: int) -> None:
    day = routing["received_at"][:10]
    start = datetime.fromisoformat(f"{day}T00:00:00+01:00")
    early = {**routing, "received_at": f"{day}T02:00:00+01:00"}
    moment = {**routing, "received_at": (start + timedelta(minutes=60 + minutes)).isoformat()}
    if facts_of(early).day == facts_of(moment).day:
        assert _bytes(decide(world(*drawn), facts_of(early))) == _bytes(decide(world(*drawn), facts_of(moment)))


@quick
@given(st.dates(min_value=datetime(2000, 1, 1).date(), max_value=datetime(2040, 1, 1).date()))  # noqa: DTZ001 - civil days have no zone
def test_p13_told_on_the_first_day_and_not_on_the_day_of_the_end(day: Any) -> None:
    span = {"from": day.isoformat(), "to": (day + timedelta(days=1)).isoformat()}
    snapshot = world(pact(in_force=span))
    classes = []
    for offset in (-1, 0, 1):
        routing = {"originator": "alpha", "categories": ["harm"], "nation": "england"}
        noon = f"{day + timedelta(days=offset)}T12:00:00Z"
        classes.append(decide(snapshot, facts_of({**routing, "received_at": noon})).of("beta").klass)
    assert classes == [Class.GAP, Class.TOLD, Class.GAP]


@quick
@given(seed_concerns())
def test_p15_to_resolve_twice_is_to_resolve_once(facts: Facts) -> None:
    snapshot = seed()
    lineage = Lineage(snapshot.successions, snapshot.graph.organisations, facts.day, facts.functions, facts.categories)
    for party_name in snapshot.graph.organisations:
        for reached in lineage.resolve(party_name, personal=False):
            again = lineage.resolve(reached.org, personal=False)
            assert [row.org for row in again] == [reached.org]


@quick
@given(seed_concerns())
def test_p15_no_body_is_told_beside_its_successor_under_one_clause(facts: Facts) -> None:
    snapshot = seed(assumed=True)
    decision = decide(snapshot, facts)
    for outcome in decision.told:
        rows_after = snapshot.successions.get(outcome.org, ())
        assert not any(row.has_happened(facts.day) and not row.partial for row in rows_after)


@quick
@given(worlds(), routings(), st.sampled_from(("categories", "purposes", "topics", "sensitivity")), st.text(min_size=1))
def test_p23_an_unknown_word_holds_the_concern_and_names_itself(
    snapshot: Snapshot, routing: Row, key: str, word: str
) -> None:
    strange = f"?{word}"
    decision = decide(snapshot, facts_of({**routing, key: [*routing[key], strange]}))
    assert decision.told == ()
    assert decision.hold[0] == "HOLD_UNKNOWN_TERM"
    assert decision.detail == (f"{key}: {strange}",)


@quick
@given(seed_concerns(), st.sampled_from(("HOLD_FAULT", "HOLD_STALE_GRAPH")))
def test_p23_a_fault_holds_everybody(facts: Facts, code: str) -> None:
    decision = held_for_fault(seed(), facts, code)
    assert decision.hold == (code,)
    assert {outcome.klass for outcome in decision.outcomes} <= {Class.ORIGINATOR, Class.HELD}
    assert len(decision.outcomes) == len(seed().graph.organisations)


@quick
@given(worlds(), routings())
def test_p18_the_explanation_and_the_decision_agree(snapshot: Snapshot, routing: Row) -> None:
    facts = facts_of(routing)
    decision = decide(snapshot, facts)
    for outcome in decision.told:
        cited = {row.cite for row in outcome.because}
        trials = explain(snapshot, facts, outcome.org)
        assert cited <= {trial.because.cite for trial in trials if not trial.failed and not trial.ambiguous}
    assert all((trial.reason is None) == (not trial.failed) for trial in explain(snapshot, facts, "beta"))
