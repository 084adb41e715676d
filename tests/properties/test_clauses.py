"""P6 to P9 and P12: what another clause, another limit or the other direction can and cannot do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.agreements import Decision, Facts, Graph, Outcome, Snapshot, alone, decide, facts_of
from shared.agreements.model import Clause, Effect
from tests.support.concerns import concerns
from tests.support.dice import Dice
from tests.support.graph_words import COMPONENTS, ORGS, WORDS
from tests.support.graphs import AGREEMENTS, clause, graphs, snapshot_of, worlds
from tests.support.laws import Row, law, of_kind, shows_no_more, told

EMPTY: dict[str, Any] = {"agreements": {}, "duties": {}, "bars": {}}


def _decide(graph: Graph, facts: Facts) -> Decision:
    return decide(Snapshot(graph, version=1, root="r"), facts)


@law
@given(worlds(), concerns())
def test_p6_without_a_clause_nobody_is_told_and_nobody_can_be_chosen(snapshot: Snapshot, routing: Row) -> None:
    decision = _decide(replace(snapshot.graph, **EMPTY), facts_of({**routing, "gateways": []}))
    assert {outcome.klass.value for outcome in decision.outcomes} <= {
        "originator",
        "gap",
        "no_path",
        "withheld",
        "held",
    }
    assert all(outcome.because == () for outcome in decision.outcomes)


@law
@given(worlds(), concerns())
def test_p6_every_clause_that_is_cited_tells_alone_with_its_bodies_and_bars(snapshot: Snapshot, routing: Row) -> None:
    """Of all that shares, only the agreement (or duty, or bar with its gateways) that is cited is left."""
    facts, graph = facts_of(routing), snapshot.graph
    for outcome in decide(snapshot, facts).told:
        for row in outcome.because:
            kept = {name: found for name, found in graph.agreements.items() if name == row.agreement}
            duties = {name: found for name, found in graph.duties.items() if name == row.agreement}
            only = _decide(replace(graph, agreements=kept, duties=duties), facts)
            assert outcome.org in told(only)


@law
@given(worlds(), concerns())
def test_p6_an_agreement_that_tells_also_tells_alone_as_its_examples_are_read(snapshot: Snapshot, routing: Row) -> None:
    """With every assumed clause on: an assumed prohibition of its own then binds, too, so such agreements are not
    asked. Gateways go with the bars."""
    facts = facts_of({**routing, "gateways": []})
    agreements = snapshot.graph.agreements.items()
    asked = {name for name, found in agreements if not any(_is_assumed_prohibition(row) for row in found.clauses)}
    for outcome in decide(snapshot, facts).told:
        for agreement in {row.agreement for row in outcome.because} & asked:
            assert outcome.org in told(_decide(alone(snapshot.graph, agreement), facts))


def _is_assumed_prohibition(clause: Clause) -> bool:
    return clause.assumed and clause.effect is Effect.FORBID


def _extra(data: bytes, effect: str) -> Row:
    """An agreement of all bodies, always in force, with one clause of that effect."""
    parties = [{"org": org, "capacity": "signatory", "from": None, "to": None} for org in ORGS]
    row: Row = {"kind": "agreement", "id": "extra", "title": "extra", "lineage": "extra", "status": "current"}
    row |= {"instrument": "isa", "in_force": {"from": None, "to": None}, "nations": ["england", "wales"]}
    only = {**clause(Dice(data), "c1", list(ORGS)), "effect": effect}
    return {**row, "binding": False, "parties": parties, "clauses": [only], "certainty": "source"}


def extras(effect: str) -> st.SearchStrategy[Row]:
    return st.binary(min_size=60, max_size=60).map(lambda data: _extra(data, effect))


@law
@given(graphs(), extras("PERMIT"), concerns())
def test_p7_another_permit_never_removes_a_recipient(rows: list[Row], extra: Row, routing: Row) -> None:
    before = decide(snapshot_of(rows), facts_of(routing))
    after = decide(snapshot_of([*rows, extra]), facts_of(routing))
    assert told(before) <= told(after)
    assert _telling(before) <= _telling(after)


@law
@given(graphs(), extras("PERMIT"), concerns())
def test_p7_another_permit_shows_a_recipient_nothing_more(rows: list[Row], extra: Row, routing: Row) -> None:
    """But for a clause with a standing necessity: one necessity opens a bar for the disclosure as a whole
    (CONTRACTS 5: the concern's, or the clause's), so what the bar left out may travel."""
    plain = {**extra, "clauses": [{k: v for k, v in extra["clauses"][0].items() if k != "standing_necessity"}]}
    quiet = [without_ways(row) for row in rows]
    before = decide(snapshot_of(quiet), facts_of(routing))
    after = decide(snapshot_of([*quiet, plain]), facts_of(routing))
    for outcome in before.told:
        assert shows_no_more(after.of(outcome.org), outcome)


def without_ways(row: Row) -> Row:
    """A bar whose gateways depend on no clause: what opens it is then the concern's own."""
    if row["kind"] != "bar":
        return row
    return {**row, "gateways": [way for way in row["gateways"] if "permits" not in way and "agreements" not in way]}


