"""Laws of the decision on the seed graph. `tests/properties` has those on generated graphs, under the same numbers."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.agreements import Class, Decision, Facts, Snapshot, decide, held_for_fault
from shared.agreements.succession import Lineage
from tests.unit.agreements.seeds import seed
from tests.unit.agreements.strategies import quick, seed_concerns


def _bytes(decision: Decision) -> str:
    return json.dumps(decision.to_json(), sort_keys=True)


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
@given(seed_concerns(), st.sampled_from(("HOLD_FAULT", "HOLD_STALE_GRAPH")))
def test_p23_a_fault_holds_everybody(facts: Facts, code: str) -> None:
    decision = held_for_fault(seed(), facts, code)
    assert decision.hold == (code,)
    assert {outcome.klass for outcome in decision.outcomes} <= {Class.ORIGINATOR, Class.HELD}
    assert len(decision.outcomes) == len(seed().graph.organisations)
