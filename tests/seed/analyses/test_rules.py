"""Contradictions, clauses that do nothing, and reviews: each shown by a concern, and none left out."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given

from services.intake.entrypoints.forms import ConcernForm
from services.registry.domain.analyses import Finding, confirms, findings
from services.registry.domain.analyses.conflicts import circles
from shared.agreements import Graph, GraphInvalid, Snapshot, decide, explain, facts_of, load
from shared.agreements.model import Effect
from shared.canonical import canonical
from tests.rules.small import (
    POLICY,
    WORDS,
    bar,
    barred_alpha,
    clause,
    follows,
    gateway,
    org,
    pact,
    party,
    problems,
    remit,
    world,
)
from tests.seed.analyses.worlds import DAY, concerns, graphs, quick
from tests.unit.agreements.seeds import seed_graph

TODAY = date(2025, 11, 12)
FORBID = {"id": "c2", "effect": "FORBID"}


def found(graph: Graph, prefix: str, day: date = DAY) -> dict[str, Finding]:
    return {row.key: row for row in findings(graph, day) if row.key.startswith(prefix)}


def keys(*objects: dict[str, Any], prefix: str) -> set[str]:
    graph = world(*objects).graph
    rows = found(graph, prefix)
    assert all(confirms(Snapshot(graph, version=0, root=""), row) for row in rows.values())
    return set(rows)


def test_every_finding_on_the_seed_is_confirmed_by_the_evaluator() -> None:
    graph = seed_graph()
    rows = [row for row in findings(graph, TODAY) if not row.key.startswith("gap:")]
    assert {row.analysis for row in rows} >= {"conflicts", "reviews"}
    assert [row.key for row in rows if not confirms(Snapshot(graph, version=0, root=""), row)] == []


def test_the_concerns_of_the_seed_s_findings_are_taken_by_intake_s_form() -> None:
    rows = findings(seed_graph(), TODAY)
    some = [*rows[::97], *(row for row in rows if not row.key.startswith("gap:"))]
    assert len(some) > 100
    for row in some:
        ConcernForm.model_validate_json(canonical(row.evidence.concern))


@quick
@given(graphs())
def test_every_finding_on_any_graph_is_confirmed_by_the_evaluator(graph: Graph) -> None:
    snapshot = Snapshot(graph, version=0, root="")
    assert [row.key for row in findings(graph, DAY) if not confirms(snapshot, row)] == []


@quick
@given(graphs())
def test_a_permit_that_a_prohibition_alone_shuts_is_found(graph: Graph) -> None:
    snapshot = Snapshot(graph, version=0, root="")
    said = {tuple(key.split(":")[2:3]) for key in found(graph, "conflict:")}
    shut = {(cite,) for cite, failed in tried(snapshot) if failed == ("bar",)}
    assert shut <= said


@quick
@given(graphs())
def test_a_clause_called_dead_lets_nothing_through_on_any_day(graph: Graph) -> None:
    dead = {key.removeprefix("dead:") for key in found(graph, "dead:")}
    for day in (date(2024, 6, 1), date(2025, 1, 1), DAY, date(2025, 3, 4), date(2030, 1, 1)):
        snapshot = Snapshot(graph, version=0, root="")
        assert not dead & {cite for cite, failed in tried(snapshot, day) if set(failed) <= {"bar", "assumed"}}


@quick
@given(graphs())
def test_a_graph_without_its_redundant_clauses_decides_the_same(graph: Graph) -> None:
    rows = found(graph, "redundant:")
    for cite in {key.split(":")[1] for key in rows}:
        one, other = Snapshot(graph, version=0, root=""), Snapshot(without(graph, cite), version=0, root="")
        for concern in some_concerns(graph):
            facts = facts_of(concern)
            assert classes(one, facts) == classes(other, facts)


def classes(snapshot: Snapshot, facts: Any) -> list[tuple[str, str, dict[str, str], str | None]]:
    return [(row.org, row.klass.value, row.fields, row.onward) for row in decide(snapshot, facts).outcomes]


def without(graph: Graph, cite: str) -> Graph:
    agreements = {
        name: replace(row, clauses=tuple(c for c in row.clauses if c.cite != cite))
        for name, row in graph.agreements.items()
    }
    return replace(graph, agreements=agreements)


def some_concerns(graph: Graph, day: date = DAY) -> Iterator[dict[str, Any]]:
    for originator in sorted(graph.organisations):
        for number, concern in enumerate(concerns(graph, originator, day)):
            if number % 37 == 0:
                yield concern


def tried(snapshot: Snapshot, day: date = DAY) -> set[tuple[str, tuple[str, ...]]]:
    """Each clause with the gates that it fails, for concerns of every kind."""
    return {
        (trial.because.cite, trial.failed)
        for concern in some_concerns(snapshot.graph, day)
        for body in sorted(snapshot.graph.organisations)
        for trial in explain(snapshot, facts_of(concern), body)
        if not trial.ambiguous and trial.effect != Effect.FORBID.value
    }


def test_a_prohibition_against_a_permit_is_a_conflict_only_where_both_apply() -> None:
    assert keys(pact(clause(), clause(**FORBID)), prefix="conflict:forbid") == {"conflict:forbid:pact/c1:pact/c2"}
    apart = clause(**FORBID, when={"categories": ["fire-risk"]})
    assert keys(pact(clause(), apart), prefix="conflict:forbid") == set()


def test_a_prohibition_that_demands_two_categories_is_a_conflict_too() -> None:
    both = clause(**FORBID, when={"categories": ["harm"], "needs_all": ["harm", "theft"]})
    assert keys(pact(clause(), both), prefix="conflict:forbid") == {"conflict:forbid:pact/c1:pact/c2"}


def test_a_bar_that_no_gateway_opens_is_an_error_and_one_that_a_person_opens_a_warning() -> None:
    graph = world(barred_alpha(), bar()).graph
    assert found(graph, "conflict:bar")["conflict:bar:pact/c1:bar"].severity.value == "error"
    opened = world(barred_alpha(), bar(gateway(decided_by="person"))).graph
    assert found(opened, "conflict:bar")["conflict:bar:pact/c1:bar"].severity.value == "warning"


def test_two_onward_terms_for_one_body_and_category_contradict() -> None:
    other = clause(id="c2", onward="none")
    assert keys(pact(clause(), other), prefix="conflict:onward") == {"conflict:onward:pact/c1:pact/c2"}
    assert keys(pact(clause(), clause(id="c2", onward="none", when={"nations": ["wales"]})), prefix="conflict:onward")
    elsewhere = clause(id="c2", onward="none", when={"categories": ["fire-risk"]})
    assert keys(pact(clause(), elsewhere), prefix="conflict:onward") == set()


def test_a_protocol_that_carries_more_than_its_memorandum_is_a_conflict() -> None:
    parent = pact(clause(), id="mou", lineage="mou", instrument="mou")
    child = pact(clause(sensitivity_max=["personal_data", "child"]), instrument="jwp", supports="mou")
    assert keys(parent, child, prefix="conflict:parent") == {"conflict:parent:pact/c1:mou"}
    within = pact(clause(sensitivity_max=["personal_data"]), instrument="jwp", supports="mou")
    assert keys(parent, within, prefix="conflict:parent") == set()


def test_a_sharing_agreement_is_bound_only_by_a_ceiling_that_its_memorandum_states() -> None:
    parent = pact(clause(), id="mou", lineage="mou", instrument="mou")
    assert keys(parent, pact(supports="mou"), prefix="conflict:parent") == set()
    stated = {**parent, "sensitivity_cap": ["personal_data"]}
    assert keys(stated, pact(supports="mou"), prefix="conflict:parent") == {"conflict:parent:pact/c1:mou"}


def test_a_duty_that_cannot_carry_what_its_category_usually_holds_is_a_conflict() -> None:
    words = [{"id": "harm", "parent": "ecp-systems", "label": "harm", "sensitivity": "child"}]
    words += [{"id": name, "parent": "ecp-systems", "label": name} for name in ("theft", "fire-risk")]
    listed = {"kind": "vocabulary", "id": "categories", "terms": words}
    required = clause(effect="REQUIRE", sensitivity_max=["personal_data"])
    assert keys(listed, pact(required), prefix="conflict:required") == {"conflict:required:pact/c1:harm"}
    assert keys(listed, pact(clause(effect="REQUIRE")), prefix="conflict:required") == set()


DEAD = {
    "it leaves out the only topic it asks for": pact(clause(when={"topics": ["fire"], "topics_none": ["fire"]})),
    "it asks for a register on a provider": pact(clause(when={"subject_kinds": ["provider"], "registers": ["gmc"]})),
    "its parties are never in it together": pact(
        parties=[party("alpha", None, "2024-01-01"), party("beta", "2024-01-01"), party("gamma")]
    ),
    "its recipient has no such remit": pact(clause(when={"categories": ["theft"], "recipient_remit": "required"})),
}


@pytest.mark.parametrize("agreement", DEAD.values(), ids=DEAD)
def test_a_clause_that_nothing_can_satisfy_is_dead(agreement: dict[str, Any]) -> None:
    assert keys(agreement, prefix="dead:") == {"dead:pact/c1"}


def test_a_clause_is_not_dead_because_it_has_ended_demands_two_categories_or_is_switched_off() -> None:
    assert keys(pact(in_force={"from": None, "to": "2020-01-01"}), prefix="dead:") == set()
    assert keys(pact(clause(when={"needs_all": ["harm", "theft"]})), prefix="dead:") == set()
    assert keys(pact(clause(certainty="assumed")), prefix="dead:") == set()


def test_a_clause_within_another_is_redundant_unless_it_protects_more() -> None:
    narrow = clause(id="c2", when={"categories": ["harm"]})
    assert keys(pact(clause(), narrow), prefix="redundant:") == {"redundant:pact/c2:pact/c1"}
    assert keys(pact(clause(), {**narrow, "fields": {"narrative": "omit"}}), prefix="redundant:") == set()
    assert keys(pact(clause(), {**narrow, "effect": "REQUIRE"}), prefix="redundant:") == set()
    assert keys(pact(clause(), {**narrow, "onward": "none"}), prefix="redundant:") == set()


def test_of_two_equal_clauses_one_is_redundant() -> None:
    assert keys(pact(clause(), clause(id="c2")), prefix="redundant:") == {"redundant:pact/c2:pact/c1"}


def test_a_review_is_overdue_from_the_day_after_it_was_due_and_only_while_in_force() -> None:
    assert keys(pact(review_due="2025-03-02"), prefix="review") == {"review-overdue:pact"}
    assert keys(pact(review_due="2025-03-03"), prefix="review") == set()
    assert keys(pact(review_due="2020-03-03", terminated="2021-01-01"), prefix="review") == set()


def test_an_agreement_signed_by_a_body_that_is_gone_names_who_acts_for_it() -> None:
    graph = world(org("delta"), follows("beta", "delta", novation="inherited_pending_review")).graph
    row = found(graph, "signed-by-the-gone")["signed-by-the-gone:pact:beta"]
    assert "delta (inherited pending review) acts for it" in row.sentence
    lapsed = world(org("delta"), follows("beta", "delta", novation="not_carried")).graph
    assert "Nobody acts for it" in found(lapsed, "signed-by-the-gone")["signed-by-the-gone:pact:beta"].sentence


def test_circles_are_the_reader_s_to_refuse_and_are_named_as_such() -> None:
    rows = [org("delta"), follows("beta", "delta"), follows("delta", "beta")]
    assert problems(*rows)
    with pytest.raises(GraphInvalid) as refused:
        load([dict(row) for row in _with(rows)])
    assert circles(refused.value.problems)


def _with(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    words = [{"kind": "vocabulary", "id": name, "terms": terms} for name, terms in WORDS.items()]
    return [*words, POLICY, org("alpha"), org("beta", remit()), org("gamma"), pact(), *rows]