@law
@given(graphs(), extras("FORBID"), concerns())
def test_p8_a_prohibition_never_adds_a_recipient_nor_a_choice(rows: list[Row], extra: Row, routing: Row) -> None:
    before = decide(snapshot_of(rows), facts_of(routing))
    after = decide(snapshot_of([*rows, extra]), facts_of(routing))
    assert told(after) <= told(before)
    assert _reachable(after) <= _reachable(before)
    for outcome in after.told:
        assert shows_no_more(outcome, before.of(outcome.org))


def _reachable(decision: Decision) -> set[str]:
    return {outcome.org for outcome in decision.outcomes if outcome.klass.value in ("told", "available")}


def _telling(decision: Decision) -> set[Any]:
    return {(outcome.org, row) for outcome in decision.told for row in outcome.because}


@law
@given(worlds(), concerns(), st.sampled_from(COMPONENTS))
def test_p9_more_sensitive_information_never_reaches_more(snapshot: Snapshot, routing: Row, component: str) -> None:
    _reaches_no_more(snapshot, routing, {"sensitivity": sorted({*routing["sensitivity"], component})})


@law
@given(worlds(), concerns(), st.integers(0, 2))
def test_p9_one_purpose_fewer_never_reaches_more(snapshot: Snapshot, routing: Row, at: int) -> None:
    """Of several that are stated: no purpose at all means the default (CONTRACTS 4)."""
    left = [purpose for number, purpose in enumerate(routing["purposes"]) if number != at]
    _reaches_no_more(snapshot, routing, {"purposes": left or routing["purposes"]})


@law
@given(worlds(), concerns(), st.sampled_from(("free", "ask_originator", "none")), st.sampled_from(ORGS))
def test_p9_a_longer_way_never_reaches_more(snapshot: Snapshot, routing: Row, onward: str, granted: str) -> None:
    hop = {"from": "gamma", "to": routing["originator"], "onward": onward, "granted": [granted]}
    _reaches_no_more(snapshot, routing, {"provenance": [*routing["provenance"], hop]})


def _reaches_no_more(snapshot: Snapshot, routing: Row, change: Row) -> None:
    """P9 as the semantics have it: nobody and no clause comes in anew.

    A field may travel in a clearer form only where a stricter clause no longer tells: the payload is the meet of the
    clauses that tell (rule 15), and a clause that fails a gate tells nothing. What stays told by the same clauses is
    shown no more.
    """
    before, after = decide(snapshot, facts_of(routing)), decide(snapshot, facts_of({**routing, **change}))
    assert told(after) <= told(before)
    assert _reachable(after) <= _reachable(before)
    assert _telling(after) <= _telling(before)
    for outcome in after.told:
        same = outcome.because == before.of(outcome.org).because
        assert not same or shows_no_more(outcome, before.of(outcome.org))


@law
@given(worlds(), concerns(), st.sampled_from(WORDS["field_classes"]))
def test_p9_another_field_class_never_adds_a_recipient_or_a_field(snapshot: Snapshot, routing: Row, name: str) -> None:
    stated = {**routing, "field_classes": routing["field_classes"] or ["header"]}
    before = decide(snapshot, facts_of(stated))
    after = decide(snapshot, facts_of({**stated, "field_classes": sorted({*stated["field_classes"], name})}))
    assert told(after) == told(before)
    assert all(shows_no_more(outcome, before.of(outcome.org)) for outcome in after.told)


