"""What a graph is refused for, and what stands right beside it and is taken: every problem, and no other."""

from __future__ import annotations

from itertools import pairwise

import pytest

from tests.rules.small import Row, bar, clause, during, duty, follows, gateway, lead_rule, org, pact, party, problems

UNTIL = during(None, "2025-01-01")
OVERLAPS = (
    "agreement pact-2: [2025-01-01, …) overlaps pact […, …) of lineage pact: one version holds at a time, so end pact"
    " on the day this one begins and name it in `supersedes`"
)
TWICE_AT_ONCE = (
    "agreement pact party alpha: is a party twice at once, […, …) and […, …): end the first before the second begins,"
    " or make them one"
)
A_STEP = "must be `if` with `lead`, `if` with `then`, or `else`"


def without(key: str, row: Row) -> Row:
    return {name: value for name, value in row.items() if name != key}


def supported(*names: str) -> list[Row]:
    """Each agreement is supported by the next; the last by the first that is named again, or by none."""
    rows = [pact(id=name, lineage=name, supports=parent) for name, parent in pairwise(names)]
    return rows if names[-1] in names[:-1] else [*rows, pact(id=names[-1], lineage=names[-1])]


def vocabulary(name: str, *terms: object) -> Row:
    return {"kind": "vocabulary", "id": name, "terms": list(terms)}


