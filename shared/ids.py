"""Identifiers: a prefix and a UUIDv4 in hex, or, where a repeat must give the same id, a UUIDv5."""

import uuid

_NAMESPACE = uuid.UUID("7f4d3c0e-9a51-5b1e-8f0b-2f0c5f6f2a10")


def new_id(prefix: str) -> str:
    """A fresh id such as `con_1f0c…`; random, so that it says nothing about when or how many."""
    return f"{prefix}_{uuid.uuid4().hex}"  # noqa: TID251 - the one place where ids are made


def derived_id(prefix: str, *parts: object) -> str:
    """The id that belongs to these parts: the same parts give the same id, on any machine, at any time."""
    return f"{prefix}_{uuid.uuid5(_NAMESPACE, chr(31).join(map(str, parts))).hex}"
