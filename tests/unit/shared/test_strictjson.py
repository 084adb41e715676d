"""Strict JSON: what two parsers could read differently is refused."""

import json
from contextlib import suppress
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.http.problems import Problem
from shared.http.strictjson import DEPTH_MAX, KEYS_MAX, parse

CANARY = "c4n4ry"
texts = st.text(st.characters(exclude_categories=("Cs", "Cn", "Cc")), max_size=8)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


def refusal(raw: bytes) -> Problem:
    with pytest.raises(Problem) as caught:
        parse(raw)
    return caught.value


@given(values)
def test_what_json_can_say_strictly_comes_out_as_it_went_in(value: Any) -> None:
    assert parse(orjson.dumps(value)) == value
    assert parse(json.dumps(value).encode()) == value


@given(st.integers(-(2**80), 2**80) | st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_alike_however_much_space_stands_around_it(number: float) -> None:
    tight = parse(b"[%b]" % json.dumps(number).encode())
    assert tight == parse(b"[ %b ]" % json.dumps(number).encode()) == [number]
    assert type(tight[0]) is type(number)


@given(st.binary(max_size=40))
def test_no_bytes_make_it_raise_anything_but_a_problem(raw: bytes) -> None:
    with suppress(Problem):
        assert parse(json.dumps(parse(raw)).encode()) == parse(raw)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"{c4n4ry}",
        b'{"c4n4ry":1,"c4n4ry":2}',
        b'{"a":{"b":1,"b":1}}',
        b'{"a":1,"\\u0061":2}',
        b"NaN",
        b"[Infinity]",
        b'{"a":-Infinity}',
        b'"c4n4ry\xff"',
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf{}",
        b"\xff\xfe{\x00}\x00",
        b"{} {}",
        b'{"a":1,}',
        b"{'a':1}",
        b'"c4n4ry\x00"',
        b'"tab\there"',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b"9" * 5_000,
        b"01",
        b"// c4n4ry\n{}",
    ],
)
def test_what_is_no_strict_json_is_400_and_is_not_repeated(raw: bytes) -> None:
    problem = refusal(raw)
    assert (problem.status, problem.slug) == (400, "invalid-json")
    assert CANARY not in bytes(problem.response().body).decode()


def nested(depth: int) -> bytes:
    return b"[" * depth + b"]" * depth


def test_nesting_is_allowed_to_the_limit_and_not_beyond() -> None:
    parse(nested(DEPTH_MAX + 1))
    assert refusal(nested(DEPTH_MAX + 2)).status == 422
    assert refusal(nested(10_000)).status == 400


def test_keys_are_allowed_to_the_limit_and_not_beyond() -> None:
    many = {str(n): n for n in range(KEYS_MAX)}
    assert parse(orjson.dumps(many)) == many
    assert refusal(orjson.dumps({**many, "one more": 1})).status == 400


@pytest.mark.parametrize("text", ["\\u0000", "\\ud800", "\\udfff", "\\ufffe", "\\uffff", "\\ufdd0"])
def test_every_place_with_a_forbidden_character_is_named_at_once(text: str) -> None:
    raw = f'{{"a":"x{text}","b":[1,"{text}"],"{text}":1}}'.encode()
    problem = refusal(raw)
    assert (problem.status, problem.slug) == (422, "invalid-text")
    assert sorted(error.pointer for error in problem.errors) == ["", "/a", "/b/1"]


@pytest.mark.parametrize("raw", [b'{"\\ud800":"\\u0000"}', b'{"\\udfff":{"\\ud83d":[1,"\\ud800"]}}'])
def test_a_place_whose_name_no_json_can_carry_is_named_as_far_as_it_can_be(raw: bytes) -> None:
    problem = refusal(raw)
    body = orjson.loads(bytes(problem.response().body))
    assert body["status"] == 422
    assert any(error["pointer"].startswith("/?") for error in body["errors"])


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert parse(b'"\\ud83d\\ude00"') == "\N{GRINNING FACE}"


@given(
    st.lists(st.sampled_from(["a", "é", "\x00", "\ufffe", "\ufdd0", "\N{GRINNING FACE}"]), max_size=4), st.booleans()
)
def test_a_bad_character_is_found_however_it_was_written(letters: list[str], ascii_only: bool) -> None:
    raw = json.dumps({"a": ["".join(letters)]}, ensure_ascii=ascii_only).encode()
    if {"\x00", "\ufffe", "\ufdd0"} & set(letters):
        assert [error.pointer for error in refusal(raw).errors] == ["/a/0"]
    else:
        assert parse(raw) == {"a": ["".join(letters)]}


@given(st.integers(25, 40), st.sampled_from((b"[", b'{"a":')))
def test_what_is_nested_too_deep_is_refused_however_few_brackets_it_has(depth: int, opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    raw = opening * depth + b"1" + closing * depth
    if depth <= DEPTH_MAX:
        parse(raw)
        return
    with pytest.raises(Problem):
        parse(raw)


def test_an_object_of_too_many_keys_is_refused_and_one_of_just_as_many_is_not() -> None:
    for count, is_refused in ((KEYS_MAX, False), (KEYS_MAX + 1, True)):
        raw = orjson.dumps({f"k{number}": number for number in range(count)})
        if is_refused:
            with pytest.raises(Problem):
                parse(raw)
        else:
            assert len(parse(raw)) == count


def test_brackets_and_colons_in_texts_count_for_nothing() -> None:
    text = "[{:" * 2_000
    assert parse(orjson.dumps([text])) == [text]
