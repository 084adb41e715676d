"""P16 and P17: what lies outside a body's slice changes nothing for it, and a commit does what its preview said."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given

from services.router.domain.model import Head
from services.router.domain.replica import CommitPart, Complete, Replica, follow
from services.router.usecases.graph import put_in, root_over
from shared.agreements import Decision, decide, facts_of, load
from shared.canonical import canonical
from shared.graphroot import graph_root, object_key
from tests.support.concerns import concerns
from tests.support.graph_words import ORGS
from tests.support.graphs import changes, graphs, snapshot_of
from tests.support.laws import Row, encoded, law, merged, of_kind


def _reach(rows: list[Row], org: str) -> set[str]:
    """Every body that could ever be, or act for, or be delivered by way of, this one: followed both ways."""
    links = [(row["from"], row["to"]) for row in of_kind(rows, "succession")]
    links += [(row["id"], row["deliver_to"]) for row in of_kind(rows, "organisation") if "deliver_to" in row]
    found = {org}
    while grown := {a for pair in links for a in pair if set(pair) & found} - found:
        found |= grown
    return found


def _touches(row: Row, orgs: set[str]) -> bool:
    named = {name for clause in row["clauses"] for side in ("from", "to") for name in clause[side]}
    return bool(orgs & ({party["org"] for party in row["parties"]} | named))


def _outside(rows: list[Row], change: list[Row], originator: str) -> list[Row]:
    """Of a change, the agreements and duties in which the originator has no part before or after.

    Left out with the slice: what lead rules read, what the slice's agreements support, and what supersedes.
    """
    orgs, known = _reach(rows, originator), {object_key(row): row for row in rows}
    read = {row["agreement"] for row in of_kind(rows, "lead_rule")} | {
        row["supports"] for row in of_kind(rows, "agreement") if "supports" in row
    }
    found = [row for row in change if row["kind"] in ("agreement", "duty") and row["id"] not in read]
    free = [row for row in found if not _touches(row, orgs) and not _touches(known[object_key(row)], orgs)]
    return [row for row in free if _alone(row, known[object_key(row)])]


def _alone(row: Row, before: Row) -> bool:
    """No version before or after it: one that takes another's place belongs to that one's slice."""
    linked = any("supersedes" in version or version.get("lineage") == "pact" for version in (row, before))
    return row["kind"] == "duty" or not linked


@law
@given(graphs(), graphs(), concerns())
def test_p16_a_commit_outside_the_originators_slice_leaves_its_decision_as_it_was(
    rows: list[Row], other: list[Row], routing: Row
) -> None:
    """The slice (CONTRACTS 4): the originator's clauses, and all remits, organisations, successions, bars and policy;
    here also the agreements that its own support and that lead rules read.

    `suggest-onward` hints are outside of it: they say what the bodies told could do under their own agreements.
    """
    outside = _outside(rows, other, routing["originator"])
    before = decide(snapshot_of(rows), facts_of(routing))
    after = decide(snapshot_of(merged(rows, *outside), 2), facts_of(routing))
    assert _without_hints(after) == _without_hints(before)


def _without_hints(decision: Decision) -> Any:
    flags = [flag for flag in decision.flags if not flag.startswith("suggest-onward:")]
    return decision.outcomes, decision.hold, decision.detail, decision.unroutable, decision.lead, flags


@law
@given(graphs(), concerns())
def test_p16_what_others_agree_among_themselves_can_go_without_notice(rows: list[Row], routing: Row) -> None:
    """The same by removal: with every sharing object outside the slice gone, the originator's decision stands."""
    orgs = _reach(rows, routing["originator"])
    kept = [row for row in rows if row["kind"] != "agreement" or _touches(row, orgs) or _is_read(row, rows)]
    ids = {row["id"] for row in kept if row["kind"] == "agreement"}
    policy, bars = _switching(of_kind(rows, "policy")[0], ids), [_naming(row, ids) for row in of_kind(kept, "bar")]
    before = decide(snapshot_of(rows), facts_of(routing))
    after = decide(snapshot_of(merged(kept, policy, *bars)), facts_of(routing))
    assert _without_hints(after) == _without_hints(before)


def _is_read(row: Row, rows: list[Row]) -> bool:
    """By a lead rule, as a parent, or as a version of a lineage."""
    read = {rule["agreement"] for rule in of_kind(rows, "lead_rule")}
    read |= {other["supports"] for other in of_kind(rows, "agreement") if "supports" in other}
    return row["id"] in read or row["lineage"] == "pact"


def _switching(policy: Row, ids: set[str]) -> Row:
    """The policy with switches for only those agreements that are still there."""
    assumed = policy["assumed_clauses"]
    left = {name: on for name, on in assumed["agreements"].items() if name in ids}
    return {**policy, "assumed_clauses": {**assumed, "agreements": left}}


def _naming(bar: Row, ids: set[str]) -> Row:
    """The bar with only those agreements named in its gateways that are still there."""
    ways = [
        {**way, "agreements": [name for name in way["agreements"] if name in ids]} if "agreements" in way else way
        for way in bar["gateways"]
    ]
    return {**bar, "gateways": [way for way in ways if way.get("agreements", ["x"])]}


@law
@given(graphs(), changes(), concerns())
def test_p17_a_preview_of_a_change_is_what_the_router_decides_once_it_is_committed(
    rows: list[Row], change: list[Row], routing: Row
) -> None:
    """The preview reads base and change together; the router follows the announced commit, bytes and root."""
    previewed = decide(snapshot_of(merged(rows, *change), 2), facts_of(routing))
    bodies = {object_key(row): canonical(row) for row in rows}
    after = {**bodies, **{object_key(row): canonical(row) for row in change}}
    replica = Replica(Head(1, root_over(bodies)), bodies)
    changed = {key: body for key, body in after.items() if bodies.get(key) != body}
    step = follow(replica, CommitPart(2, replica.head.root, root_over(after), 1, 1, changed), put_in)
    assert isinstance(step, Complete)
    read = [json.loads(body) for body in step.replica.bodies.values()]
    assert encoded(decide(snapshot_of(read, 2), facts_of(routing))) == encoded(previewed)
    assert step.replica.head.root == graph_root(merged(rows, *change))


@law
@given(graphs(), changes(), concerns())
def test_p17_a_change_taken_back_decides_as_before(rows: list[Row], change: list[Row], routing: Row) -> None:
    """Every object of the change put back as it was; what it added and nothing else names is without effect."""
    known = {object_key(row): row for row in rows}
    back = [known[object_key(row)] for row in change if object_key(row) in known]
    new = [row for row in change if object_key(row) not in known and row["kind"] != "succession"]
    changed = merged(rows, *(row for row in change if object_key(row) in known), *new)
    before, again = (decide(snapshot_of(graph), facts_of(routing)) for graph in (rows, merged(changed, *back)))
    assert encoded(again) == encoded(before)
    assert sorted(load(rows).organisations) == sorted(ORGS)
