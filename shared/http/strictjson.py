"""Strict JSON: what two parsers could read differently is refused, and every fault is named at once."""

import json
import re
from collections.abc import Iterator
from typing import Any

import orjson

from shared.http.problems import FieldError, Problem, pointer

DEPTH_MAX = 32
KEYS_MAX = 1_000
_BAD = re.compile("[\x00\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_OTHER = object()
_Path = tuple[int | str, ...]


class _Refused(ValueError):
    """The text is JSON in form but not in the strict sense."""


def parse(raw: bytes) -> Any:
    """Parse UTF-8 JSON. Raises Problem: 400 where it is no JSON, 422 naming each bad place.

    Refused: duplicate keys, NaN and Infinity, nesting beyond 32, more than 1,000 keys, U+0000, lone surrogates and
    noncharacters.
    """
    value = _compact(raw)
    is_within = value is not _OTHER
    if not is_within:
        value = _load(raw)
        is_within = _is_within(value)
    if is_within and _is_plain(raw):
        return value  # nearly always: the walk that can name each place costs several times as much
    errors = [FieldError(pointer(path), fault) for path, fault in _faults(value)]
    if errors:
        raise Problem(422, "invalid-text", "Some texts or shapes are not allowed; nothing was stored", errors=errors)
    return value


def _compact(raw: bytes) -> Any:
    """The value of a text that its value gives back to the byte, so that no key is there twice; `_OTHER` of another."""
    try:
        value = orjson.loads(raw)
        is_same = orjson.dumps(value) == raw
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return _OTHER
    return value if is_same and (_is_small(raw) or _is_within(value)) else _OTHER


def _is_small(raw: bytes) -> bool:
    """Whether there are too few brackets to be nested too deep, and too few colons for too many keys."""
    return raw.count(b"{") + raw.count(b"[") <= DEPTH_MAX and raw.count(b":") <= KEYS_MAX


def _load(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode(), object_pairs_hook=_object, parse_constant=_constant)
    except _Refused as refused:
        raise _not_json(str(refused)) from None
    except RecursionError:
        raise _not_json(f"it is nested more than {DEPTH_MAX} deep") from None
    except ValueError as error:
        where = f" at character {error.pos}" if isinstance(error, json.JSONDecodeError) else ""
        raise _not_json(f"it is not well-formed UTF-8 JSON{where}") from None


def _not_json(detail: str) -> Problem:
    return Problem(
        400, "invalid-json", "The body is not strict JSON; nothing was stored", detail=f"The body: {detail}."
    )


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _Refused("an object has the same key twice")
    if len(made) > KEYS_MAX:
        raise _Refused(f"an object has more than {KEYS_MAX} keys")
    return made


def _constant(name: str) -> Any:
    raise _Refused(f"{name} is no JSON number")


def _is_plain(raw: bytes) -> bool:
    """Whether no text can hold a bad character: there are no escapes that could make one, and none stands there."""
    return b"\\u" not in raw and (raw.isascii() or not _BAD.search(raw.decode()))


def _is_within(value: Any) -> bool:
    """Whether it is nested no deeper than it may be, and no object has too many keys."""
    level = [value]
    for _ in range(DEPTH_MAX + 1):
        # Types are compared, not asked: values come from a parser, and a large import has millions of them.
        parents = [node for node in level if type(node) is dict or type(node) is list]
        if any(type(node) is dict and len(node) > KEYS_MAX for node in parents):
            return False
        level = [child for node in parents for child in (node.values() if type(node) is dict else node)]
        if not level:
            return True
    return False


def _faults(value: Any) -> Iterator[tuple[_Path, str]]:
    """Walks without recursion: the depth is the caller's choice, not ours."""
    waiting: list[tuple[_Path, Any]] = [((), value)]
    while waiting:
        path, node = waiting.pop()
        if len(path) > DEPTH_MAX:
            yield path[:DEPTH_MAX], f"nested more than {DEPTH_MAX} deep"
        elif isinstance(node, str):
            yield from _text_faults(path, node)
        elif isinstance(node, dict):
            yield from (fault for key in node for fault in _text_faults(path, key))
            waiting.extend((((*path, key), child) for key, child in node.items()))
        elif isinstance(node, list):
            waiting.extend((((*path, index), child) for index, child in enumerate(node)))


def _text_faults(path: _Path, text: str) -> Iterator[tuple[_Path, str]]:
    if (not text.isascii() or "\x00" in text) and _BAD.search(text):
        yield path, "holds U+0000, a lone surrogate or a noncharacter"