REFUSED: dict[str, tuple[list[Row], list[str]]] = {
    "an unknown kind": ([{"kind": "wish", "id": "x"}], ["object 24: kind 'wish' is not known"]),
    "no object": ([{"kind": "agreement", "id": ""}], ["object 24: an object of kind agreement without an id"]),
    "a dangling party": (
        [pact(parties=[party("alpha"), party("nobody")])],
        ["agreement pact.parties nobody.org: 'nobody' is not known in organisation ids"],
    ),
    "a dangling parent": (
        [pact(supports="nothing")],
        ["agreement pact.supports: 'nothing' is not known in agreement ids"],
    ),
    "one signatory": (
        [pact(parties=[party("alpha"), party("beta", capacity="aligned")])],
        ["agreement pact clause c1: to: 'beta' is no signatory", "agreement pact: has fewer than two signatories"],
    ),
    "a duty with one signatory": (
        [duty(parties=[party("alpha")])],
        ["duty duty clause c1: to: 'beta' is no signatory", "duty duty: has fewer than two signatories"],
    ),
    "a clause of a stranger": (
        [pact(parties=[party("beta"), party("gamma")])],
        ["agreement pact clause c1: from: 'alpha' is no signatory"],
    ),
    "a clause to itself": ([pact(clause(to=["alpha"]))], ["agreement pact clause c1: tells only its own discloser"]),
    "a clause to itself both ways": (
        [pact(clause(to=["alpha"], direction="both"))],
        ["agreement pact clause c1: tells only its own discloser"],
    ),
    "a clause among one": (
        [pact(clause(to=["alpha"], direction="among"))],
        ["agreement pact clause c1: tells only its own discloser"],
    ),
    "among unlike sets": (
        [pact(clause(direction="among"))],
        ["agreement pact clause c1: among needs the same set on both sides"],
    ),
    "among sets of which one is in the other": (
        [pact(clause(frm=["alpha"], to=["alpha", "beta"], direction="among"))],
        ["agreement pact clause c1: among needs the same set on both sides"],
    ),
    "a clause of no category": (
        [pact(clause(when={"categories": []}))],
        ["agreement pact clause c1: only a record clause may name no category"],
    ),
    "a clause told twice": ([pact(clause(), clause())], ["agreement pact clause: 'c1' is there 2 times"]),
    "a party twice": (
        [pact(parties=[party("alpha"), party("beta"), party("alpha")])],
        [TWICE_AT_ONCE, "agreement pact party: 'alpha from None' is there 2 times"],
    ),
    "a promise that tells": ([pact(status="promised")], ["agreement pact: a promise can only be on record"]),
    "@named that tells": ([pact(clause(frm=["@named"]))], ["agreement pact clause c1: @named can only be told"]),
    "@named both ways": (
        [pact(clause(to=["@named"], direction="both"))],
        ["agreement pact clause c1: @named can only be told, one way"],
    ),
    "@named among itself": (
        [pact(clause(frm=["@named"], to=["@named"], direction="among"))],
        [
            "agreement pact clause c1: @named can only be told",
            "agreement pact clause c1: @named can only be told, one way",
        ],
    ),
    "a version that overlaps": (
        [pact(), pact(id="pact-2", supersedes="pact", in_force=during("2025-01-01"))],
        [OVERLAPS, "agreement pact-2: does not start on the day the older version ends"],
    ),
    "a version that comes a day late": (
        [pact(in_force=UNTIL), pact(id="pact-2", supersedes="pact", in_force=during("2025-01-02"))],
        ["agreement pact-2: does not start on the day the older version ends"],
    ),
    "a version of another lineage": (
        [pact(in_force=UNTIL), pact(id="b", lineage="b", supersedes="pact")],
        ["agreement b: supersedes something outside its lineage"],
    ),
    "an agreement of an earlier lineage's version": (
        [pact(in_force=UNTIL), pact(id="q", lineage="quay", supersedes="pact")],
        ["agreement q: supersedes something outside its lineage"],
    ),
    "its own parent": (supported("one", "one"), ["agreement one: supports its own child"]),
    "two parents of each other": (
        supported("two", "one", "two"),
        ["agreement one: supports its own child", "agreement two: supports its own child"],
    ),
    "a circle of parents": (
        supported("two", "three", "one", "two"),
        ["agreement one: is supported by itself, in a circle of parents: one, two, three"],
    ),
    "a way into a circle of parents": (
        supported("a", "two", "three", "one", "two"),
        ["agreement one: is supported by itself, in a circle of parents: one, two, three"],
    ),
    "a circle of successions": (
        [follows("alpha", "beta"), follows("beta", "alpha")],
        ["succession alpha: runs in a circle", "succession beta: runs in a circle"],
    ),
    "a way into a circle of successions": (
        [follows("alpha", "beta"), follows("beta", "gamma"), follows("gamma", "beta")],
        ["succession beta: runs in a circle", "succession gamma: runs in a circle"],
    ),
    "a circle of three successions": (
        [follows("gamma", "alpha"), follows("alpha", "beta"), follows("beta", "gamma")],
        [f"succession {name}: runs in a circle" for name in ("alpha", "beta", "gamma")],
    ),
    "a circle of parts": (
        [follows("alpha", "beta", "split"), follows("beta", "alpha", "partial_transfer")],
        ["succession alpha: runs in a circle", "succession beta: runs in a circle"],
    ),
    "a circle of purposes": (
        [
            vocabulary(
                "purposes",
                {"id": "a", "parent": "b"},
                {"id": "b", "parent": "a"},
                {"id": "regulatory-function", "parent": None},
            )
        ],
        ["purposes a: runs in a circle", "purposes b: runs in a circle"],
    ),
    "a planned succession with a day": (
        [follows("alpha", "beta", "planned")],
        ["succession alpha-beta: a planned one has no day, every other has one"],
    ),
    "a merger without a day": (
        [follows("alpha", "beta", effective=None)],
        ["succession alpha-beta: a planned one has no day, every other has one"],
    ),
    "a split without scope": (
        [without("scope", follows("alpha", "beta", "split"))],
        ["succession alpha-beta: a split needs a scope"],
    ),
    "a partial transfer without scope": (
        [without("scope", follows("alpha", "beta", "partial_transfer"))],
        ["succession alpha-beta: a split needs a scope"],
    ),
    "a bar that its holder does not name": ([bar()], ["bar bar: alpha does not name this bar"]),
    "a bar of another holder": (
        [org("alpha", bars=["bar"]), org("beta", bars=["bar"]), bar()],
        ["organisation beta: names bar, which does not hold it"],
    ),
    "a bar that omits nothing": (
        [org("alpha", bars=["bar"]), bar(without_gateway="omit_fields")],
        ["bar bar: omits fields, yet names none"],
    ),
    "a gateway twice": (
        [org("alpha", bars=["bar"]), bar(gateway(), gateway())],
        ["bar bar gateway: 'way' is there 2 times"],
    ),
    "a clause of two gateways": (
        [org("alpha", bars=["bar"]), bar(*(gateway(id=name, permits=clause(id="g1")) for name in ("one", "two")))],
        ["bar bar clause: 'g1' is there 2 times"],
    ),
    "a gateway of a stranger": (
        [org("alpha", bars=["bar"]), bar(gateway(permits=clause(id="g1", frm=["beta"], to=["gamma"])))],
        ["bar bar clause g1: a gateway opens for the holders of the bar only"],
    ),
    "a gateway that tells nobody": (
        [org("alpha", bars=["bar"]), bar(gateway(permits=clause(id="g1", to=["alpha"])))],
        ["bar bar clause g1: tells only its own discloser"],
    ),
    "one id for an agreement and a duty": (
        [pact(), duty(id="pact")],
        ["agreement, duty and bar: 'pact' is there 2 times"],
    ),
    "one id for an agreement, a duty and a bar": (
        [org("alpha", bars=["pact"]), pact(), duty(id="pact"), bar(id="pact")],
        ["agreement, duty and bar: 'pact' is there 3 times"],
    ),
    "a word twice": (
        [vocabulary("topics", "fire", "water", "fire", "fire")],
        ["vocabulary topics: 'fire' is there 3 times"],
    ),
    "a division of a division": (
        [org("alpha", deliver_to="beta"), org("beta", deliver_to="gamma")],
        ["organisation alpha: delivers to a body that delivers to another"],
    ),
    "a division of nobody": (
        [org("alpha", deliver_to="nobody")],
        ["organisation alpha.deliver_to: 'nobody' is not known in organisation ids"],
    ),
    "an identifier of two bodies": (
        [org(name, identifiers=[{"scheme": "ods", "value": "X1"}]) for name in ("alpha", "beta")],
        ["identifiers of organisations: 'ods X1' is there 2 times"],
    ),
    "half a step of a lead rule": (
        [pact(), lead_rule({"else": "a person chooses"}, {"lead": ["alpha"]}, {"if": {"topics": ["fire"]}})],
        [f"lead_rule rule steps {number}: {A_STEP}" for number in (2, 3)],
    ),
    "a day that is none": (
        [pact(in_force=during("2025-02-30"))],
        ["agreement pact.in_force.from: '2025-02-30' is not a day like 2000-01-31"],
    ),
    "a limit of nothing": (
        [pact(clause(limits={"acknowledge": {"amount": 0, "unit": "months"}}))],
        ["agreement pact.clauses c1.limits.acknowledge.amount: must be a whole number of at least 1"],
    ),
}