@law
@given(graphs(), concerns())
def test_p12_both_and_among_are_their_one_way_clauses_and_nothing_else(rows: list[Row], routing: Row) -> None:
    facts = facts_of(routing)
    written, directed = decide(snapshot_of(rows), facts), decide(snapshot_of([*map(_one_way, rows)]), facts)
    assert facts.originator not in told(written)
    assert [_in_short(outcome) for outcome in written.outcomes] == [_in_short(outcome) for outcome in directed.outcomes]


def _in_short(outcome: Outcome) -> Any:
    return outcome.org, outcome.klass, outcome.reason, outcome.flags, outcome.fields, outcome.onward


def _one_way(row: Row) -> Row:
    """The agreement with every clause in one direction, written out for each discloser."""
    if row["kind"] not in ("agreement", "duty"):
        return row
    signed = sorted({party["org"] for party in row["parties"] if party["capacity"] == "signatory"})
    return {**row, "clauses": [one for found in row["clauses"] for one in _directed(found, signed)]}


def _directed(found: Row, signed: list[str]) -> list[Row]:
    ways = [(found["from"], found["to"])]
    ways += [(found["to"], found["from"])] if found["direction"] == "both" else []
    pairs = [(teller, tos) for froms, tos in ways for name in froms for teller in _expanded(name, signed)]
    return [
        {**found, "id": f"{found['id']}-{at}", "direction": "one_way", "from": [teller], "to": kept}
        for at, (teller, tos) in enumerate(pairs)
        if (kept := [to for to in tos if to != teller])
    ]


def _expanded(name: str, signed: list[str]) -> list[str]:
    return signed if name == "@signatories" else [name]


@law
@given(graphs(), concerns())
def test_p12_whoever_is_told_stands_on_the_hearing_side_of_the_clause(rows: list[Row], routing: Row) -> None:
    owners = {row["id"]: row for kind in ("agreement", "duty") for row in of_kind(rows, kind)}
    for outcome in decide(snapshot_of(rows), facts_of(routing)).told:
        for row in outcome.because:
            if row.agreement in owners:
                sides = row.signed_as.discloser, row.signed_as.recipient
                assert sides in _allowed(owners[row.agreement], row.clause, routing["named_recipients"])


def _allowed(owner: Row, name: str, named: list[str]) -> set[tuple[str, str]]:
    signed = [party["org"] for party in owner["parties"] if party["capacity"] == "signatory"]
    found = next(item for item in owner["clauses"] if item["id"] == name)
    tellers = {org for side in found["from"] for org in _expanded(side, signed)}
    hearers = {org for side in found["to"] for org in (named if side == "@named" else _expanded(side, signed))}
    there = {(teller, hearer) for teller in tellers for hearer in hearers}
    return there | ({(hearer, teller) for teller, hearer in there} if found["direction"] == "both" else set())


@law
@given(graphs(), concerns(), st.sampled_from(AGREEMENTS))
def test_p12_clauses_turned_round_tell_nobody_for_who_told_before(rows: list[Row], routing: Row, name: str) -> None:
    """One-way clauses between bodies that are named, one side apart from the other, and nobody in another's place."""
    found = next(row for row in of_kind(rows, "agreement") if row["id"] == name)
    pairs = [item for item in found["clauses"] if item["direction"] == "one_way" and _apart(item)]
    facts = facts_of({**routing, "gateways": []})
    turned = [{**item, "from": item["to"], "to": item["from"]} for item in pairs]
    there, back = (told(decide(snapshot_of(_between(rows, found, clauses)), facts)) for clauses in (pairs, turned))
    tellers, hearers = ({org for item in pairs for org in item[side]} for side in ("from", "to"))
    assert tellers & hearers or not (there and back)


def _apart(item: Row) -> bool:
    return not any(name.startswith("@") for name in (*item["from"], *item["to"]))


def _between(rows: list[Row], found: Row, clauses: list[Row]) -> list[Row]:
    """The bodies as they are, under one agreement with these clauses."""
    bodies = [
        {key: item for key, item in row.items() if key not in ("bars", "deliver_to")}
        for row in of_kind(rows, "organisation")
    ]
    policy = {**of_kind(rows, "policy")[0], "assumed_clauses": {"default": True, "agreements": {}}}
    loose = {key: item for key, item in found.items() if key not in ("supersedes", "supports")}
    sharing = [{**loose, "clauses": clauses}] if clauses else []
    return [*of_kind(rows, "vocabulary"), *bodies, policy, *sharing]
