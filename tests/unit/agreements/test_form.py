"""The checks of which the form of a graph object is put together: each names every problem, and where it is."""

from __future__ import annotations

import sys
from types import MappingProxyType
from typing import Any

import pytest

from shared.agreements.load import form
from shared.agreements.load.form import Book, Check, Keys, mark_of
from shared.agreements.load.shapes import said_at_once

KNOWN = {"colours": frozenset({"red", "blue"})}
ONCE: Keys = {"name": form.text}
UNKNOWN = "has the unknown key 'id'", "has the unknown key 'org'"
NOT_COLOURS: list[Any] = ["green", None, []]
OPEN: list[Any] = [{"from": None, "to": "2025-01-01"}, {"from": "2025-01-01"}, {}, []]
POINT = form.record({"x": form.whole}, {"y": form.whole, "name": form.text})


def problems(check: Check, value: Any, book: Book | None = None) -> list[str]:
    """What the check says of the value at `at`."""
    book = book or Book(KNOWN)
    before = len(book.problems)
    check(value, "at", book)
    return [str(problem) for problem in book.problems[before:]]


CASES: list[tuple[Check, Any, list[str]]] = [
    (form.anything, object(), []),
    (form.text, "x", []),
    *((form.text, value, ["at: must be a text"]) for value in ("", " \n", None, 1, ["x"])),
    *((form.flag, value, []) for value in (True, False)),
    *((form.flag, value, ["at: must be true or false"]) for value in (0, 1, None, "true")),
    *((form.whole, value, []) for value in (1, 2, 10**12)),
    *((form.whole, value, ["at: must be a whole number of at least 1"]) for value in (0, -1, True, 1.0, "1", None)),
    *((form.day, value, []) for value in ("2024-02-29", "0001-01-01", "9999-12-31")),
    *(
        (form.day, value, [f"at: {value!r} is not a day like 2000-01-31"])
        for value in ("2025-02-29", "20250101", "2025-W01-1", "2025-1-01", "2025-01-011", "", None, 20250101)
    ),
    (form.maybe(form.text), None, []),
    (form.maybe(form.text), "", ["at: must be a text"]),
    (form.one_of("colours"), "red", []),
    *((form.one_of("colours"), value, [f"at: {value!r} is not known in colours"]) for value in NOT_COLOURS),
    (form.many(form.text), [], []),
    (form.many(form.text), ("x", "y"), []),
    *((form.many(form.text), value, ["at: must be a list"]) for value in ("xy", None, {"x": 1})),
    (form.many(form.text), ["x", "", 3], ["at 2: must be a text", "at 3: must be a text"]),
    (form.many(POINT), [{"id": "a", "org": "b"}], [f"at a: {what}" for what in ("lacks 'x'", *UNKNOWN)]),
    (form.many(POINT), [{"org": "b", "x": 1}], ["at b: has the unknown key 'org'"]),
    (form.some_of("colours"), ["red", "blue"], []),
    (form.some_of("colours"), ("red", "red"), ["at: repeats a value"]),
    (form.some_of("colours"), ["red", "green"], ["at 2: 'green' is not known in colours"]),
    (form.some_of("colours"), "red", ["at: must be a list"]),
    (form.at_least_one(form.many(form.text)), ["x"], []),
    (form.at_least_one(form.many(form.text)), [], ["at: must not be empty"]),
    (form.table("colours", form.whole), {"red": 1, "blue": 2}, []),
    (form.table("colours", form.whole), MappingProxyType({"red": 1}), []),
    (
        form.table("colours", form.whole),
        {"green": 1, "red": 0},
        ["at: 'green' is not known in colours", "at.red: must be a whole number of at least 1"],
    ),
    (form.table("colours", form.whole), ["red"], ["at: must be an object"]),
    (POINT, {"x": 1}, []),
    (POINT, MappingProxyType({"x": 1, "y": 2}), []),
    (POINT, {"y": 0, "id": 1}, ["at: lacks 'x'", "at.y: must be a whole number of at least 1", f"at: {UNKNOWN[0]}"]),
    *((POINT, value, ["at: must be an object"]) for value in ([("x", 1)], None, "x")),
    (form.record({}), {}, []),
    (form.span_of(form.anything), {"from": "2025-01-01", "to": "2025-01-02"}, []),
    *((form.span_of(form.anything), value, []) for value in OPEN),
    *(
        (
            form.span_of(form.anything),
            {"from": "2025-01-02", "to": end},
            [f"at: the interval [2025-01-02, {end}) is empty: `to` must be a later day than `from`"],
        )
        for end in ("2025-01-02", "2025-01-01")
    ),
    (form.span_of(form.text), 1, ["at: must be a text"]),
]  # fmt: skip


