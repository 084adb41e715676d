"""Canonical JSON: the same value gives the same bytes (RFC 8785 for values without floats)."""

import hashlib
from typing import Any

import orjson

_OPTIONS = (
    orjson.OPT_SORT_KEYS
    | orjson.OPT_STRICT_INTEGER
    | orjson.OPT_PASSTHROUGH_DATETIME
    | orjson.OPT_PASSTHROUGH_DATACLASS
)


class NotCanonical(ValueError):
    """The value holds a key that is not a string, an integer beyond 53 bits, or something that JSON cannot say."""


def canonical(value: Any) -> bytes:
    """The canonical bytes of a JSON value made of objects, arrays, strings, integers, booleans and null.

    Raises NotCanonical for anything else but floats, UUIDs and enumerations: the encoder lets these by, so who calls
    makes sure that there are none. No form has one, and parsed JSON holds none but floats, which the forms refuse.
    Equal to RFC 8785 as long as keys are of the Basic Multilingual Plane (orders by UTF-8 and by UTF-16 agree there).
    """
    try:
        return orjson.dumps(value, option=_OPTIONS, default=_refuse)
    except orjson.JSONEncodeError as error:
        raise NotCanonical(str(error)) from error


def digest(*parts: bytes) -> str:
    """SHA-256 over the parts one after the other, in hex."""
    return hashlib.sha256(b"".join(parts)).hexdigest()


def _refuse(value: object) -> Any:
    raise TypeError(f"{type(value).__name__} has no canonical form")
