"""The makers of graphs and concerns reach every class, every reason and every part of an explanation, or they rot."""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import islice

from shared.agreements import Class, Decision, load, reasons
from tests.support.decided import decisions
from tests.support.dice import Dice, stream
from tests.support.graphs import GRAPH_BYTES, graph_rows

COUNT = 500
# Codes that no evaluation gives: the router sets them for a fault, an old graph and a person's act.
NOT_EVALUATED = {reasons.HOLD_FAULT, reasons.HOLD_STALE_GRAPH, reasons.EMERGENCY, reasons.CHOSEN}
# What a concern in the graph's own words cannot meet; the laws of unknown words make it.
NOT_DRAWN = {reasons.HOLD_UNKNOWN_TERM}


@cache
def _decided() -> tuple[Decision, ...]:
    return tuple(decisions(COUNT))


def test_every_reason_code_occurs_among_the_generated_decisions() -> None:
    found = Counter(outcome.reason for decision in _decided() for outcome in decision.outcomes)
    assert set(found) == set(reasons.SENTENCES) - NOT_EVALUATED - NOT_DRAWN
    assert min(found.values()) >= 3, found.most_common()[-3:]


def test_every_class_occurs_often_enough_to_be_tested() -> None:
    found = Counter(outcome.klass for decision in _decided() for outcome in decision.outcomes)
    assert {klass for klass in Class if found[klass] < 100} == set()


def test_what_a_body_is_told_varies() -> None:
    told = [outcome for decision in _decided() for outcome in decision.told]
    assert {outcome.onward for outcome in told} == {"none", "ask_originator", "free"}
    assert {policy for outcome in told for policy in outcome.fields.values()} == {
        "full", "generalise", "pseudonymise", "omit",
    }  # fmt: skip
    assert {outcome.pointer_only for outcome in told} == {True, False}
    assert sum(len(outcome.because) > 1 for outcome in told) >= 50
    assert sum(len(row.path) > 1 for outcome in told for row in outcome.because) >= 50
    assert sum(len(row.path) > 2 for outcome in told for row in outcome.because) >= 3
    flags = {flag for outcome in told for flag in outcome.flags}
    assert flags >= {"assumed", "review_overdue", "parent_not_in_force", "inherited_pending_review"}


def test_decisions_as_a_whole_vary() -> None:
    flags = {flag.partition(":")[0] for decision in _decided() for flag in decision.flags}
    assert flags == {"lead-undecided", "originator-leads", "suggest-onward"}
    assert {decision.unroutable for decision in _decided()} == {True, False}
    assert {decision.hold for decision in _decided()} == {(), ("HOLD_CONFLICT",), ("HOLD_SUCCESSION_AMBIGUOUS",)}


def test_every_graph_that_is_made_can_be_read() -> None:
    for data in (b"", b"\xff" * GRAPH_BYTES, *islice(stream("valid", GRAPH_BYTES), 100)):
        assert len(load(graph_rows(data)).organisations) == 7


def test_dice_stay_within_their_sides_and_choose_no_value_twice() -> None:
    for data in islice(stream("dice", 32), 50):
        dice = Dice(data)
        assert 0 <= dice.roll(7) < 7
        chosen = dice.some("abcdef", 2, 4)
        assert 2 <= len(chosen) == len(set(chosen)) <= 4
    assert (Dice(b"").roll(9), Dice(b"").some("ab"), Dice(b"").chance(99)) == (0, ["a"], False)
