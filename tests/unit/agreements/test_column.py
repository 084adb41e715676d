"""The values of lanes by place: each once, and without those that no lane has any more."""

from array import array

from shared.agreements.fast.facets import Column
from shared.agreements.fast.layout import Layout


def test_a_column_holds_equal_values_once_and_lets_go_of_those_that_no_lane_has_any_more() -> None:
    """A body's only lane comes and goes with another value each time."""
    layout, column = Layout(), Column()
    held: list[int] = []
    for turn in range(12):
        layout, moves = layout.relaid([0] if turn else [], [3])
        column = column.after(moves, [f"value {turn}"])
        held.append(len(column.values))
        assert column[0] == f"value {turn}"
        assert column.having([value == f"value {turn}" for value in column.values]) == 1
    assert held == [2, 3] * 6


def test_a_column_is_trimmed_once_it_holds_half_as_many_again_as_after_the_last_time() -> None:
    layout, moves = Layout().relaid([], [1, 2, 3, 4])
    column = Column().after(moves, "abcd")
    assert column.values == [None, *"abcd"]
    sizes = []
    for value in "efgh":
        layout, moves = layout.relaid([0], [1])
        column = column.after(moves, value)
        sizes.append(len(column.values))
    assert sizes == [6, 7, 5, 6]
    assert [column[place] for place in (0, 2, 4, 6)] == ["h", "b", "c", "d"]


def test_a_column_of_half_as_many_again_exactly_is_not_trimmed_yet() -> None:
    layout, moves = Layout().relaid([], list(range(7)))
    column = Column().after(moves, "abcdefg")
    assert column.trimmed_at == 8
    sizes = []
    for value in "hijkl":
        _, moves = layout.relaid([0], [0])
        column = column.after(moves, value)
        sizes.append(len(column.values))
    assert sizes == [9, 10, 11, 12, 8]


def test_no_lane_is_had_by_values_that_nobody_wants() -> None:
    _, moves = Layout().relaid([], [1, 2])
    column = Column().after(moves, "ab")
    assert [column.having([False, *wanted]) for wanted in ((False, False), (True, False), (True, True))] == [0, 1, 5]
    assert column.places({1, 2}) == [0, 2]
    assert column.places(set()) == []


def test_the_value_of_no_lane_stays_the_first_when_a_column_is_trimmed() -> None:
    trimmed = Column(array("I", (1, 3)), (None, "a", "b", "c")).trimmed()
    assert trimmed.values == [None, "a", "c"]
    assert list(trimmed.codes) == [1, 2]
