"""Identifiers: a prefix and a UUIDv4 in hex, or, where a repeat must give the same id, a UUIDv5."""

import os
import uuid

_NAMESPACE = uuid.UUID("7f4d3c0e-9a51-5b1e-8f0b-2f0c5f6f2a10")


_RANDOM_BITS = ~((0xF << 76) | (0x3 << 62)) & ((1 << 128) - 1)
_VERSION_4 = (0x4 << 76) | (0x2 << 62)
"""Version and variant of a random UUID (RFC 9562, sections 4 and 5.4)."""


def new_id(prefix: str) -> str:
    """A fresh id such as `con_1f0c…`; random, so that it says nothing about when or how many.

    A decision makes five of them: the bits are set here, without an object for each.
    """
    number = int.from_bytes(os.urandom(16), "big") & _RANDOM_BITS | _VERSION_4
    return f"{prefix}_{number:032x}"


def derived_id(prefix: str, *parts: object) -> str:
    """The id that belongs to these parts: the same parts give the same id, on any machine, at any time."""
    return f"{prefix}_{uuid.uuid5(_NAMESPACE, chr(31).join(map(str, parts))).hex}"
