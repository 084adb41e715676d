"""P10 and P11: the most protective of all, nothing beyond the inventory, and no way on without leave."""

from __future__ import annotations

import json
from functools import reduce
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.redaction import HEADER_FIELDS, Terms, redact
from shared.agreements import Class, Decision, Outcome, Snapshot, decide, facts_of
from shared.agreements.model import Clause, Graph
from tests.support.concerns import concerns
from tests.support.graph_words import ORGS, WORDS
from tests.support.graphs import worlds
from tests.support.laws import ORDER, Row, law, told

ONWARD = ("none", "ask_originator", "free")
FIELDS = WORDS["field_classes"]


def _clauses(graph: Graph) -> dict[str, Clause]:
    return {clause.cite: clause for owner in graph.sharing().values() for clause in owner.clauses}


def _telling(snapshot: Snapshot, outcome: Outcome) -> list[Clause]:
    clauses = _clauses(snapshot.graph)
    return [clauses[row.cite] for row in outcome.because]


def _policy(snapshot: Snapshot, clause: Clause, name: str) -> str:
    return clause.fields.get(name, snapshot.graph.policy.fields.get(name, "omit"))


def meet(one: str, other: str) -> str:
    return min(one, other, key=ORDER.index)


@law
@given(worlds(), concerns())
def test_p10_a_field_travels_as_the_meet_of_every_clause_that_tells_or_a_bar_omits_it(
    snapshot: Snapshot, routing: Row
) -> None:
    for outcome in decide(snapshot, facts_of(routing)).told:
        assert sorted(outcome.fields) == sorted(FIELDS)
        barred = {row.field for row in outcome.withheld if row.by in snapshot.graph.bars}
        for name, policy in outcome.fields.items():
            agreed = [_policy(snapshot, clause, name) for clause in _telling(snapshot, outcome)]
            met = reduce(meet, agreed + _masks(routing, name))
            assert policy == ("omit" if name in barred else met)


def _masks(routing: Row, name: str) -> list[str]:
    """What each hop that says so let this class go on as."""
    return [hop["fields"].get(name, "omit") for hop in routing["provenance"] if "fields" in hop]


@law
@given(worlds(), concerns())
def test_p10_each_class_that_does_not_travel_is_named_with_what_leaves_it_out(snapshot: Snapshot, routing: Row) -> None:
    graph = snapshot.graph
    for outcome in decide(snapshot, facts_of(routing)).told:
        assert [row.field for row in outcome.withheld] == sorted(k for k, v in outcome.fields.items() if v == "omit")
        cited = {clause.cite: clause for clause in _telling(snapshot, outcome)}
        for row in outcome.withheld:
            by_bar = row.by in graph.bars and row.field in graph.bars[row.by].fields
            by_clause = row.by in cited and cited[row.by].fields.get(row.field) == "omit"
            by_default = row.by == "field_policy_default" and graph.policy.fields.get(row.field, "omit") == "omit"
            by_hop = row.by == "provenance" and "omit" in _masks(routing, row.field)
            assert by_bar or by_clause or by_default or by_hop


@law
@given(worlds(), concerns())
def test_p10_duties_are_the_strictest_of_each_and_all_of_them(snapshot: Snapshot, routing: Row) -> None:
    facts = facts_of(routing)
    for outcome in decide(snapshot, facts).told:
        clauses = _telling(snapshot, outcome)
        assert ONWARD.index(str(outcome.onward)) <= min(ONWARD.index(clause.onward) for clause in clauses)
        assert facts.onward is None or ONWARD.index(str(outcome.onward)) <= ONWARD.index(facts.onward)
        assert {task for clause in clauses for task in clause.tasks} <= set(outcome.duties.tasks)
        assert {clause.channel for clause in clauses} - {None} == set(outcome.duties.channels)
        agreed = {limit.name: limit for clause in clauses for limit in clause.limits}
        default = snapshot.graph.policy.acknowledge.get(facts.urgency)
        assert {limit.name for limit in outcome.duties.limits} == {*agreed, *({"acknowledge"} if default else ())}
        for limit in outcome.duties.limits:
            rivals = [row for clause in clauses for row in clause.limits if row.name == limit.name]
            assert limit in rivals or (not rivals and limit == default)
            assert all(_hours(limit) <= _hours(rival) for rival in rivals)


def _hours(limit: Any) -> int:
    """At most this long by the clock: a working day can stretch over a weekend and two bank holidays."""
    hours = {"clock_hours": 1, "working_hours": 3, "calendar_days": 24, "working_days": 34, "months": 730}
    return int(limit.amount * hours[limit.unit])


@law
@given(worlds(), concerns())
def test_p10_only_a_pointer_goes_where_nothing_else_of_the_concern_would_be_left(
    snapshot: Snapshot, routing: Row
) -> None:
    present = set(routing["field_classes"] or FIELDS) - {"header"}
    for outcome in decide(snapshot, facts_of(routing)).told:
        left = {name for name in present if outcome.fields[name] != "omit"}
        assert outcome.pointer_only == (bool(present) and not left)


SECRET = ("Jo Smith", "Ravenwood", "7654321", "a diagnosis", "call me on 0999")
DETAIL: Row = {
    "summary": SECRET[3],
    "source": {"name": SECRET[4]},
    "subjects": [{"name": SECRET[0], "identifiers": [{"scheme": "gmc", "value": SECRET[2]}]}],
    "annex": [{"class": "registrant-health", "label": SECRET[1], "text": SECRET[3]}],
}
CLASSES = ("header", "registrant", "narrative", "source-identity", "registrant-health")


