"""The pace of one endpoint: its granted rate, what 429 teaches, and a breaker that lets one through to see."""

from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.throttle import (
    FAILURES_MAX,
    PROBE_SECONDS_MAX,
    RATE_MIN,
    REFUSED_SECONDS_MAX,
    Breaker,
    Heard,
    Throttle,
)

WELL, BAD, AWAY = Heard(well=True), Heard(well=False, status=500), Heard(well=False)


def sent_in(throttle: Throttle, begin: float, seconds: float, *, step: float = 0.01) -> int:
    """How many deliveries may start in a stretch of time, tried again and again."""
    return sum(throttle.take(begin + n * step) for n in range(int(seconds / step)))


def test_a_granted_rate_is_kept_from_the_first_second_on() -> None:
    throttle = Throttle(rate_per_minute=120)
    assert sent_in(throttle, 0, 60) in range(118, 123)
    throttle.grant(None)
    assert sent_in(throttle, 60, 1) == 100


def test_without_a_grant_and_without_failures_nothing_waits() -> None:
    assert sent_in(Throttle(), 0, 1) == 100


def test_429_502_and_504_lower_the_rate_which_comes_back_by_itself() -> None:
    for status in (429, 502, 504):
        throttle = Throttle()
        before = sent_in(throttle, 0, 5)
        throttle.answered(Heard(well=False, status=status), 5)
        throttle.answered(WELL, 5)
        assert sent_in(throttle, 5, 5) < before * 0.7
        assert sent_in(throttle, 300, 1) == 100


def test_other_failures_do_not_lower_the_rate() -> None:
    throttle = Throttle()
    throttle.answered(BAD, 0)
    assert throttle.rate(0) is None


def test_a_wish_for_peace_holds_the_whole_lane_for_hours() -> None:
    throttle = Throttle()
    throttle.answered(Heard(well=False, status=429, wish_seconds=7200), 0)
    assert not throttle.take(7199)
    assert throttle.take(7300)


def opened(heard: Heard, at: float = 0) -> Throttle:
    throttle = Throttle()
    for _ in range(FAILURES_MAX):
        assert throttle.breaker is Breaker.CLOSED
        throttle.answered(heard, at)
    return throttle


def test_failures_in_a_row_open_the_breaker_and_only_a_probe_ends_it() -> None:
    throttle = opened(AWAY)
    assert throttle.is_open(1e6)
    assert not throttle.take(1e6)
    assert throttle.probe_is_due(PROBE_SECONDS_MAX)
    throttle.probed(10, there=False)
    assert not throttle.probe_is_due(10.1)
    throttle.probed(20, there=True)
    seen = [throttle.breaker]
    assert throttle.take(20)
    throttle.answered(WELL, 21)
    assert [*seen, throttle.breaker] == [Breaker.HALF_OPEN, Breaker.CLOSED]


def test_who_is_away_is_looked_for_every_few_seconds_and_who_refuses_less_and_less_often() -> None:
    for heard, longest in ((AWAY, PROBE_SECONDS_MAX), (BAD, REFUSED_SECONDS_MAX)):
        throttle, now, pauses = opened(heard), 0.0, []
        for _ in range(20):
            opened_at = now
            while throttle.breaker is Breaker.OPEN:
                now = throttle.hold_until
                throttle.probed(now, there=True)
            pauses.append(now - opened_at)
            throttle.take(now)
            throttle.answered(heard, now)
        assert pauses == sorted(pauses)
        assert longest <= pauses[-1] <= longest + PROBE_SECONDS_MAX


def test_who_refused_for_days_and_was_away_meanwhile_is_tried_as_soon_as_it_is_there_again() -> None:
    throttle, now = opened(BAD), 0.0
    for _ in range(20):
        now += 2 * REFUSED_SECONDS_MAX
        throttle.probed(now, there=True)
        throttle.take(now)
        throttle.answered(BAD, now)
    throttle.probed(now + 5, there=True)
    assert throttle.is_open(now + 5)
    throttle.probed(now + 10, there=False)
    throttle.probed(now + 15, there=True)
    assert throttle.take(now + 15)


@given(st.lists(st.tuples(st.floats(0, 30), st.sampled_from([None, 200, 410, 429, 500, 502, 504])), max_size=60))
def test_whatever_is_heard_it_never_stops_for_good_and_the_rate_never_falls_to_nothing(
    heard: list[tuple[float, int | None]],
) -> None:
    throttle, now = Throttle(rate_per_minute=600), 0.0
    for seconds, status in heard:
        now += seconds
        throttle.take(now)
        throttle.answered(Heard(well=status == 200, status=status), now)
        assert (throttle.rate(now) or RATE_MIN) >= RATE_MIN
    later = now + REFUSED_SECONDS_MAX + 1
    if throttle.breaker is Breaker.OPEN:
        assert throttle.probe_is_due(later)
        throttle.probed(later, there=True)
    assert sent_in(throttle, later, 30, step=0.1) >= 1
