"""The one reader of graph objects: it knows every key of the seed, and names every fault at once."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pytest

from services.registry.adapters.seed_files import SEED_DIR, SeedUnreadable, read_objects
from shared.agreements import GraphInvalid, load
from shared.agreements.load.objects import Shelf
from tests.rules.small import POLICY, WORDS, Row, clause, during, org, pact, world
from tests.unit.agreements.seeds import objects, seed_graph

# Texts for people that may have any shape; no key below them is read.
FREE = ("terms", "still_stands")


def _problems(*rows: Row) -> list[str]:
    words = [{"kind": "vocabulary", "id": name, "terms": terms} for name, terms in WORDS.items()]
    plain = [POLICY, *(org(name) for name in ("alpha", "beta", "gamma"))]
    placed = {(row["kind"], row["id"]): row for row in [*plain, *words, *rows]}
    try:
        load(placed.values())
    except GraphInvalid as fault:
        return [str(problem) for problem in fault.problems]
    return []


def _records(value: Any, free: bool = False) -> Iterator[dict[str, Any]]:
    """Every object under a graph object that the reader must know by its keys."""
    if isinstance(value, dict):
        if not free:
            yield value
        for key, item in value.items():
            yield from _records(item, free or (key in FREE and isinstance(item, dict)))
    elif isinstance(value, list):
        for item in value:
            yield from _records(item, free)


def test_the_seed_has_no_problem() -> None:
    graph = seed_graph()
    assert (len(graph.organisations), len(graph.agreements), len(graph.duties), len(graph.bars)) == (89, 71, 6, 7)
    assert (len(graph.successions), len(graph.forums), len(graph.sources)) == (30, 10, 85)


def test_no_key_of_the_seed_is_left_unread() -> None:
    """An unknown key anywhere would be a problem; so each key that is there is one that the reader knows."""
    marked = copy.deepcopy([dict(row) for row in objects()])
    wanted = 0
    for row in marked:
        for found in list(_records(row)):
            found["unread"] = 1
            wanted += 1
    with pytest.raises(GraphInvalid) as caught:
        load(marked)
    unread = [problem for problem in caught.value.problems if "unread" in problem.what or "unread" in problem.where]
    assert len(unread) > 1000
    assert len({str(problem) for problem in unread}) >= wanted * 0.9


def test_every_file_of_the_seed_is_read(tmp_path: Path) -> None:
    for path in SEED_DIR.rglob("*.yaml"):
        target = tmp_path / path.relative_to(SEED_DIR)
        target.parent.mkdir(exist_ok=True)
        target.write_text(path.read_text(encoding="utf-8"), encoding="utf-8")
    (tmp_path / "extra.yaml").write_text("format: concordat.graph/1\n", encoding="utf-8")
    with pytest.raises(SeedUnreadable, match=r"extra\.yaml"):
        read_objects(tmp_path)


def test_a_malformed_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "categories.yaml").write_text("format: [", encoding="utf-8")
    with pytest.raises(SeedUnreadable, match=r"categories\.yaml"):
        read_objects(tmp_path)


def test_a_key_given_twice_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "categories.yaml").write_text("format: concordat.graph/1\nformat: x\n", encoding="utf-8")
    with pytest.raises(SeedUnreadable, match="twice"):
        read_objects(tmp_path)


def test_the_order_of_objects_decides_nothing() -> None:
    assert load(reversed(objects())) == seed_graph()


def test_every_problem_is_named_at_once() -> None:
    wrong = pact(
        clause(mode="shout", when={"categories": ["nothing"]}),
        clause(id="c2", when={"weather": ["rain"]}, purposes=[]),
        in_force=during("2025-01-02", "2025-01-01"),
        instrument="handshake",
    )
    found = _problems(wrong)
    assert found == sorted(found)
    assert any("'shout' is not known in mode" in line for line in found)
    assert any("'nothing' is not known in any category" in line for line in found)
    assert any("unknown key 'weather'" in line for line in found)
    assert any("purposes: must not be empty" in line for line in found)
    assert any("interval [2025-01-02, 2025-01-01) is empty" in line for line in found)
    assert any("'handshake' is not known in instrument" in line for line in found)


def test_scopes_that_are_no_plain_json_are_read_each_by_itself() -> None:
    """As rows are when they are kept small: equal plain scopes are one and the same, of these nothing is known."""
    scopes = [MappingProxyType({"categories": [name]}) for name in ("harm", "theft")]
    rows = [clause(id=f"c{number}", when=scope) for number, scope in enumerate(scopes)]
    for number, scope in enumerate(scopes):
        rows[number]["when"] = scope
    found = world(pact(*rows)).graph.agreements["pact"].clauses
    assert [sorted(row.when.categories) for row in found] == [["harm"], ["theft"]]


def test_a_graph_needs_exactly_one_policy() -> None:
    with pytest.raises(GraphInvalid, match="exactly one, found 0"):
        load([])


def test_a_vocabulary_list_that_is_not_known_is_refused() -> None:
    assert _problems({"kind": "vocabulary", "id": "colours", "terms": ["red"]}) != []


def test_an_id_that_two_lists_share_is_a_category_of_either() -> None:
    words = {"categories": [{"id": "harm"}, {"id": "theft"}], "ecp_categories": [{"id": "harm"}, {"id": "systems"}]}
    shelf = Shelf({"kind": "vocabulary", "id": name, "terms": terms} for name, terms in words.items())
    assert shelf.known_terms()["any category"] == {"harm", "theft", "systems"}


def test_caps_and_field_policy_are_the_vocabularys_where_the_policy_has_none() -> None:
    caps = {"public_parties_only": {"isa": ["child"]}, "any_other_party": {}}
    fields = {"fields": {"header": "full", "registrant": "omit", "narrative": "omit"}}
    values = {"instrument_caps": caps, "field_policy_default": fields}
    words = [dict[str, Any](kind="vocabulary", id=name, value=value) for name, value in values.items()]
    stated = world(*words).graph.policy
    assert stated.fields == {"header": "full", "registrant": "generalise", "narrative": "full"}
    found = world(*words, instrument_caps=None, field_policy_default=None).graph.policy
    assert found.caps_public == {"isa": frozenset({"child"})}
    assert found.caps_other == {}
    assert found.fields == fields["fields"]
