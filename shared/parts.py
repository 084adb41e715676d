"""Things in parts that are small enough to send, in their order."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

ItemT = TypeVar("ItemT")


def in_parts(
    items: Iterable[ItemT], size_of: Callable[[ItemT], int], *, size_max: int, count_max: int | None = None
) -> Iterator[tuple[ItemT, ...]]:
    """The items in as few parts as their sizes allow, at least one; an item that is too large is a part by itself."""
    part: list[ItemT] = []
    size = 0
    for item in items:
        length = size_of(item)
        if part and (size + length > size_max or len(part) == count_max):
            yield tuple(part)
            part, size = [], 0
        part.append(item)
        size += length
    yield tuple(part)
