"""P3 and P4: neither the order of anything nor the name of a body decides."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.agreements import Because, Decision, Outcome, decide, facts_of
from shared.graphroot import graph_root
from tests.support.concerns import concerns
from tests.support.graph_words import ORGS
from tests.support.graphs import AGREEMENTS, graphs, snapshot_of
from tests.support.laws import Row, encoded, law, mapped

# Lists whose order is their meaning: ordered vocabularies, and lead rules, where the first match wins.
IN_ORDER = ("vocabulary", "lead_rule")


def shuffled(value: Any, shuffler: Any) -> Any:
    if isinstance(value, dict):
        items = [(key, shuffled(item, shuffler)) for key, item in value.items()]
        shuffler.shuffle(items)
        return dict(items)
    if isinstance(value, list):
        mixed = [shuffled(item, shuffler) for item in value]
        shuffler.shuffle(mixed)
        return mixed
    return value


def shuffled_rows(rows: list[Row], shuffler: Any) -> list[Row]:
    mixed = [row if row["kind"] in IN_ORDER else shuffled(row, shuffler) for row in rows]
    shuffler.shuffle(mixed)
    return mixed


@law
@given(graphs(), concerns(), st.randoms(use_true_random=True))
def test_p3_the_order_of_objects_clauses_parties_and_keys_changes_nothing(
    rows: list[Row], routing: Row, shuffler: Any
) -> None:
    mixed = snapshot_of(shuffled_rows(rows, shuffler))
    decision = decide(snapshot_of(rows), facts_of(routing))
    again = decide(mixed, facts_of(shuffled(routing, shuffler)))
    assert encoded(again) == encoded(decision)
    assert again == decision


@law
@given(graphs(), st.randoms(use_true_random=True))
def test_p3_the_root_of_a_graph_does_not_depend_on_the_order_of_objects_and_keys(
    rows: list[Row], shuffler: Any
) -> None:
    turned = [dict(reversed(row.items())) for row in rows]
    shuffler.shuffle(turned)
    assert graph_root(turned) == graph_root(rows)
    renamed = {**turned[0], "id": f"{turned[0]['id']}-x"}
    assert graph_root([renamed, *turned[1:]]) != graph_root(rows)


@law
@given(graphs(), concerns(), st.permutations(ORGS))
def test_p4_another_name_for_every_body_names_them_otherwise_and_nothing_else(
    rows: list[Row], routing: Row, names: list[str]
) -> None:
    changed = dict(zip(ORGS, names, strict=True))
    decision = decide(snapshot_of(rows), facts_of(routing))
    renamed = decide(snapshot_of(mapped(rows, _by(changed))), facts_of(mapped(routing, _by(changed))))
    assert _seen(renamed, {}) == _seen(decision, changed)


@law
@given(graphs(), concerns(), st.permutations(AGREEMENTS))
def test_p4_another_name_for_every_agreement_decides_alike(rows: list[Row], routing: Row, names: list[str]) -> None:
    """Which of several equally strict or equally near clauses is named may follow its id; what is decided may not."""
    changed = dict(zip(AGREEMENTS, names, strict=True))
    decision = decide(snapshot_of(rows), facts_of(routing))
    renamed = decide(snapshot_of(mapped(rows, _by(changed))), facts_of(routing))
    assert _seen(renamed, {}) == _seen(decision, changed)


def _by(names: dict[str, str]) -> Any:
    return lambda text: names.get(text, text)


def _seen(decision: Decision, names: dict[str, str]) -> Any:
    """All that a decision says, with names changed, without the order that names give it."""
    by = _by(names)
    lead = decision.lead
    return (
        by(decision.originator),
        sorted(_outcome(outcome, by) for outcome in decision.outcomes),
        (decision.hold, decision.detail, decision.unroutable, decision.originator_leads),
        lead and (lead.rules, sorted(map(by, lead.any_of)), lead.nominated and by(lead.nominated)),
        sorted(_flag(flag, by) for flag in decision.flags),
    )


def _outcome(outcome: Outcome, by: Any) -> Any:
    because = sorted(_because(row, by) for row in outcome.because)
    sent: Any = ()
    if payload := outcome.payload:
        limits = tuple((limit.name, limit.amount, limit.unit) for limit in payload.duties.limits)
        held_back = tuple(row.field for row in payload.withheld)
        duties = (payload.duties.tasks, payload.duties.channels, payload.duties.marking or "")
        sent = (
            payload.fields,
            held_back,
            payload.pointer_only,
            limits,
            duties,
            payload.onward,
            str(payload.valid_until),
        )
    return by(outcome.org), outcome.klass.value, outcome.reason, because, outcome.flags, sent


def _because(row: Because, by: Any) -> Any:
    sides = by(row.signed_as.discloser), by(row.signed_as.recipient)
    return by(row.agreement), row.clause, sides, tuple(map(by, row.path))


def _flag(flag: str, by: Any) -> str:
    kind, _, about = flag.partition(":")
    return f"{kind}:{'->'.join(map(by, about.split('->')))}"
