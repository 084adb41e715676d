"""Things in parts: each once, in order, no part too large that could be smaller, none more than needed."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from shared.parts import in_parts

sizes_of_items = st.lists(st.integers(0, 12), max_size=12)


@given(sizes_of_items)
def test_the_parts_hold_every_item_once_in_its_order(sizes: list[int]) -> None:
    items = list(enumerate(sizes))
    parts = list(in_parts(items, lambda item: item[1], size_max=10, count_max=4))
    assert [item for part in parts for item in part] == items


@given(sizes_of_items)
def test_no_part_is_too_large_unless_it_is_a_single_item(sizes: list[int]) -> None:
    for part in in_parts(sizes, int, size_max=10, count_max=4):
        assert len(part) <= 4
        assert sum(part) <= 10 or len(part) == 1


@given(sizes_of_items)
def test_a_part_ends_only_where_the_next_item_does_not_fit(sizes: list[int]) -> None:
    parts = list(in_parts(sizes, int, size_max=10, count_max=4))
    for part, after in itertools.pairwise(parts):
        assert sum(part) + after[0] > 10 or len(part) == 4


def test_nothing_is_one_empty_part() -> None:
    assert list(in_parts([], len, size_max=10)) == [()]
