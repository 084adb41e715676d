"""The form of a graph object, as checks that are put together: `record(required={...}, optional={...})`.

A check looks at one value and tells the book every problem it sees; it never raises and never stops at the first.
"""

from __future__ import annotations

import hashlib
import marshal
from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with the graph: where, and what."""

    where: str
    what: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}"


class GraphInvalid(ValueError):
    """The objects are not a graph that can be decided on; `problems` lists every fault that was found."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems


@dataclass(slots=True)
class Book:
    """What the reader knows (the terms of each list) and what it has found; `passed` is what `once` remembers."""

    known: Mapping[str, Container[str]]
    problems: list[Problem] = field(default_factory=list)
    passed: set[tuple[Check, bytes]] = field(default_factory=set)

    def note(self, where: str, what: str) -> None:
        self.problems.append(Problem(where, what))


Check = Callable[[Any, str, Book], None]
_OBJECT = (dict, Mapping)  # a dict is told at once, and nearly every object is one
Keys = Mapping[str, Check]


def anything(_value: Any, _where: str, _book: Book) -> None:
    """A text for people, of any shape; nothing is decided by it."""


def text(value: Any, where: str, book: Book) -> None:
    if not isinstance(value, str) or not value.strip():
        book.note(where, "must be a text")


def flag(value: Any, where: str, book: Book) -> None:
    if not isinstance(value, bool):
        book.note(where, "must be true or false")


def whole(value: Any, where: str, book: Book) -> None:
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        book.note(where, "must be a whole number of at least 1")


def day(value: Any, where: str, book: Book) -> None:
    if not isinstance(value, str) or not _is_day(value):
        book.note(where, f"{value!r} is not a day like 2000-01-31")


def _is_day(value: str) -> bool:
    """Days are compared as texts: `20250101` and `2025-W01-3` are the same day, and stand elsewhere."""
    try:
        return date.fromisoformat(value).isoformat() == value
    except ValueError:
        return False


def once(check: Check) -> Check:
    """The same check, but a value equal to one that has passed is not looked at again.

    Large graphs say the same thing many times, and where a value stands never decides whether it passes.
    """

    def look(value: Any, where: str, book: Book) -> None:
        mark = mark_of(value)
        if mark is None:
            check(value, where, book)
        elif (check, mark) not in book.passed:
            found = len(book.problems)
            check(value, where, book)
            if len(book.problems) == found:
                book.passed.add((check, mark))

    return look


def once_but(apart: Keys, check: Check) -> Check:
    """The same check of a record, but one like another that has passed is looked at in the keys of `apart` alone.

    Large graphs say the same between other bodies. The other keys must pass or not whatever stands under these.
    """

    def look(value: Any, where: str, book: Book) -> None:
        mark = _mark_but(apart, value)
        if mark is not None and (check, mark) in book.passed:
            for key, own in apart.items():
                own(value[key], f"{where}.{key}", book)
            return
        found = len(book.problems)
        check(value, where, book)
        if mark is not None and len(book.problems) == found:
            book.passed.add((check, mark))

    return look


def _mark_but(apart: Keys, value: Any) -> bytes | None:
    if not isinstance(value, _OBJECT) or not apart.keys() <= value.keys():
        return None
    mark = mark_of({key: item for key, item in value.items() if key not in apart})
    return None if mark is None else hashlib.sha256(mark).digest()


def mark_of(value: Any) -> bytes | None:
    """Bytes that no other value has: of plain JSON values only. Version 2 tells types apart and shares nothing."""
    try:
        return marshal.dumps(value, 2)
    except ValueError:
        return None


def maybe(check: Check) -> Check:
    """The value may be null."""

    def look(value: Any, where: str, book: Book) -> None:
        if value is not None:
            check(value, where, book)

    return look


def one_of(name: str) -> Check:
    """A term of the named list."""

    def look(value: Any, where: str, book: Book) -> None:
        if not isinstance(value, str) or value not in book.known[name]:
            book.note(where, f"{value!r} is not known in {name}")

    return look


def many(check: Check) -> Check:
    """A list, each item of which passes; it may be empty."""

    def look(value: Any, where: str, book: Book) -> None:
        if not isinstance(value, list | tuple):
            book.note(where, "must be a list")
            return
        for number, item in enumerate(value, 1):
            check(item, f"{where} {_name_of(item, number)}", book)

    return look


def _name_of(item: Any, number: int) -> str:
    named = item.get("id") or item.get("org") if isinstance(item, _OBJECT) else None
    return str(named or number)


def some_of(name: str) -> Check:
    """A list of different terms of the named list; it may be empty."""
    each = many(one_of(name))

    def look(value: Any, where: str, book: Book) -> None:
        each(value, where, book)
        if isinstance(value, list | tuple) and len(set(map(str, value))) != len(value):
            book.note(where, "repeats a value")

    return look


def at_least_one(check: Check) -> Check:
    """An empty list would match nothing, silently."""

    def look(value: Any, where: str, book: Book) -> None:
        check(value, where, book)
        if not value:
            book.note(where, "must not be empty")

    return look


def table(keys: str, check: Check) -> Check:
    """An object whose keys are terms of the named list."""

    def look(value: Any, where: str, book: Book) -> None:
        if not isinstance(value, _OBJECT):
            book.note(where, "must be an object")
            return
        for key, item in value.items():
            one_of(keys)(key, where, book)
            check(item, f"{where}.{key}", book)

    return look


def record(required: Keys, optional: Keys | None = None) -> Check:
    """An object with exactly these keys: a missing one and an unknown one are problems."""
    allowed = {**required, **(optional or {})}

    def look(value: Any, where: str, book: Book) -> None:
        if not isinstance(value, _OBJECT):
            book.note(where, "must be an object")
            return
        for key in required.keys() - value.keys():
            book.note(where, f"lacks {key!r}")
        for key, item in value.items():
            if key not in allowed:
                book.note(where, f"has the unknown key {key!r}")
            else:
                allowed[key](item, f"{where}.{key}", book)

    return look


def span_of(check: Check) -> Check:
    """A record that is also an interval `[from, to)`; an empty one is a problem."""

    def look(value: Any, where: str, book: Book) -> None:
        check(value, where, book)
        if not isinstance(value, _OBJECT):
            return
        start, end = value.get("from"), value.get("to")
        if isinstance(start, str) and isinstance(end, str) and not start < end:
            book.note(where, f"the interval [{start}, {end}) is empty: `to` must be a later day than `from`")

    return look
