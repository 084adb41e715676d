"""Where lanes lie, and where they are in the next layout, beside lists of them that are walked through."""

from array import array
from typing import NamedTuple

from hypothesis import given
from hypothesis import strategies as st

from shared.agreements.fast.bits import bits_at, places_of, span_of
from shared.agreements.fast.layout import Layout
from tests.support.few import FEW, counting_as_few
from tests.support.laws import law

BODIES = st.integers(0, 12)
RUNS = st.dictionaries(BODIES, st.integers(1, 5), max_size=8).map(lambda runs: dict(sorted(runs.items())))


class Lane(NamedTuple):
    body: int
    place: int


def lanes_of(runs: dict[int, int]) -> list[Lane]:
    """Every lane; behind those of each body comes its guard."""
    found, place = [], 0
    for body, count in runs.items():
        found += [Lane(body, place + number) for number in range(count)]
        place += count + 1
    return found


def guards_of(runs: dict[int, int]) -> dict[int, int]:
    return {lane.body: lane.place + 1 for lane in lanes_of(runs)}


def as_bits(places: set[int]) -> int:
    return sum(1 << place for place in places)


@law
@given(st.sets(st.integers(0, 60)), st.integers(61, 70), FEW)
def test_a_set_of_places_is_the_number_with_these_bits(places: set[int], width: int, few: int) -> None:
    with counting_as_few(few):
        assert bits_at(places, width) == as_bits(places)
    assert list(places_of(as_bits(places))) == sorted(places)


@law
@given(st.integers(0, 20), st.integers(0, 20))
def test_a_span_is_all_places_from_its_start_to_before_its_end(start: int, length: int) -> None:
    assert span_of(start, start + length) == as_bits(set(range(start, start + length)))


@law
@given(RUNS, st.sets(BODIES), st.data(), FEW)
def test_a_layout_knows_of_whom_each_lane_is(
    runs: dict[int, int], asked: set[int], data: st.DataObject, few: int
) -> None:
    lanes, guards = lanes_of(runs), guards_of(runs)
    some = data.draw(st.sets(st.sampled_from(lanes))) if lanes else set()
    with counting_as_few(few):
        layout = Layout(runs.items())
        assert layout.width == len(lanes) + len(guards) + 1
        assert layout.lanes == as_bits({lane.place for lane in lanes})
        assert (layout.guards, layout.guard_of) == (as_bits(set(guards.values())), guards)
        assert layout.bodies == as_bits(set(runs))
        met = layout.any_of(as_bits({lane.place for lane in some}))
        assert met == as_bits({guards[lane.body] for lane in some})
        assert layout.orgs(met) == sorted({lane.body for lane in some})
        of_these = {lane.place for lane in lanes if lane.body in asked}
        filled = as_bits(of_these), as_bits({guards[body] for body in asked if body in guards})
        assert layout.fill(as_bits(asked)) == layout.fill(as_bits(asked)) == filled
    for lane in lanes:
        assert layout.body_of(lane.place) == lane.body
    for body in asked:
        assert layout.run_of(body) == (guards[body] - runs[body], guards[body]) if body in runs else (0, 0)


@law
@given(RUNS, st.lists(BODIES, max_size=6).map(sorted), st.data(), FEW)
def test_in_the_next_layout_every_lane_that_stays_is_found_and_new_ones_end_the_run_of_their_body(
    runs: dict[int, int], fresh: list[int], data: st.DataObject, few: int
) -> None:
    lanes = lanes_of(runs)
    gone = data.draw(st.sets(st.sampled_from(lanes))) if lanes else set()
    stay = [lane for lane in lanes if lane not in gone]
    expected = {body: [*(lane.place + 1 for lane in stay if lane.body == body)] for body in {*runs, *fresh}}
    counts = {body: len(kept) + fresh.count(body) for body, kept in sorted(expected.items())}
    after_runs = {body: count for body, count in counts.items() if count}
    before = Layout(runs.items())
    row = array("I", bytes(4 * before.width))
    for lane in lanes:
        row[lane.place] = lane.place + 1
    with counting_as_few(few):
        after, moves = before.relaid(sorted(lane.place for lane in gone), fresh)
        assert after.guard_of == guards_of(after_runs)
        moved = moves.row(row)
        assert (len(moved), moves.width) == (after.width, after.width)
        of_each = {body: [moved[lane.place] for lane in lanes_of(after_runs) if lane.body == body] for body in counts}
        assert of_each == {body: kept + [0] * fresh.count(body) for body, kept in expected.items()}
        assert all(moved[place] == 0 for place in (*after.guard_of.values(), after.width - 1))
        assert [after.body_of(place) for place in moves.fresh] == fresh
        assert len(set(moves.fresh)) == len(fresh)
        assert all(moved[place] == 0 for place in moves.fresh)
        some = data.draw(st.sets(st.sampled_from(lanes))) if lanes else set()
        held = {place for place, value in enumerate(moved) if value - 1 in {lane.place for lane in some}}
        assert moves.set(as_bits({lane.place for lane in some})) == as_bits(held)


def test_a_body_behind_hundreds_of_others_gets_its_lane_behind_theirs() -> None:
    after, moves = Layout((body, 1) for body in range(300)).relaid((), [300])
    assert after.run_of(300) == (600, 601)
    assert moves.fresh == [600]
    assert moves.set(1 << 598) == 1 << 598
