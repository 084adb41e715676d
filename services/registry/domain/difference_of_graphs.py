"""What differs between two graphs, object by object and field by field.

A list whose items each have a name of their own (`id`, `org` or `name`) is compared item by item; any other is one
field. A field is named by a JSON Pointer (RFC 6901) into the object, with the item's name in the place of its number.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.registry.domain.model import Row
from services.registry.domain.timeline import Key

NAMES = ("id", "org", "name")


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field of an object; None on the side where it is absent (a null of the graph is None as well)."""

    path: str
    before: Any
    after: Any


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """One object that stands on both sides and differs."""

    kind: str
    id: str
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class GraphDifference:
    """What it takes to come from one graph to another, each part sorted by kind and id.

    The registry never removes an object: `removed` is of use between files.
    """

    added: tuple[Key, ...]
    removed: tuple[Key, ...]
    changed: tuple[ObjectChange, ...]

    @property
    def is_empty(self) -> bool:
        """Both graphs have the same root."""
        return not (self.added or self.removed or self.changed)


def difference_of_graphs(before: Iterable[Row], after: Iterable[Row]) -> GraphDifference:
    """What differs; the order of the objects on either side decides nothing."""
    old = {(row["kind"], row["id"]): row for row in before}
    new = {(row["kind"], row["id"]): row for row in after}
    both = sorted(old.keys() & new.keys())
    changes = (ObjectChange(*key, difference_of_objects(old[key], new[key])) for key in both if old[key] != new[key])
    return GraphDifference(
        added=tuple(sorted(new.keys() - old.keys())),
        removed=tuple(sorted(old.keys() - new.keys())),
        changed=tuple(changes),
    )


def difference_of_objects(before: Row, after: Row) -> tuple[FieldChange, ...]:
    """Every field that differs, sorted by its path."""
    return tuple(sorted(_of_tables("", before, after), key=lambda change: change.path))


def _of_tables(path: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[FieldChange]:
    for name in before.keys() | after.keys():
        if name not in before or name not in after or before[name] != after[name]:
            yield from _of_values(f"{path}/{_escaped(name)}", before.get(name), after.get(name))


def _of_values(path: str, before: Any, after: Any) -> Iterator[FieldChange]:
    old, new = _table(before), _table(after)
    if old is None or new is None:
        yield FieldChange(path, before, after)
        return
    inner = list(_of_tables(path, old, new))
    # The same items in another order differ as a whole.
    yield from inner or [FieldChange(path, before, after)]


def _table(value: Any) -> Mapping[str, Any] | None:
    """A mapping, or a list of items by their names; None for what has no names inside."""
    if isinstance(value, Mapping):
        return value
    if isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        return _by_name(value)
    return None


def _by_name(items: Sequence[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    for key in NAMES:
        names = [item.get(key) for item in items]
        if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
            return {str(name): item for name, item in zip(names, items, strict=True)}
    return None


def _escaped(name: str) -> str:
    return name.replace("~", "~0").replace("/", "~1")
