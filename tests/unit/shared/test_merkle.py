"""The tree hash against the published figures of RFC 6962, and its laws."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from shared.canonical import canonical
from shared.graphroot import graph_root
from shared.merkle import EMPTY_ROOT, Tree, leaf_hash, node_hash, root_of

STANDARD_LEAVES = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
STANDARD_ROOT = "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"

some_leaves = st.lists(st.binary(max_size=8), max_size=40)
some_graphs = st.lists(
    st.fixed_dictionaries({"kind": st.sampled_from("ab"), "id": st.text(max_size=3), "v": st.integers(0, 9)}),
    unique_by=lambda o: (o["kind"], o["id"]),
    max_size=20,
)


def root_by_the_book(leaves: list[bytes]) -> bytes:
    """RFC 6962 section 2.1 word for word: split at the largest power of two below n."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    left, right = root_by_the_book(leaves[:split]), root_by_the_book(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def test_the_empty_root_is_the_hash_of_nothing() -> None:
    assert root_of([]) == EMPTY_ROOT
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_published_leaf_and_node_hashes_come_out() -> None:
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
    assert leaf_hash(b"L123456").hex() == "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56"
    node = "aa217fe888e47007fa15edab33c2b492a722cb106c64667fc2b044444de66bbb"
    assert node_hash(b"N123", b"N456").hex() == node


def test_the_root_of_the_eight_standard_leaves_comes_out() -> None:
    assert root_of([leaf_hash(bytes.fromhex(leaf)) for leaf in STANDARD_LEAVES]).hex() == STANDARD_ROOT


@given(some_leaves)
def test_the_root_is_the_one_by_the_book(leaves: list[bytes]) -> None:
    assert root_of([leaf_hash(leaf) for leaf in leaves]) == root_by_the_book(leaves)


@given(some_leaves, st.binary(max_size=8), st.data())
def test_another_leaf_gives_another_root(leaves: list[bytes], other: bytes, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(leaves)))
    changed = [*leaves[:place], other, *leaves[place + 1 :]]
    same = root_of([leaf_hash(leaf) for leaf in changed]) == root_of([leaf_hash(leaf) for leaf in leaves])
    assert same == (changed == leaves)


@given(some_graphs, st.data())
def test_the_order_of_objects_never_matters_to_the_root_of_a_graph(
    graph: list[dict[str, object]], data: st.DataObject
) -> None:
    assert graph_root(data.draw(st.permutations(graph))) == graph_root(graph)


@given(some_graphs.filter(bool), st.data())
def test_no_object_of_a_graph_can_change_without_its_root(graph: list[dict[str, object]], data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(graph) - 1))
    changed = [*graph[:place], {**graph[place], "v": 10}, *graph[place + 1 :]]
    assert graph_root(changed) != graph_root(graph)
    assert graph_root(graph[:place] + graph[place + 1 :]) != graph_root(graph)


def test_the_spelling_of_an_object_does_not_matter_to_its_root() -> None:
    assert canonical({"b": 1, "a": "x"}) == canonical({"a": "x", "b": 1}) == b'{"a":"x","b":1}'


@given(some_leaves)
def test_a_kept_tree_has_the_root_of_its_leaves(leaves: list[bytes]) -> None:
    assert Tree.over(b"".join(map(leaf_hash, leaves))).root == root_of(list(map(leaf_hash, leaves)))


@given(some_leaves, st.dictionaries(st.integers(0, 45), st.binary(max_size=8), max_size=5), some_leaves)
def test_a_tree_that_was_changed_is_the_tree_over_the_new_leaves(
    leaves: list[bytes], replaced: dict[int, bytes], added: list[bytes]
) -> None:
    before = Tree.over(b"".join(map(leaf_hash, leaves)))
    cut = len(added) % (len(leaves) + 1)
    moved = [replaced.get(place, leaf) for place, leaf in enumerate(leaves)]
    now = b"".join(map(leaf_hash, moved[:cut] + added + moved[cut:]))
    after = before.over_changed(now, replaced, cut if added else len(leaves))
    assert (after.root, after.leaves) == (Tree.over(now).root, now)
