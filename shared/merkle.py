"""The Merkle tree hash of RFC 6962 section 2.1, for the root of the graph and for the audit log."""

import hashlib
from collections.abc import Sequence

EMPTY_ROOT = hashlib.sha256(b"").digest()


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
