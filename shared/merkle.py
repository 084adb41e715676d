"""The Merkle tree hash of RFC 6962 section 2.1, for the root of the graph and for the audit log."""

import hashlib
from collections.abc import Iterable, Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()
HASH_BYTES = 32


def leaf_hash(data: bytes) -> bytes:
    """H(0x00 || data)."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """H(0x01 || left || right)."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def root_of(leaves: Sequence[bytes]) -> bytes:
    """The root over leaf hashes, in their order; SHA-256 of nothing for none."""
    if not leaves:
        return EMPTY_ROOT
    row = list(leaves)
    while len(row) > 1:
        row = _row_above(row)
    return row[0]


def _row_above(row: list[bytes]) -> list[bytes]:
    # Pairing from the left and carrying an odd last node up is the split at the largest power of two below n.
    above = [node_hash(row[i], row[i + 1]) for i in range(0, len(row) - 1, 2)]
    return above + row[-1:] if len(row) % 2 else above


class Tree:
    """The tree over leaf hashes with its inner nodes kept, so that few are computed anew after a change. Immutable."""

    __slots__ = ("_rows",)

    def __init__(self, rows: tuple[bytes, ...]) -> None:
        self._rows = rows

    @classmethod
    def over(cls, leaves: bytes) -> "Tree":
        """The tree over leaf hashes of 32 bytes each, one after the other."""
        return cls((b"",)).over_changed(leaves, (), 0)

    @property
    def leaves(self) -> bytes:
        """The leaf hashes, one after the other."""
        return self._rows[0]

    @property
    def root(self) -> bytes:
        """As `root_of` gives it for the same leaves."""
        return self._rows[-1] or EMPTY_ROOT

    def over_changed(self, leaves: bytes, touched: Iterable[int], moved_from: int) -> "Tree":
        """The tree over other leaves: those of `touched` and all from `moved_from` on may differ, no other does."""
        rows, places = [leaves], {place for place in touched if place < moved_from}
        while len(rows[-1]) > HASH_BYTES:
            places, moved_from = {place >> 1 for place in places}, moved_from >> 1
            above = self._rows[len(rows)] if len(rows) < len(self._rows) else b""
            rows.append(_row_over(rows[-1], above, places, moved_from))
        return Tree(tuple(rows))


def _row_over(below: bytes, above: bytes, places: Iterable[int], moved_from: int) -> bytes:
    """The row over `below`; of the row that was there, `above`, only the other nodes before `moved_from` are kept."""
    kept = bytearray(above[: moved_from * HASH_BYTES])
    for place in places:
        if place < moved_from:
            kept[place * HASH_BYTES : (place + 1) * HASH_BYTES] = _node_at(below, place)
    pair, paired, sha256 = 2 * HASH_BYTES, len(below) // (2 * HASH_BYTES) * 2 * HASH_BYTES, hashlib.sha256
    # In place, without a call for each: a node high up in a large graph moves half a hundred thousand of them.
    moved = [sha256(b"\x01" + below[at : at + pair]).digest() for at in range(moved_from * pair, paired, pair)]
    return b"".join([kept, *moved, below[max(paired, moved_from * pair) :]])


def _node_at(below: bytes, place: int) -> bytes:
    pair = below[place * 2 * HASH_BYTES : (place + 1) * 2 * HASH_BYTES]
    return hashlib.sha256(b"\x01" + pair).digest() if len(pair) > HASH_BYTES else pair
