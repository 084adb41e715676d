"""Sets of small numbers as whole numbers: bit n stands for n. What the processor does to one word, it does to all."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

FEW = 16


def bits_at(places: Iterable[int], width: int) -> int:
    """The set of these places, all below `width`."""
    listed = list(places)
    if len(listed) <= FEW:
        few = 0
        for place in listed:
            few |= 1 << place
        return few
    row = bytearray(b"0" * width)
    for place in listed:
        row[place] = 49
    row.reverse()
    return int(row, 2)


def places_of(bits: int) -> Iterator[int]:
    """The places that are set, ascending."""
    text = bin(bits)[:1:-1]
    at = text.find("1")
    while at >= 0:
        yield at
        at = text.find("1", at + 1)


def span_of(start: int, end: int) -> int:
    """The set of all places in `[start, end)`."""
    return (1 << end) - (1 << start)
