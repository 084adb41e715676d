"""Proposed objects as the reader of graphs takes them, each read when it is asked for and not kept."""

from collections.abc import Iterable, Iterator, Mapping

import orjson

from services.registry.domain.model import GraphObject, Row


class Unread:
    """The objects of a change; see `shared.agreements.load.Rows`.

    A large import is read a few times over: to hold what was read would take ten times the memory of the bytes, and
    the collector would walk through it again and again.
    """

    def __init__(self, items: Iterable[GraphObject]) -> None:
        found: dict[str, dict[str, bytes]] = {}
        for item in items:
            found.setdefault(item.kind, {})[item.id] = item.body
        self._by_kind: Mapping[str, Mapping[str, bytes]] = {
            kind: {name: bodies[name] for name in sorted(bodies)} for kind, bodies in found.items()
        }

    def get(self, kind: str, name: str) -> Row | None:
        """One object; None where there is none."""
        body = self._by_kind.get(kind, {}).get(name)
        return None if body is None else orjson.loads(body)

    def has(self, kind: str, name: str) -> bool:
        """Whether there is such an object; it is not read."""
        return name in self._by_kind.get(kind, {})

    def ids(self, kind: str) -> list[str]:
        """The ids of the objects of a kind, sorted."""
        return list(self._by_kind.get(kind, ()))

    def of_kind(self, kind: str) -> Iterator[Row]:
        """The objects of a kind, sorted by id."""
        return map(orjson.loads, self._by_kind.get(kind, {}).values())

    def naming(self, kind: str, key: str) -> Iterator[str]:
        """Ids of the objects of a kind in which this key may stand, sorted; none is read for it."""
        mark = b'"%b":' % key.encode()
        return (name for name, body in self._by_kind.get(kind, {}).items() if mark in body)
