"""P15: bodies come and go; a signature is followed once, to the right body, and no further than what was passed on."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shared.agreements import Because, Decision, Facts, Snapshot, decide, facts_of
from shared.agreements.model import Succession
from shared.agreements.succession import Lineage
from tests.support.concerns import concerns
from tests.support.graph_words import ORGS
from tests.support.graphs import graphs, snapshot_of, worlds
from tests.support.laws import Row, law, merged, of_kind, told

REACHED = ("told", "available")
PAIRS = tuple((one, other) for one in ORGS for other in ORGS if one < other)
HEIR = "omega"


def _lineage(snapshot: Snapshot, facts: Facts) -> Lineage:
    return Lineage(snapshot.successions, snapshot.graph.organisations, facts.day, facts.functions, facts.categories)


@law
@given(worlds(), concerns(), st.booleans())
def test_p15_to_resolve_twice_is_to_resolve_once_and_no_way_crosses_itself(
    snapshot: Snapshot, routing: Row, personal: bool
) -> None:
    lineage = _lineage(snapshot, facts_of(routing))
    for party in ORGS:
        reached = lineage.resolve(party, personal=personal)
        assert reached
        assert len({row.org for row in reached}) == len(reached)
        for row in reached:
            assert (row.path[0], row.path[-1]) == (party, row.org)
            assert len(set(row.path)) == len(row.path)
            assert [again.org for again in lineage.resolve(row.org, personal=personal)] == [row.org]


@law
@given(worlds(), concerns())
def test_p15_every_step_of_a_way_is_a_succession_that_has_happened_and_passes_agreements_on(
    snapshot: Snapshot, routing: Row
) -> None:
    """Planned and `not_carried` ones are never followed; a personal signature only where it is carried (rule 8)."""
    facts = facts_of(routing)
    for row in _cited(decide(snapshot, facts)):
        personal = snapshot.graph.sharing()[row.agreement].personal
        for step in _steps(snapshot, row):
            assert any(_follows(found, facts) and (found.carries_ecp_signature or not personal) for found in step)


def _cited(decision: Decision) -> list[Because]:
    return [row for outcome in decision.outcomes for row in outcome.because]


def _steps(snapshot: Snapshot, row: Because) -> list[list[Succession]]:
    """The successions that lead from each body of the way to the next; the step to a division's parent is none."""
    pairs = zip(row.path, row.path[1:], strict=False)
    bodies = snapshot.graph.organisations
    return [
        [found for found in snapshot.graph.successions if (found.predecessor, found.successor) == (before, after)]
        for before, after in pairs
        if bodies[before].deliver_to != after
    ]


def _follows(row: Succession, facts: Facts) -> bool:
    return row.effective is not None and row.effective <= facts.day and row.novation != "not_carried"


@law
@given(worlds(), concerns())
def test_p15_a_part_is_followed_no_further_than_the_functions_it_names(snapshot: Snapshot, routing: Row) -> None:
    """By the concern's functions, and by its categories only if it names none; else a person chooses."""
    facts = facts_of(routing)
    for outcome in decide(snapshot, facts).outcomes:
        if outcome.klass.value not in REACHED:
            continue
        for row in outcome.because:
            for step in _steps(snapshot, row):
                assert any(not found.partial or _meets(found, facts) for found in step)


def _meets(row: Succession, facts: Facts) -> bool:
    if facts.functions:
        return bool(row.functions & facts.functions)
    return bool(row.categories & facts.categories)


@law
@given(worlds(), concerns())
def test_p15_predecessor_and_successor_are_never_both_told_under_one_signature(
    snapshot: Snapshot, routing: Row
) -> None:
    decision = decide(snapshot, facts_of(routing))
    seen: dict[Any, set[str]] = {}
    for outcome in decision.told:
        for row in outcome.because:
            seen.setdefault((row.cite, row.signed_as), set()).add(outcome.org)
        assert len({(row.cite, row.signed_as) for row in outcome.because}) == len(outcome.because)
    for outcome in decision.told:
        for row in outcome.because:
            assert not (set(row.path[:-1]) & seen[row.cite, row.signed_as])


