"""A lane holds what it may, sends what it may, and lets neither old failures nor new notices starve."""

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.notifier.domain.lane import Lane
from services.notifier.domain.model import Leased
from services.notifier.domain.throttle import FAILURES_MAX, Heard
from tests.support.notifier_fakes import a_leased

SLOTS, CAP = 10, 4


class LaneMachine(RuleBasedStateMachine):
    """Any order of events keeps the bounds."""

    def __init__(self) -> None:
        super().__init__()
        self.lane = Lane(slots_max=SLOTS, in_flight_max=CAP, monotonic=lambda: 0.0)
        self.flying: list[Leased] = []
        self.answered_count = 0
        self.number = 0

    @rule(count=st.integers(0, 20), again=st.booleans())
    def take(self, count: int, again: bool) -> None:
        free = self.lane.free
        taken = self.lane.reserve(count)
        assert taken == min(count, free)
        for _ in range(taken):
            self.number += 1
            self.lane.queue(a_leased(self.number, attempt_count=int(again)))

    @rule()
    def start(self) -> None:
        notice = self.lane.start()
        if notice is not None:
            self.flying.append(notice)

    @precondition(lambda self: self.flying)
    @rule(well=st.booleans())
    def answer(self, well: bool) -> None:
        self.flying.pop()
        self.lane.answered(Heard(well))
        self.answered_count += 1

    @precondition(lambda self: self.answered_count)
    @rule()
    def settle(self) -> None:
        self.lane.release(1)
        self.answered_count -= 1

    @invariant()
    def bounds_hold(self) -> None:
        assert 0 <= self.lane.held <= SLOTS
        assert len(self.flying) == self.lane.in_flight <= CAP
        assert 1 <= self.lane.cap <= CAP


TestLane = LaneMachine.TestCase
TestLane.settings = settings(max_examples=15, stateful_step_count=25, deadline=None)


def filled(*attempt_counts: int) -> Lane:
    lane = Lane(slots_max=100, in_flight_max=100, monotonic=lambda: 0.0)
    lane.reserve(len(attempt_counts))
    for number, attempt_count in enumerate(attempt_counts):
        lane.queue(a_leased(number, attempt_count=attempt_count))
    return lane


def test_first_attempts_go_ahead_and_every_fourth_turn_is_an_old_failures() -> None:
    lane = filled(*[1] * 8, *[0] * 8)
    order = [notice.attempt_count for _ in range(16) if (notice := lane.start())]
    assert order[:8] == [0, 0, 0, 1, 0, 0, 0, 1]
    assert sorted(order) == [0] * 8 + [1] * 8


@given(st.integers(0, FAILURES_MAX - 1))
def test_the_cap_halves_with_each_failure_and_comes_back_one_by_one(failures: int) -> None:
    lane = filled(*[0] * 80)
    for _ in range(failures):
        lane.start()
        lane.answered(Heard(well=False))
    assert lane.cap == max(100 >> failures, 1)
    for _ in range(100):
        lane.in_flight += 1
        lane.answered(Heard(well=True))
    assert lane.cap == 100


def test_it_asks_for_more_only_where_more_is_known_to_wait() -> None:
    lane = Lane(slots_max=4, in_flight_max=4, monotonic=lambda: 0.0)
    assert not lane.wants_more
    assert lane.reserve(6) == 4
    assert not lane.wants_more
    lane.release(2)
    assert lane.wants_more
