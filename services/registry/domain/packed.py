"""The objects of a whole graph, packed: read one by one, changed and checked by what a change touches."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar, overload

from services.registry.domain.model import GraphObject
from services.registry.domain.unread import Unread
from shared.agreements.load import Checked, roster_of
from shared.graphcopy import GraphCopy
from shared.graphrows import GraphRows

Found = TypeVar("Found")


class PackedObjects(Sequence[GraphObject]):
    """Graph objects sorted by kind and id. Immutable; what the checks need to know is worked out once and handed on."""

    def __init__(self, copy: GraphCopy, known: Checked | None = None) -> None:
        self.copy = copy
        self._known = known
        self._keys: list[tuple[str, str]] | None = None
        self._sound = b""
        self._next: tuple[bytes, PackedObjects] | None = None

    @classmethod
    def of(cls, objects: Sequence[GraphObject]) -> PackedObjects:
        """The same objects, packed; at once where they are."""
        return objects if isinstance(objects, PackedObjects) else cls(GraphCopy.of({o.key: o.body for o in objects}))

    @property
    def root(self) -> str:
        """The root of the graph."""
        return self.copy.root

    @property
    def known(self) -> Checked:
        """What its agreements say of each other. Raises GraphInvalid where one cannot be read."""
        if self._known is None:
            rows = GraphRows(self.copy)
            self._known = Checked(rows, roster_of(rows))
        return self._known

    @property
    def next(self) -> PackedObjects | None:
        """The graph after the change that was last put in: who commits it need not make it again."""
        return self._next[1] if self._next else None

    def found_in(self, changed: Sequence[GraphObject], look: Callable[[], tuple[Found, ...]]) -> tuple[Found, ...]:
        """What `look` finds wrong with these very objects on top of this graph; not asked again where it was nothing.

        A change is checked when it is filled, assessed and committed, by the same code.
        """
        name = _name(changed)
        found = () if name == self._sound else look()
        if not found:
            self._sound = name
        return found

    def with_objects(self, changed: Sequence[GraphObject]) -> PackedObjects:
        """The graph with these sound objects put in. The last one is kept as long as this graph is."""
        name, made = _name(changed), self._next
        if made is None or made[0] != name:
            made = self._next = (name, self._with(changed))
        return made[1]

    def agreements_naming(self, key: str) -> Iterator[str]:
        """Ids of the agreements in which this key may stand, sorted; none is read for it."""
        mark = b'"%b":' % key.encode()
        return (name for name, body in self.copy.of_kind("agreement") if mark in body)

    def _with(self, changed: Sequence[GraphObject]) -> PackedObjects:
        copy = self.copy.changed({item.key: item.body for item in changed})
        known = self._known.after(GraphRows(copy), Unread(changed)) if self._known else None
        return PackedObjects(copy, known)

    @overload
    def __getitem__(self, place: int) -> GraphObject: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[GraphObject]: ...
    def __getitem__(self, place: int | slice) -> GraphObject | Sequence[GraphObject]:
        if self._keys is None:
            self._keys = list(self.copy)
        if isinstance(place, slice):
            return [GraphObject(*key, self.copy[key]) for key in self._keys[place]]
        return GraphObject(*self._keys[place], self.copy[self._keys[place]])

    def __iter__(self) -> Iterator[GraphObject]:
        return (GraphObject(*key, body) for key, body in self.copy.items())

    def __len__(self) -> int:
        return len(self.copy)


def _name(objects: Sequence[GraphObject]) -> bytes:
    """Tells these objects from others, in whatever order they come; the body holds kind and id."""
    made = hashlib.sha256()
    for leaf in sorted(hashlib.sha256(item.body).digest() for item in objects):
        made.update(leaf)
    return made.digest()
