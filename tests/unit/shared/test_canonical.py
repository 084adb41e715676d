"""Canonical bytes: equal to RFC 8785, as another implementation reads it, for our value types."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from shared.canonical import NotCanonical, canonical, digest

keys = st.text(st.characters(exclude_categories=["Cs"], max_codepoint=0xFFFF), max_size=8)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=5),
    max_leaves=16,
)


@given(values)
def test_the_bytes_are_those_of_rfc_8785(value: Any) -> None:
    assert canonical(value) == rfc8785.dumps(value)


@given(st.dictionaries(keys, st.integers(0, 9), max_size=6), st.randoms(use_true_random=False))
def test_the_order_in_which_keys_were_set_never_matters(value: dict[str, int], shuffler: Any) -> None:
    items = list(value.items())
    shuffler.shuffle(items)
    assert canonical(dict(items)) == canonical(value)


@dataclass
class Thing:
    """Something with fields, which another release may order or name in another way."""

    name: str = "a"


MOMENT = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
NOT_JSON = [2**53, -(2**53), {1: "a"}, {"a": {1}}, b"x", object(), "\ud800"]
NOT_OURS = [MOMENT, MOMENT.date(), MOMENT.time(), {"at": [MOMENT]}, Thing(), {"thing": Thing()}]


@pytest.mark.parametrize("value", [*NOT_JSON, *NOT_OURS], ids=lambda value: type(value).__name__)
def test_what_has_no_canonical_form_is_refused(value: Any) -> None:
    with pytest.raises(NotCanonical):
        canonical(value)


def test_a_digest_is_over_the_parts_in_order() -> None:
    assert digest(b"ab", b"c") == digest(b"abc") != digest(b"cab")
