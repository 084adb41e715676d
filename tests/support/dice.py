"""Choices read off a string of bytes: what a property draws once and a maker of graphs spends in small change.

One draw of a thousand bytes costs the property-based tests a hundredth of a thousand draws of one choice, and a failing
example still shrinks: byte by byte towards zero, and zero is the plainest choice everywhere.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import TypeVar

Choice = TypeVar("Choice")


class Dice:
    """Each throw uses up one byte; past the end every throw is zero."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def roll(self, sides: int) -> int:
        """0 to `sides - 1`; at most 256 sides."""
        byte = self._data[self._at] if self._at < len(self._data) else 0
        self._at += 1
        return byte * sides >> 8

    def chance(self, percent: int) -> bool:
        return self.roll(100) >= 100 - percent

    def pick(self, values: Sequence[Choice]) -> Choice:
        return values[self.roll(len(values))]

    def maybe(self, percent: int, values: Sequence[Choice]) -> Choice | None:
        return self.pick(values) if self.chance(percent) else None

    def some(self, values: Iterable[Choice], least: int = 1, most: int = 3) -> list[Choice]:
        """Between `least` and `most` different ones."""
        left = list(values)
        count = min(len(left), least + self.roll(most - least + 1))
        return [left.pop(self.roll(len(left))) for _ in range(count)]

    def part(self, size: int) -> Dice:
        """Dice of their own for one object: what it spends does not move the throws of the next."""
        taken = self._data[self._at : self._at + size]
        self._at += size
        return Dice(taken)


def stream(seed: str, size: int) -> Iterator[bytes]:
    """The same strings of bytes in every process and on every machine, for counting what the makers make."""
    number = 0
    while True:
        blocks = (sha256(f"{seed} {number} {block}".encode()).digest() for block in range(-(-size // 32)))
        yield b"".join(blocks)[:size]
        number += 1
