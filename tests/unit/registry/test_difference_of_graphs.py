"""What differs between two graphs: everything, once, and nothing where they are equal."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.registry.domain.difference_of_graphs import FieldChange, difference_of_graphs, difference_of_objects

names = st.sampled_from(["a", "b", "c/d", "e~f"])
scalars = st.one_of(st.none(), st.booleans(), st.integers(0, 3), st.sampled_from(["x", "y"]))
items = st.lists(names, unique=True, max_size=3).flatmap(
    lambda ids: st.tuples(*(st.fixed_dictionaries({"id": st.just(name), "v": scalars}) for name in ids)).map(list)
)
values: st.SearchStrategy[Any] = st.recursive(
    scalars | items, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)
objects = st.dictionaries(names, values, max_size=4)


@given(objects, objects)
def test_two_objects_differ_in_some_field_or_are_equal(before: dict[str, Any], after: dict[str, Any]) -> None:
    assert bool(difference_of_objects(before, after)) == (before != after)


@given(objects, objects)
def test_the_other_way_round_each_field_is_the_other_way_round(before: dict[str, Any], after: dict[str, Any]) -> None:
    there, back = difference_of_objects(before, after), difference_of_objects(after, before)
    assert there == tuple(FieldChange(change.path, change.after, change.before) for change in back)


@given(objects, objects)
def test_each_path_is_named_once(before: dict[str, Any], after: dict[str, Any]) -> None:
    paths = [change.path for change in difference_of_objects(before, after)]
    assert paths == sorted(set(paths))


def test_items_are_compared_by_their_names_wherever_they_stand() -> None:
    before = {"clauses": [{"id": "c1", "when": {"categories": ["x"]}}, {"id": "c2"}]}
    after = {"clauses": [{"id": "c2"}, {"id": "c1", "when": {"categories": ["x", "y"]}}, {"id": "c3"}]}
    assert difference_of_objects(before, after) == (
        FieldChange("/clauses/c1/when/categories", ["x"], ["x", "y"]),
        FieldChange("/clauses/c3", None, {"id": "c3"}),
    )


def test_a_body_that_is_a_party_twice_makes_the_parties_one_field() -> None:
    before = {"parties": [{"org": "a", "to": "1"}, {"org": "a", "to": "2"}]}
    after = {"parties": [{"org": "a", "to": "1"}]}
    assert difference_of_objects(before, after) == (FieldChange("/parties", before["parties"], after["parties"]),)


def test_objects_are_added_removed_and_changed_by_kind_and_id() -> None:
    kept, gone = {"kind": "source", "id": "kept"}, {"kind": "source", "id": "gone"}
    one, two = {"kind": "source", "id": "x", "title": "1"}, {"kind": "source", "id": "x", "title": "2"}
    new = {"kind": "forum", "id": "kept"}
    found = difference_of_graphs([gone, kept, one], [new, two, kept])
    assert (found.added, found.removed) == ((("forum", "kept"),), (("source", "gone"),))
    assert [(change.id, change.fields) for change in found.changed] == [("x", (FieldChange("/title", "1", "2"),))]
    assert not found.is_empty
    assert difference_of_graphs([gone, kept], [kept, gone]).is_empty
