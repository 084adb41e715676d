"""Identifiers: a prefix and a UUIDv4 in hex, or, where a repeat must give the same id, a UUIDv5."""

import hashlib
import os
import uuid

_NAMESPACE = uuid.UUID("7f4d3c0e-9a51-5b1e-8f0b-2f0c5f6f2a10").bytes


_FREE_BITS = ~((0xF << 76) | (0x3 << 62)) & ((1 << 128) - 1)
_VERSION_4 = (0x4 << 76) | (0x2 << 62)
_VERSION_5 = (0x5 << 76) | (0x2 << 62)
"""Version and variant of a random UUID, and of one made from a name (RFC 9562, sections 4, 5.4 and 5.5)."""


def new_id(prefix: str) -> str:
    """A fresh id such as `con_1f0c…`; random, so that it says nothing about when or how many.

    A decision makes five of them: the bits are set here, without an object for each.
    """
    number = int.from_bytes(os.urandom(16), "big") & _FREE_BITS | _VERSION_4
    return f"{prefix}_{number:032x}"


def derived_id(prefix: str, *parts: object) -> str:
    """The id that belongs to these parts: the same parts give the same id, on any machine, at any time."""
    named = hashlib.sha1(_NAMESPACE + chr(31).join(map(str, parts)).encode(), usedforsecurity=False).digest()
    number = int.from_bytes(named[:16], "big") & _FREE_BITS | _VERSION_5
    return f"{prefix}_{number:032x}"
