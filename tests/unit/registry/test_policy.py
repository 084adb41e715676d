import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registry.domain.errors import ClientNotProven, GrantUnsupported, ScopeNotGranted
from services.registry.domain.model import Client, Defect, GraphObject, TokenRequest
from services.registry.domain.policy import DEFECTS_MAX, SAID_MAX, changed, defects, granted_scopes, merged, proven
from services.registry.usecases import as_object
from tests.support.small_graph import POLICY, SMALL, source

some_objects = st.lists(
    st.builds(GraphObject, st.sampled_from("ab"), st.sampled_from("xyz"), st.sampled_from([b"1", b"2"])),
    unique_by=lambda o: o.key,
)
RIGHT = "right"
CLIENT = Client("case-system", hashlib.sha256(b"right").hexdigest(), "cqc", frozenset({"a", "b"}), frozenset())


def asks(secret: str = RIGHT, *, grant: str = "client_credentials", scopes: str = "") -> TokenRequest:
    return TokenRequest(grant, "case-system", secret, frozenset(scopes.split()))


@given(some_objects, some_objects)
def test_a_change_that_was_merged_has_nothing_left_to_change(
    current: list[GraphObject], asked: list[GraphObject]
) -> None:
    assert changed(merged(current, asked), asked) == ()


@given(some_objects, some_objects)
def test_merging_only_what_changed_gives_the_same_graph(current: list[GraphObject], asked: list[GraphObject]) -> None:
    assert set(merged(current, changed(current, asked))) == set(merged(current, asked))


@given(some_objects, some_objects)
def test_no_object_is_lost_or_doubled_by_a_change(current: list[GraphObject], asked: list[GraphObject]) -> None:
    keys = [o.key for o in merged(current, asked)]
    assert sorted(keys) == sorted({o.key for o in [*current, *asked]})


def test_true_is_a_change_from_one() -> None:
    assert changed([as_object({"kind": "a", "id": "x", "v": 1})], [as_object({"kind": "a", "id": "x", "v": True})])


def test_a_good_graph_has_no_defects() -> None:
    assert defects(SMALL, []) == ()


def test_a_defect_names_the_object_it_is_in_and_not_its_neighbour() -> None:
    asked = [source("fine"), {**source("broken"), "colour": "red"}]
    found = defects([*asked, POLICY], [as_object(row) for row in asked])
    said = "source broken: has the unknown key 'colour'. Take it out, or correct its name: no key is left unread."
    assert found == (Defect(1, said),)


def test_what_is_said_of_a_defect_is_not_as_long_as_what_was_sent() -> None:
    broken = {**POLICY, "x" * 5_000: 1}
    (found,) = defects([broken], [as_object(broken)])
    assert len(found.detail) < SAID_MAX + 200


def test_a_defect_deep_inside_an_object_names_the_object() -> None:
    broken = {**POLICY, "assumed_clauses": {"default": False, "agreements": {}, "colour": "red"}}
    assert [d.index for d in defects([broken], [as_object(broken)])] == [0]


def test_an_object_of_an_unknown_kind_is_named_by_its_place() -> None:
    asked = [source("fine"), {"kind": "nonsense", "id": "x"}]
    assert [d.index for d in defects([*asked, POLICY], [as_object(row) for row in asked])] == [1]


def test_a_defect_elsewhere_in_the_graph_names_no_object_of_the_change() -> None:
    assert [d.index for d in defects([source("fine")], [as_object(source("fine"))])] == [None]


def test_the_list_of_defects_has_an_end() -> None:
    broken = [{**source(f"s{n}"), "colour": "red"} for n in range(DEFECTS_MAX + 50)]
    assert len(defects([*broken, POLICY], [])) == DEFECTS_MAX


def test_the_right_secret_proves_the_client() -> None:
    assert proven(CLIENT, asks()) is CLIENT


@given(st.text().filter(lambda secret: secret != "right"))
def test_no_other_secret_proves_the_client(secret: str) -> None:
    with pytest.raises(ClientNotProven):
        proven(CLIENT, asks(secret))


def test_an_unknown_client_is_refused_as_a_wrong_secret_is() -> None:
    with pytest.raises(ClientNotProven):
        proven(None, asks())


def test_only_client_credentials_are_granted() -> None:
    with pytest.raises(GrantUnsupported):
        proven(CLIENT, asks(grant="password"))


def test_without_a_scope_the_client_gets_all_that_it_holds() -> None:
    assert granted_scopes(CLIENT, asks()) == {"a", "b"}


def test_a_client_can_ask_for_less() -> None:
    assert granted_scopes(CLIENT, asks(scopes="b")) == {"b"}


def test_a_client_cannot_ask_for_more() -> None:
    with pytest.raises(ScopeNotGranted):
        granted_scopes(CLIENT, asks(scopes="b c"))