@pytest.mark.parametrize(("check", "value", "told"), CASES)
def test_a_check_says(check: Check, value: Any, told: list[str]) -> None:
    assert problems(check, value) == told


class Counted:
    """A check that counts how often it looks."""

    def __init__(self, check: Check) -> None:
        self.check, self.looks = check, 0

    def __call__(self, value: Any, where: str, book: Book) -> None:
        self.looks += 1
        self.check(value, where, book)


def test_a_value_that_passed_is_looked_at_once_and_one_that_did_not_each_time() -> None:
    counted, book = Counted(form.whole), Book(KNOWN)
    once = form.once(counted)
    told = [problems(once, value, book) for value in (1, 1, 0, 0, True, 1.0, 2)]
    assert [bool(found) for found in told] == [False, False, True, True, True, True, False]
    assert counted.looks == 6
    proxied = MappingProxyType({"x": 1})
    of_points = Counted(POINT)
    assert [problems(form.once(of_points), proxied, book) for _ in range(2)] == [[], []]
    assert of_points.looks == 2
    assert problems(form.once(form.text), 1, book) == ["at: must be a text"]


def test_a_record_that_is_like_one_that_passed_is_looked_at_in_its_own_keys_alone() -> None:
    counted, own, book = Counted(POINT), Counted(form.text), Book(KNOWN)
    once = form.once_but({"name": own}, counted)
    assert problems(once, {"x": 1, "name": "a"}, book) == []
    assert problems(once, {"x": 1, "name": "b"}, book) == []
    assert (counted.looks, own.looks) == (1, 1)
    assert problems(once, {"x": 1, "name": ""}, book) == ["at.name: must be a text"]
    assert problems(once, {"x": 2, "name": "a"}, book) == []
    assert (counted.looks, own.looks) == (2, 2)
    bad = {"x": 0, "name": "a"}
    assert problems(once, bad, book) == problems(once, bad, book) == ["at.x: must be a whole number of at least 1"]
    for value in ({"x": 1}, {"x": 1}, MappingProxyType({"x": 1, "name": "a"})):
        assert problems(once, value, book) == []
    assert (counted.looks, own.looks) == (6, 3)
    assert problems(once, ["x"], book) == ["at: must be an object"]


def test_equal_values_have_one_mark_whichever_of_their_texts_are_one_and_the_same() -> None:
    text = "a text"
    apart, interned = "said: a text"[6:], sys.intern("a text")
    assert mark_of([text, text]) == mark_of([text, apart]) == mark_of([apart, apart]) == mark_of([interned, apart])
    assert mark_of([1]) != mark_of([True]) != mark_of([1.0])
    assert mark_of({1: object()}) is None


@pytest.mark.parametrize(
    ("sayings", "is_right"),
    [
        ([{"flags": ["red"]}, {"onward": ["blue"]}], True),
        ([{"flags": ["red"]}, {"onward": ["blue"]}, {"flags": ["blue"]}], True),
        ([{"flags": ["red"]}], False),
        ([], False),
        ([{"flags": ["red"]}, {"flags": []}], False),
        ([{"flags": ["red"]}, {}], False),
        ([{"flags": ["red"]}, {"flags": ["red"], "onward": ["blue"]}], False),
    ],
)
def test_what_contradicts_needs_two_sayings_of_one_field_each(sayings: Any, *, is_right: bool) -> None:
    book = Book({"flags": KNOWN["colours"], "onward": KNOWN["colours"]})
    told = [] if is_right else ["at: needs two sayings at least, each of one field with a word"]
    assert problems(said_at_once, sayings, book) == told
