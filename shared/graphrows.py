"""The objects of a packed graph, read as they are asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from shared.graphcopy import GraphCopy

Row = Mapping[str, Any]


class GraphRows:
    """The rows of one graph, for `shared.agreements`; see `load.change.Rows`."""

    __slots__ = ("_copy",)

    def __init__(self, copy: GraphCopy) -> None:
        self._copy = copy

    def get(self, kind: str, name: str) -> Row | None:
        """One object; None where there is none."""
        body = self._copy.get((kind, name))
        return None if body is None else orjson.loads(body)

    def has(self, kind: str, name: str) -> bool:
        """Whether there is such an object; it is not read."""
        return self._copy.holds((kind, name))

    def ids(self, kind: str) -> list[str]:
        """The ids of the objects of a kind, sorted."""
        return self._copy.ids(kind)

    def of_kind(self, kind: str) -> Iterator[Row]:
        """The objects of a kind, sorted by id."""
        return (orjson.loads(body) for _, body in self._copy.of_kind(kind))
