"""P18: an explanation and a decision are one thing, and what an explanation says would open a clause does open it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from itertools import islice

from hypothesis import event, given
from hypothesis import strategies as st

from shared.agreements import Class, Explanation, Snapshot, decide, explain, facts_of, why
from shared.agreements.case import Case
from shared.agreements.decide import case_of
from shared.agreements.explain import Trial, nearest_of, reason_of_untold, smallest_repair
from shared.agreements.gates import answers
from tests.support.concerns import CONCERN_BYTES, concerns, routing_of
from tests.support.dice import stream
from tests.support.graph_words import ORGS
from tests.support.graphs import GRAPH_BYTES, graph_rows, graphs, snapshot_of, worlds
from tests.support.laws import Row, law
from tests.support.repairs import about_another, repaired

OPEN = (Class.TOLD, Class.AVAILABLE)
UNTOLD = (Class.GAP, Class.WITHHELD)


@law
@given(worlds(), concerns())
def test_p18_the_clauses_that_pass_every_gate_are_those_that_tell_or_allow(snapshot: Snapshot, routing: Row) -> None:
    facts = facts_of(routing)
    decision = decide(snapshot, facts)
    for outcome in decision.outcomes:
        trials = explain(snapshot, facts, outcome.org)
        passing = [trial for trial in trials if not trial.failed and not trial.ambiguous]
        if outcome.klass is Class.TOLD:
            assert set(outcome.because) == {trial.because for trial in passing if trial.would_tell}
        elif outcome.klass is Class.AVAILABLE:
            assert set(outcome.because) == {trial.because for trial in passing}
            assert not any(trial.would_tell for trial in passing)
        elif outcome.klass in UNTOLD:
            assert passing == []


@law
@given(worlds(), concerns())
def test_p18_the_reason_follows_from_the_gates_answers_alone(snapshot: Snapshot, routing: Row) -> None:
    facts = facts_of(routing)
    case = case_of(snapshot, facts)
    heard_from = case.bodies.wrong_way_to(facts.originator)
    for org in ORGS:
        told = why(snapshot, facts, org)
        if told.outcome.klass not in UNTOLD and told.outcome.reason != "NO_PATH":
            assert (told.nearest, told.repair) == (None, None)
            continue
        if org not in case.bodies.able:
            continue
        evidence = explain(snapshot, facts, org)
        reason = reason_of_untold(evidence, is_subject=org in case.subjects, heard_from=org in heard_from)
        assert reason == told.outcome.reason
        assert (told.nearest.because.cite if told.nearest else None) == told.outcome.nearest
        _is_split_in_passed_and_failed(evidence)
        attempts = [attempt for attempt in case.attempts if attempt.recipient.org == org]
        shut = [tuple(name for name, answer in answers(attempt) if answer is not None) for attempt in attempts]
        assert sorted(shut) == sorted(trial.failed for trial in evidence)


def _is_split_in_passed_and_failed(trials: tuple[Trial, ...]) -> None:
    for trial in trials:
        assert sorted((*trial.passed, *trial.failed)) == sorted(name for name, _ in trial.gates)
        assert (trial.reason is None) == (trial.failed == ())
        assert trial.reason in {None, *dict(trial.gates).values()}


def _can_be_repaired(told: Explanation, snapshot: Snapshot) -> bool:
    """The clause of a gateway stands in a bar: there is no agreement to amend."""
    return told.repair is not None and told.repair.because.agreement not in snapshot.graph.bars


@law
@given(graphs(), concerns(), st.sampled_from(ORGS))
def test_p18_the_smallest_repair_opens_the_clause_and_one_gate_fewer_opens_nothing(
    rows: list[Row], routing: Row, org: str
) -> None:
    """By editing the graph and the concern for real, gate by gate, and deciding again."""
    snapshot, routing = snapshot_of(rows), {**routing, "nation": routing["nation"] or "wales"}
    told = why(snapshot, facts_of(routing), org)
    if told.repair is None or not _can_be_repaired(told, snapshot):
        return
    event(f"repair of {len(told.repair.gates)} gates")
    assert _after(rows, routing, told, told.repair.gates) is told.repair.would_be
    for left_out in told.repair.gates:
        gates = [gate for gate in told.repair.gates if gate != left_out]
        assert _after(rows, routing, told, gates) not in OPEN


def _after(rows: list[Row], routing: Row, told: Explanation, gates: Iterable[str]) -> Class:
    """The body's class once these gates of the repair are satisfied."""
    assert told.repair
    org = told.outcome.org
    graph, concern = repaired(rows, routing, told.repair, gates)
    if "subject_is_recipient" in gates:
        bodies = Case(snapshot_of(rows), facts_of(routing)).bodies
        standing_for = [subject for subject in ORGS if org in bodies.acting_for(subject)]
        concern = about_another(concern, standing_for)
    return decide(snapshot_of(graph), facts_of(concern)).of(org).klass


@law
@given(worlds(), concerns(), st.sampled_from(ORGS))
def test_p18_no_clause_needs_fewer_gates_than_the_smallest_repair(snapshot: Snapshot, routing: Row, org: str) -> None:
    told = why(snapshot, facts_of(routing), org)
    usable = [trial for trial in told.trials if trial.effect != "FORBID" and not trial.ambiguous]
    if told.outcome.klass in UNTOLD:
        assert (told.repair is None) == (usable == [])
    if told.repair:
        assert len(told.repair.gates) == min(len(trial.needed) for trial in usable)
        assert told.repair.gates


def test_p18_a_repair_of_every_gate_occurs_among_the_generated_explanations() -> None:
    found: Counter[str] = Counter()
    for data, asked in islice(zip(stream("why", GRAPH_BYTES), stream("asked", CONCERN_BYTES), strict=False), 400):
        snapshot, facts = snapshot_of(graph_rows(data)), facts_of(routing_of(asked))
        repairs = [why(snapshot, facts, org).repair for org in ORGS]
        found.update(gate for repair in repairs if repair for gate in repair.gates)
    some = snapshot_of(graph_rows(b""))
    trials = explain(some, facts_of(routing_of(b"")), "beta")
    assert set(found) == {name for trial in trials for name, _ in trial.gates}


def test_p18_a_prohibition_and_an_undecided_succession_are_no_repair() -> None:
    snapshot, facts = snapshot_of(graph_rows(b"")), facts_of({**routing_of(b""), "purposes": ["law"]})
    trials = explain(snapshot, facts, "beta")
    repair = smallest_repair(trials)
    assert repair is not None
    assert repair.gates == ("purpose",)
    assert repair.would_be is Class.TOLD
    assert smallest_repair(replace(trial, effect="FORBID") for trial in trials) is None
    assert smallest_repair(replace(trial, ambiguous=True) for trial in trials) is None
    nearest = nearest_of(trials)
    assert nearest is not None
    assert nearest.reason == "PURPOSE_NOT_COVERED"
