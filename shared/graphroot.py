"""The root of a graph: one Merkle root over its canonical objects, whatever order they came in."""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.canonical import canonical
from shared.merkle import leaf_hash, root_of


def object_key(graph_object: Mapping[str, Any]) -> tuple[str, str]:
    """What identifies a graph object: its kind and its id."""
    return str(graph_object["kind"]), str(graph_object["id"])


def graph_root(objects: Iterable[Mapping[str, Any]]) -> str:
    """The root, in hex, over the objects sorted by kind and id."""
    return root_of([leaf_hash(canonical(o)) for o in sorted(objects, key=object_key)]).hex()
