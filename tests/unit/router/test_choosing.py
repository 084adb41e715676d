"""A person's choice never tells a body more than a clause allows, whatever the graph and the concern."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain.advice import missing_of
from services.router.domain.choosing import MANNERS, NOTHING, Chosen, may_be_chosen, with_choices
from services.router.domain.evaluating import Fast, Reference
from shared.agreements import Class, Facts, Snapshot, decide, explain, facts_of
from shared.agreements.explain import why
from shared.agreements.fast import Decider
from shared.agreements.reasons import CHOSEN, PERMITTED, REQUIRED
from tests.rules import small
from tests.rules.small import Row
from tests.unit.agreements.strategies import ORGS, quick, routings, worlds

TELLING = [manner for manner in MANNERS if manner != NOTHING]
SPLIT = [
    small.pact(small.clause(to=["gamma"])),
    small.follows("gamma", "beta", "split", functions=["hygiene"]),
    small.follows("gamma", "delta", "split", functions=["hygiene"]),
    small.org("gamma", exists=small.during(None, "2020-01-01")),
    small.org("delta"),
]


def facts(**concern: Any) -> Facts:
    routing: Row = {"originator": "alpha", "received_at": "2025-03-03T10:00:00Z", "categories": ["harm"]}
    return facts_of({**routing, "nation": "england", "subjects": [{"kind": "provider"}], **concern})


def chosen(snapshot: Snapshot, concern: Facts, *orgs: str, manner: Any = "full") -> Chosen:
    return with_choices(Reference(snapshot), concern, dict.fromkeys(orgs, manner))


@quick
@given(worlds(), routings(), st.dictionaries(st.sampled_from([*ORGS, "nobody"]), st.sampled_from(TELLING)))
def test_a_choice_tells_nobody_but_the_chosen_and_those_only_by_clauses(
    snapshot: Snapshot, routing: Row, choices: dict[str, Any]
) -> None:
    concern = facts_of(routing)
    plain, with_them = decide(snapshot, concern), with_choices(Reference(snapshot), concern, choices)
    assert sum(with_them.decision.totals().values()) == sum(plain.totals().values())
    for before, after in zip(plain.outcomes, with_them.decision.outcomes, strict=True):
        if before != after:
            assert before.org in choices
            assert (after.klass, after.reason) == (Class.TOLD, CHOSEN)
            assert after.because
    told = {outcome.org for outcome in with_them.decision.told}
    assert with_them.refused.keys() == choices.keys() - told


@quick
@given(worlds(), routings(), st.dictionaries(st.sampled_from([*ORGS, "nobody"]), st.sampled_from(MANNERS)))
def test_who_is_to_be_told_nothing_is_told_by_duty_alone(
    snapshot: Snapshot, routing: Row, choices: dict[str, Any]
) -> None:
    concern = facts_of(routing)
    plain, with_them = decide(snapshot, concern), with_choices(Reference(snapshot), concern, choices)
    for before, after in zip(plain.outcomes, with_them.decision.outcomes, strict=True):
        if choices.get(before.org) == NOTHING:
            by_duty = before.klass is Class.TOLD and before.reason == REQUIRED
            assert (after.klass is Class.TOLD) is by_duty
            assert (before.org in with_them.refused) is by_duty
            assert after == before or (before.reason, after.klass) == (PERMITTED, Class.AVAILABLE)


@quick
@given(worlds(), routings(), st.dictionaries(st.sampled_from([*ORGS, "nobody"]), st.sampled_from(MANNERS)))
def test_the_fast_path_takes_every_choice_as_the_reference_does(
    snapshot: Snapshot, routing: Row, choices: dict[str, Any]
) -> None:
    concern = facts_of(routing)
    fast, plain = Fast(Decider(snapshot)), Reference(snapshot)
    chosen_fast, by_reference = with_choices(fast, concern, choices), with_choices(plain, concern, choices)
    assert chosen_fast.decision.to_json() == by_reference.decision.to_json()
    assert (chosen_fast.before, chosen_fast.refused) == (by_reference.before, by_reference.refused)
    assert may_be_chosen(fast, concern, ORGS) == may_be_chosen(plain, concern, ORGS)
    assert missing_of(fast, concern, ORGS) == missing_of(plain, concern, ORGS)


@quick
@given(worlds(), routings())
def test_the_fast_path_advises_on_a_body_as_the_reference_explains_it(snapshot: Snapshot, routing: Row) -> None:
    concern = facts_of(routing)
    advice = missing_of(Fast(Decider(snapshot)), concern, ORGS)
    assert {row.org: row.explanation for row in advice} == {row.org: why(snapshot, concern, row.org) for row in advice}
    assert {row.org for row in advice} == set(ORGS) & snapshot.graph.organisations.keys()


@quick
@given(worlds(), routings(), st.sets(st.sampled_from(ORGS)))
def test_no_clause_by_which_a_body_is_chosen_fails_more_than_a_person_may_decide(
    snapshot: Snapshot, routing: Row, orgs: set[str]
) -> None:
    concern = facts_of(routing)
    for org in orgs:
        outcome = chosen(snapshot, concern, org).decision.of(org)
        if outcome.reason == CHOSEN:
            failed = {trial.because.cite: set(trial.failed) for trial in explain(snapshot, concern, org)}
            assert all(failed[row.cite] <= {"remit"} for row in outcome.because)


@quick
@given(worlds(), routings())
def test_what_may_be_chosen_is_what_is_not_refused(snapshot: Snapshot, routing: Row) -> None:
    concern = facts_of(routing)
    told = {outcome.org for outcome in decide(snapshot, concern).told}
    offered = may_be_chosen(Reference(snapshot), concern, ORGS)
    for org in ORGS:
        if org not in told:
            refused = {manner for manner in TELLING if org in chosen(snapshot, concern, org, manner=manner).refused}
            assert (offered.get(org) == "full") != ("full" in refused)
            assert (offered.get(org) in ("full", "pointer")) != ("pointer" in refused)
            assert "emergency" in refused


@quick
@given(worlds(), routings(), st.sets(st.sampled_from(ORGS)))
def test_a_pointer_carries_the_header_alone(snapshot: Snapshot, routing: Row, orgs: set[str]) -> None:
    concern = facts_of(routing)
    pointed = with_choices(Reference(snapshot), concern, dict.fromkeys(orgs, "pointer")).decision
    for outcome in pointed.told:
        if outcome.reason == CHOSEN:
            assert outcome.pointer_only
            assert {name for name, policy in outcome.fields.items() if policy != "omit"} <= {"header"}
            assert {row.field for row in outcome.withheld} == outcome.fields.keys() - {"header"}


def test_an_available_body_is_told_when_it_is_chosen() -> None:
    world = small.world(small.org("beta"))
    assert decide(world, facts()).of("beta").klass is Class.AVAILABLE
    outcome = chosen(world, facts(), "beta").decision.of("beta")
    assert (outcome.klass, outcome.reason, [row.cite for row in outcome.because]) == (Class.TOLD, CHOSEN, ["pact/c1"])
    assert outcome.fields["registrant"] == "generalise"


def test_a_choice_that_reaches_somebody_ends_unroutable() -> None:
    world = small.world(small.org("beta"))
    assert decide(world, facts()).unroutable
    assert not chosen(world, facts(), "beta").decision.unroutable


def test_a_person_answers_who_took_over_and_the_other_part_stays_held() -> None:
    world, concern = small.world(*SPLIT), facts(functions=["records"])
    assert decide(world, concern).of("beta").klass is Class.HELD
    decision = chosen(world, concern, "beta").decision
    assert (decision.of("beta").klass, decision.of("delta").klass) == (Class.TOLD, Class.HELD)
    assert decision.of("beta").because[0].signed_as.recipient == "gamma"


@pytest.mark.parametrize(
    ("objects", "concern", "reason"),
    [
        ([small.org("beta"), small.pact(small.clause(frm=["beta"], to=["alpha"]))], {}, "WRONG_DIRECTION"),
        ([], {"subjects": [{"kind": "provider", "org": "beta"}]}, "SUBJECT_IS_RECIPIENT"),
        ([small.pact(suspended=[small.during("2025-01-01")])], {}, "SUSPENDED"),
        ([small.pact(small.clause(), small.clause(id="c2", effect="FORBID"))], {}, "FORBIDDEN"),
        ([small.barred_alpha(), small.bar()], {}, "FORBIDDEN"),
        ([], {"purposes": ["law"]}, "PURPOSE_NOT_COVERED"),
        ([], {"nation": "wales", "categories": ["fire-risk"]}, "CATEGORY"),
    ],
)
@pytest.mark.parametrize("manner", TELLING)
def test_no_choice_gets_past_a_gate(objects: list[Row], concern: Row, reason: str, manner: str) -> None:
    world = small.world(*objects)
    result = chosen(world, facts(**concern), "beta", manner=manner)
    assert result.refused == {"beta": reason}
    assert result.decision == decide(world, facts(**concern))


def test_what_is_too_sensitive_for_an_agreement_goes_as_a_pointer_and_not_in_full() -> None:
    world = small.world(small.pact(small.clause(sensitivity_max=[])))
    concern = facts(sensitivity=["personal_data"])
    assert chosen(world, concern, "beta").refused == {"beta": "SENSITIVITY"}
    outcome = chosen(world, concern, "beta", manner="pointer").decision.of("beta")
    assert outcome.pointer_only
    assert outcome.fields == {"header": "full", "narrative": "omit", "registrant": "omit"}


def test_the_originator_and_a_body_that_is_not_known_are_refused() -> None:
    result = chosen(small.world(), facts(), "alpha", "nobody")
    assert result.refused == {"alpha": "ORIGINATOR", "nobody": "NO_PATH"}


def test_under_a_hold_of_the_whole_concern_a_person_may_tell_whom_a_clause_allows() -> None:
    concern = facts(subjects=[{"kind": "provider", "org": "alpha"}])
    decision = chosen(small.world(), concern, "beta").decision
    assert (decision.hold, decision.of("beta").reason) == (("HOLD_CONFLICT",), CHOSEN)
    assert decision.of("gamma").klass is Class.HELD
