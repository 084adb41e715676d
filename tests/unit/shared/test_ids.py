"""Identifiers: fresh ones are random UUIDs, derived ones the same wherever they are made."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from shared.ids import derived_id, new_id


def test_a_fresh_id_is_a_random_uuid_behind_its_prefix() -> None:
    prefix, digits = new_id("con").split("_")
    made = uuid.UUID(digits)
    assert (prefix, made.version, made.variant, made.hex) == ("con", 4, uuid.RFC_4122, digits)


def test_fresh_ids_differ_in_every_bit_that_is_not_fixed() -> None:
    numbers = [int(new_id("con")[4:], 16) for _ in range(400)]
    moved = 0
    for number in numbers:
        moved |= number ^ numbers[0]
    assert moved.bit_count() == 122
    assert len(set(numbers)) == len(numbers)


@given(st.lists(st.text(max_size=5), max_size=3), st.lists(st.text(max_size=5), max_size=3))
def test_a_derived_id_is_that_of_its_parts_alone(one: list[str], other: list[str]) -> None:
    same = chr(31).join(one) == chr(31).join(other)
    assert (derived_id("wrk", *one) == derived_id("wrk", *other)) is same


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=5), max_size=3))
def test_a_derived_id_is_the_uuid_of_its_name(parts: list[str]) -> None:
    namespace = uuid.UUID("7f4d3c0e-9a51-5b1e-8f0b-2f0c5f6f2a10")
    assert derived_id("wrk", *parts) == f"wrk_{uuid.uuid5(namespace, chr(31).join(parts)).hex}"
