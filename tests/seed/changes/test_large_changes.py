"""What spares a large change its work twice gives what the work would give."""

import json
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.bench.graphs import Size, synthetic
from services.registry.adapters.seed_files import read_objects
from services.registry.domain.change_difference import Past, _among, _kin
from services.registry.domain.change_rules import terms_digest
from services.registry.domain.model import GraphObject, Row
from services.registry.domain.packed import PackedObjects
from services.registry.usecases import as_object
from services.registry.usecases.change_gate import Worked, work_out
from services.registry.usecases.commit import EMPTY, defects_in
from services.registry.usecases.graph import Graph
from shared.agreements import Class, Snapshot, alone, decide, facts_of, load
from shared.canonical import canonical, digest
from tests.support.change_fakes import InMemoryChanges, desk_of
from tests.support.clock import FrozenClock

SEED = [as_object(row) for row in read_objects()]
AGREEMENTS = [item for item in SEED if item.kind == "agreement"]
NOTHING = Past("a", "b", known=False)


@cache
def packed() -> PackedObjects:
    return PackedObjects.of(SEED)


def titled(item: GraphObject, title: str) -> GraphObject:
    return as_object({**item.row(), "title": title})


async def examples_run(*asked: GraphObject) -> dict[str, object]:
    """What the assessment says of the examples, and that they all pass."""
    base = Graph(EMPTY, PackedObjects.of(SEED))
    worked = await work_out(base, asked, NOTHING, desk=desk_of(InMemoryChanges(), clock=FrozenClock()))
    assert isinstance(worked, Worked)
    said: dict[str, object] = json.loads(worked.body)["examples"]
    assert said["failed"] == []
    return said


async def test_a_change_of_one_agreement_runs_its_examples_and_those_of_its_children_alone() -> None:
    rows = {item.id: item.row() for item in AGREEMENTS}
    for name, row in rows.items():
        kin = {name, *(other for other, its in rows.items() if name in (its.get("supports"), its.get("supersedes")))}
        kin |= {other for other, its in rows.items() if its["lineage"] == row["lineage"]}
        said = await examples_run(titled(as_object(row), "Another"))
        assert said["run"] == sum(len(rows[other]["examples"]) for other in kin), name


@pytest.mark.parametrize("kind", ["organisation", "succession", "policy", "bar"])
async def test_a_change_of_anything_else_runs_every_example(kind: str) -> None:
    body = next(item for item in SEED if item.kind == kind)
    said = await examples_run(as_object({**body.row(), "note": "Said anew"}))
    assert said["run"] == sum(len(item.row()["examples"]) for item in AGREEMENTS)


def test_what_was_found_sound_is_not_looked_at_again_and_anything_else_is() -> None:
    graph = PackedObjects.of(SEED)
    good = [titled(AGREEMENTS[0], "Another"), titled(AGREEMENTS[1], "Another")]
    bad = as_object({**AGREEMENTS[0].row(), "supports": "no-such-agreement"})
    assert defects_in(graph, good) == ()
    assert graph.found_in(good[::-1], lambda: ("looked",)) == ()
    assert graph.found_in(good[:1], lambda: ("looked",)) == ("looked",)
    assert graph.found_in([bad], lambda: ("looked",)) == ("looked",)
    assert defects_in(graph, [bad])
    assert defects_in(graph, [bad])


@given(st.sets(st.integers(0, len(AGREEMENTS) - 1), min_size=1), st.text("ab", max_size=2))
def test_a_graph_that_was_put_together_before_is_the_one_that_the_objects_make(places: set[int], title: str) -> None:
    graph = packed()
    asked = [titled(AGREEMENTS[place], title or "A title") for place in places]
    made = graph.with_objects(asked)
    assert graph.with_objects(asked[::-1]) is made is graph.next
    assert made.root == PackedObjects.of([*made]).root
    assert {item.key: item for item in made} == {**{i.key: i for i in SEED}, **{i.key: i for i in asked}}


def test_examples_among_the_bodies_that_they_speak_of_come_out_as_among_all() -> None:
    graph = load(list(synthetic(Size(600, 20))))
    for name, agreement in graph.agreements.items():
        whole = Snapshot(alone(graph, name), version=0, root="")
        for example in agreement.record.get("examples", ()):
            few = Snapshot(_among(graph, name, _kin(graph)), version=0, root="")
            facts = facts_of(example["concern"])
            found, decided = decide(few, facts), decide(whole, facts)
            left = {outcome for outcome in decided.outcomes if outcome.org not in few.graph.organisations}
            assert {(o.org, o.klass, o.reason) for o in decided.outcomes if o not in left} == {
                (o.org, o.klass, o.reason) for o in found.outcomes
            }
            assert not {o.org for o in left if o.klass in (Class.TOLD, Class.AVAILABLE)}
            assert len(left) > len(found.outcomes)


def test_agreements_that_may_have_examples_are_found_unread() -> None:
    pacts = [as_object(row) for row in synthetic(Size(40, 30)) if row["kind"] == "agreement"]
    both = PackedObjects.of([*AGREEMENTS, *(pact for pact in pacts if pact.id.startswith("pact-"))])
    assert list(both.agreements_naming("examples")) == sorted(item.id for item in AGREEMENTS)


LIVES = st.fixed_dictionaries({}, optional={"terminated": st.just("2024-01-01"), "suspended": st.just([{"from": "x"}])})


@given(st.dictionaries(st.sampled_from(["title", "é", "parties"]), st.text(max_size=5)), LIVES)
def test_the_digest_of_terms_is_that_of_the_agreement_without_its_life(terms: Row, life: Row) -> None:
    item = as_object({**terms, **life, "kind": "agreement", "id": "a"})
    assert terms_digest(item) == digest(canonical({**terms, "kind": "agreement", "id": "a"}))
