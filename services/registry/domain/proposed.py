"""What an agreement must keep to beyond the form of the graph, so that its examples and its end can be decided on."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from services.registry.domain.model import Row
from shared.agreements import Problem
from shared.agreements.days import instant_of


def problems_of(rows: Iterable[Row]) -> Iterator[Problem]:
    """Every problem of agreements that are proposed; whatever has no form is left to the reader of graphs."""
    for row in rows:
        yield from problems_of_life(row)
        yield from _problems_of_examples(row)


def problems_of_life(row: Row) -> Iterator[Problem]:
    """An agreement ends before it begins, or comes after itself."""
    if row.get("kind") != "agreement":
        return
    where, begins, ends = f"agreement {row.get('id')}", _at(row, "in_force", "from"), row.get("terminated")
    if isinstance(begins, str) and isinstance(ends, str) and ends < begins:
        yield Problem(f"{where}.terminated", f"the agreement begins on {begins}: name that day or a later one")
    if row.get("supersedes") == row.get("id"):
        yield Problem(f"{where}.supersedes", "names itself: name the version before it, or leave it out")


def _problems_of_examples(row: Row) -> Iterator[Problem]:
    examples = row.get("examples") if row.get("kind") == "agreement" else ()
    for number, example in enumerate(examples if isinstance(examples, list) else (), 1):
        stated = _at(example, "concern", "received_at")
        if isinstance(stated, str) and not is_instant(stated):
            yield Problem(f"agreement {row.get('id')} example {number}.received_at", f"{stated!r} is not an instant")


def _at(value: Any, *path: str) -> Any:
    for name in path:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def is_instant(text: str) -> bool:
    """Whether the text names one instant; a civil time does not, in the hours in which clocks change least of all."""
    try:
        instant_of(text)
    except (ValueError, OverflowError):
        return False
    return True