@law
@given(worlds(), concerns())
def test_p15_a_body_that_is_gone_or_wholly_replaced_hears_nothing_and_says_so(snapshot: Snapshot, routing: Row) -> None:
    facts = facts_of(routing)
    decision = decide(snapshot, facts)
    for org, body in snapshot.graph.organisations.items():
        replaced = any(
            row.effective is not None and row.effective <= facts.day and not row.partial
            for row in snapshot.graph.successions
            if row.predecessor == org
        )
        gone = body.exists.end is not None and body.exists.end <= facts.day
        outcome = decision.of(org)
        if (replaced or gone or body.deliver_to) and org != facts.originator and not _held_whole(decision):
            assert (outcome.klass.value, outcome.reason) == ("no_path", "REPLACED_BY_SUCCESSOR")
        else:
            assert outcome.reason != "REPLACED_BY_SUCCESSOR"


def _held_whole(decision: Decision) -> bool:
    return bool(set(decision.hold) - {"HOLD_SUCCESSION_AMBIGUOUS"})


@law
@given(graphs(), concerns(), st.sampled_from(PAIRS), st.integers(0, 4))
def test_p15_after_a_merger_the_one_body_hears_once_what_either_would_have_heard(
    rows: list[Row], routing: Row, pair: tuple[str, str], at: int
) -> None:
    """Two bodies alike in remit and sector, neither the originator, named nor a subject, become a third like them."""
    others = [org for org in ORGS if org not in pair]
    asked = {
        **routing, "originator": others[at], "named_recipients": [], "provenance": [],
        "subjects": [{**row, "org": None} for row in routing["subjects"]],
    }  # fmt: skip
    before, after = _apart(rows, pair), _together(rows, pair)
    apart, together = (decide(snapshot_of(graph), facts_of(asked)) for graph in (before, after))
    heard, now = [apart.of(org) for org in pair], together.of(HEIR)
    assert not told(together) & set(pair)
    if any(outcome.reason == "FORBIDDEN" for outcome in heard):
        return
    assert now.told == any(outcome.told for outcome in heard)
    cited = {(row.cite, row.signed_as) for outcome in heard if outcome.told for row in outcome.because}
    if now.told:
        assert {(row.cite, row.signed_as) for row in now.because} == cited
        assert all(row.path[-2:] in {(org, HEIR) for org in pair} for row in now.because)


def _apart(rows: list[Row], pair: tuple[str, str]) -> list[Row]:
    """The graph in which both bodies (and the heir) exist always, share one remit, and have no divisions.

    Rule 5: a division delivers to the parent that its own row names, and not to a successor of that parent.
    """
    bodies = {row["id"]: row for row in of_kind(rows, "organisation")}
    first = bodies[pair[0]]
    like = {"remits": first["remits"], "sector": first["sector"], "exists": {"from": None, "to": None}}
    plain = [{key: item for key, item in {**bodies[org], **like}.items() if key != "deliver_to"} for org in pair]
    heir = {key: item for key, item in plain[0].items() if key != "bars"}
    steps = [row for row in rows if row["kind"] == "succession" and {row["from"], row["to"]} & set(pair)]
    kept = [_without_parent(row, pair) for row in rows if row not in steps]
    return merged(kept, *plain, {**heir, "id": HEIR, "name": HEIR})


def _without_parent(row: Row, pair: tuple[str, str]) -> Row:
    return {key: item for key, item in row.items() if key != "deliver_to" or item not in pair}


def _together(rows: list[Row], pair: tuple[str, str]) -> list[Row]:
    step = {"kind": "succession", "to": HEIR, "type": "merge", "effective": "2020-01-01", "certainty": "source"}
    passed = {"novation": "inherited", "ecp_signature": "carried"}
    return [*_apart(rows, pair), *({**step, **passed, "id": f"into-{org}", "from": org} for org in pair)]
