"""P23 and P5: what contradicts itself is held by both evaluators, and all else is decided as before."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from shared.agreements import Snapshot, decide, facts_of
from shared.agreements.fast import Decider
from shared.agreements.model import Contradiction
from shared.canonical import canonical
from tests.support.concerns import concerns
from tests.support.graph_words import COMPONENTS, WORDS
from tests.support.graphs import worlds
from tests.support.laws import Row, encoded, law

FIELDS = {"marking": WORDS["markings"], "flags": WORDS["flags"], "sensitivity": COMPONENTS, "onward": ["free", "none"]}
sayings = st.sampled_from(sorted(FIELDS)).flatmap(
    lambda name: st.tuples(st.just(name), st.frozensets(st.sampled_from(FIELDS[name]), min_size=1, max_size=2))
)
contradictions = st.lists(sayings, min_size=1, max_size=2).map(lambda said: Contradiction("c", tuple(said)))


@law
@given(worlds(), concerns(), contradictions)
def test_p23_what_contradicts_itself_is_held_and_everything_else_is_decided_as_before(
    snapshot: Snapshot, routing: Row, contradiction: Contradiction
) -> None:
    policy = replace(snapshot.graph.policy, contradictions=(contradiction,))
    strict = replace(snapshot, graph=replace(snapshot.graph, policy=policy))
    facts = facts_of(routing)
    before, after = decide(snapshot, facts), decide(strict, facts)
    assert canonical(Decider(strict).decide(facts).to_json()) == encoded(after)
    if all(_says(routing, name, words) for name, words in contradiction.says):
        assert "HOLD_UNKNOWN_TERM" in after.hold
        assert after.detail == (*before.detail, "contradiction: c")
        assert (after.told, after.unroutable) == ((), False)
    else:
        assert encoded(after) == encoded(before)


def _says(routing: Row, name: str, words: frozenset[str]) -> bool:
    said = routing[name]
    return not words.isdisjoint([said] if isinstance(said, str) else said or [])