def _redacted(routing: Row, policies: tuple[str, ...], *, pointer: bool) -> Row:
    clear = {**routing, "originator_ref": "ref-1", "subjects": [{"kind": "registrant", "registers": ["gmc"]}]}
    return redact(clear, DETAIL, Terms(dict(zip(CLASSES, policies, strict=True)), pointer), lambda _, __: "token")


@law
@given(concerns(), st.tuples(*[st.sampled_from(ORDER)] * len(CLASSES)), st.booleans())
def test_p10_what_is_left_out_or_generalised_is_in_no_byte_of_what_travels(
    routing: Row, policies: tuple[str, ...], pointer: bool
) -> None:
    shown = json.dumps(_redacted(routing, policies, pointer=pointer))
    policy = dict(zip(CLASSES, policies, strict=True))
    plain = {name for name, found in policy.items() if found == "full"} if not pointer else set()
    plain = plain if policy["header"] != "omit" else set()
    for name, secrets in {"registrant": SECRET[:1] + SECRET[2:3], "source-identity": SECRET[4:]}.items():
        assert all((secret in shown) == (name in plain) for secret in secrets)
    assert (SECRET[3] in shown) == bool({"narrative", "registrant-health"} & plain)
    assert (SECRET[1] in shown) == ("registrant-health" in plain)


@law
@given(concerns(), st.tuples(*[st.sampled_from(ORDER)] * len(CLASSES)), st.booleans())
def test_p10_what_travels_holds_no_key_beyond_the_inventory_and_redacting_it_again_hides_nothing_twice(
    routing: Row, policies: tuple[str, ...], pointer: bool
) -> None:
    shown = _redacted({**routing, "slipped_in": SECRET[1]}, policies, pointer=pointer)
    assert shown.keys() <= {*HEADER_FIELDS, "subjects", "summary", "source", "annex"}
    terms = Terms(dict(zip(CLASSES, policies, strict=True)), pointer)
    header = {key: value for key, value in shown.items() if key in HEADER_FIELDS}
    again = redact(header, {}, terms, lambda _, __: "token")
    assert {key: value for key, value in again.items() if key in HEADER_FIELDS} == header


@law
@given(worlds(), concerns(), st.sampled_from(ONWARD), st.sampled_from(ORGS))
def test_p11_a_body_hears_only_what_every_hop_lets_go_on_to_it(
    snapshot: Snapshot, routing: Row, onward: str, granted: str
) -> None:
    hop = {"from": granted, "to": routing["originator"], "onward": onward, "granted": [granted]}
    passed_on = {**routing, "provenance": [*routing["provenance"], hop]}
    decision = decide(snapshot, facts_of(passed_on))
    fresh = decide(snapshot, facts_of({**routing, "provenance": []}))
    assert told(decision) <= told(fresh)
    for outcome in decision.outcomes:
        if outcome.klass.value in ("told", "available"):
            assert all(_admits(row, outcome.org) for row in passed_on["provenance"])


MASKS = st.dictionaries(st.sampled_from(FIELDS), st.sampled_from(ORDER))


@law
@given(worlds(), concerns(), st.lists(MASKS, max_size=2), MASKS)
def test_p10_what_came_from_others_goes_on_no_wider_than_it_was_given_to_any_body_on_its_way(
    snapshot: Snapshot, routing: Row, before: list[Row], last: Row
) -> None:
    """A hop more takes fields away and tells nobody more; each field is at most what every hop gave."""
    hops = [_given(routing, fields) for fields in (*before, last)]
    shorter = decide(snapshot, facts_of({**routing, "provenance": hops[:-1]}))
    longer = decide(snapshot, facts_of({**routing, "provenance": hops}))
    assert told(longer) == told(shorter)
    for outcome in longer.told:
        wider = shorter.of(outcome.org).fields
        for name, policy in outcome.fields.items():
            assert policy == meet(wider[name], last.get(name, "omit"))
            assert all(meet(policy, mask) == policy for mask in _masks({"provenance": hops}, name))


def _given(routing: Row, fields: Row) -> Row:
    return {"from": ORGS[-1], "to": routing["originator"], "onward": "free", "fields": fields}


def _admits(hop: Row, org: str) -> bool:
    return hop["onward"] == "free" or (hop["onward"] == "ask_originator" and org in hop["granted"])


@law
@given(worlds(), concerns(), st.lists(st.integers(0, 6), min_size=1, max_size=3))
def test_p11_along_any_chain_nobody_hears_without_the_leave_that_was_given_with_it(
    snapshot: Snapshot, routing: Row, ways: list[int]
) -> None:
    """Each recipient in turn passes the concern on as its own, with the hops that it came by: what it was allowed is
    what its notice said (`onward`), and no hop can be made wider by a later one."""
    hops: list[Row] = []
    current = routing
    for way in ways:
        decision = decide(snapshot, facts_of({**current, "provenance": hops}))
        _nobody_hears_what_is_locked(decision, hops)
        if not decision.told:
            return
        receiver = decision.told[way % len(decision.told)]
        hops = [*hops, {"from": decision.originator, "to": receiver.org, "onward": receiver.onward, "granted": []}]
        current = {**current, "originator": receiver.org}


def _nobody_hears_what_is_locked(decision: Decision, hops: list[Row]) -> None:
    if any(hop["onward"] != "free" for hop in hops):
        assert told(decision) == set()
        assert decision.of_class(Class.AVAILABLE) == ()
