"""Strict JSON: what two parsers could read differently is refused, and every fault is named at once."""

import json
import re
from collections.abc import Iterator
from typing import Any

from shared.http.problems import FieldError, Problem, pointer

DEPTH_MAX = 32
KEYS_MAX = 1_000
_BAD = re.compile("[\x00\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_Path = tuple[int | str, ...]


class _Refused(ValueError):
    """The text is JSON in form but not in the strict sense."""


def parse(raw: bytes) -> Any:
    """Parse UTF-8 JSON. Raises Problem: 400 where it is no JSON, 422 naming each bad place.

    Refused: duplicate keys, NaN and Infinity, nesting beyond 32, more than 1,000 keys, U+0000, lone surrogates and
    noncharacters.
    """
    value = _load(raw)
    if _is_plain(raw) and _is_shallow(value):
        return value  # nearly always: the walk that can name each place costs several times as much
    errors = [FieldError(pointer(path), fault) for path, fault in _faults(value)]
    if errors:
        raise Problem(422, "invalid-text", "Some texts or shapes are not allowed; nothing was stored", errors=errors)
    return value


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


def _is_shallow(value: Any) -> bool:
    level = [value]
    for _ in range(DEPTH_MAX + 1):
        parents = [node for node in level if isinstance(node, dict | list)]
        level = [child for node in parents for child in (node.values() if isinstance(node, dict) else node)]
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