TAKEN: dict[str, list[Row]] = {
    "an agreement": [pact()],
    "a duty beside an agreement": [pact(), duty()],
    "a chain of parents": supported("one", "two", "three"),
    "all signatories among themselves": [pact(clause(frm=["@signatories"], to=["@signatories"], direction="among"))],
    "all signatories to each other": [pact(clause(frm=["@signatories"], to=["@signatories"]))],
    "two among themselves": [pact(clause(frm=["alpha", "beta"], to=["alpha", "beta"], direction="among"))],
    "two among themselves, in another order": [
        pact(clause(frm=["alpha", "beta"], to=["beta", "alpha"], direction="among"))
    ],
    "two to themselves and a third": [pact(clause(frm=["alpha"], to=["alpha", "beta"]))],
    "@named that is told": [pact(clause(to=["@named"]))],
    "a record of no category": [pact(clause(mode="record", when={"categories": []}))],
    "a promise on record": [pact(clause(mode="record"), status="promised")],
    "a party that came back": [
        pact(parties=[party("alpha", None, "2020-01-01"), party("beta"), party("alpha", "2021-01-01")])
    ],
    "a version on the day": [pact(in_force=UNTIL), pact(id="pact-2", supersedes="pact", in_force=during("2025-01-01"))],
    "a planned succession": [follows("alpha", "beta", "planned", effective=None)],
    "a planned way back": [follows("alpha", "beta"), follows("beta", "alpha", "planned", effective=None)],
    "a split with a scope": [follows("alpha", "beta", "split")],
    "two ways to one body": [follows("alpha", "beta"), follows("beta", "gamma"), follows("alpha", "gamma")],
    "purposes below each other": [
        vocabulary("purposes", {"id": "law", "parent": None}, {"id": "regulatory-function", "parent": "law"})
    ],
    "a bar that omits a field": [org("alpha", bars=["bar"]), bar(without_gateway="omit_fields", fields=["narrative"])],
    "a gateway of the holder": [org("alpha", bars=["bar"]), bar(gateway(permits=clause(id="g1")))],
    "a division": [org("alpha", deliver_to="beta"), org("beta")],
    "an identifier each": [org(name, identifiers=[{"scheme": "ods", "value": name}]) for name in ("alpha", "beta")],
    "a lead rule": [pact(), lead_rule({"if": {"topics": ["fire"]}, "lead": ["alpha"]}, {"else": "a person chooses"})],
}


@pytest.mark.parametrize("name", REFUSED)
def test_a_graph_is_refused_for(name: str) -> None:
    rows, told = REFUSED[name]
    assert problems(*rows) == told


@pytest.mark.parametrize("name", TAKEN)
def test_a_graph_is_taken_with(name: str) -> None:
    assert problems(*TAKEN[name]) == []
