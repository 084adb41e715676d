"""When a notice is tried again, and when it is not."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain import policy, retry
from services.notifier.domain.model import Answer, Delivered, Retry
from tests.support.clock import NOON
from tests.support.notifier_fakes import a_leased

FRACTIONS = st.floats(0, 1, exclude_max=True)


@given(st.integers(1, 100), FRACTIONS)
def test_a_pause_is_full_jitter_within_the_schedule(attempt_no: int, fraction: float) -> None:
    longest = retry.SCHEDULE[min(attempt_no, len(retry.SCHEDULE)) - 1]
    assert timedelta(0) <= retry.pause_before(attempt_no, fraction=fraction) <= longest


@given(st.integers(1, 50), FRACTIONS)
def test_a_later_attempt_never_waits_less_by_the_same_chance(attempt_no: int, fraction: float) -> None:
    sooner, later = (retry.pause_before(n, fraction=fraction) for n in (attempt_no, attempt_no + 1))
    assert sooner <= later


def test_the_schedule_is_the_written_one() -> None:
    longest = [retry.pause_before(n, fraction=1).total_seconds() for n in range(1, 12)]
    assert longest == [0, 5, 30, 300, 1800, 7200, 18000, 36000, 43200, 43200, 43200]


@given(st.lists(FRACTIONS, min_size=60, max_size=60))
def test_attempts_go_on_for_eight_days_and_then_stop(fractions: list[float]) -> None:
    now, attempts = NOON, 0
    notice = a_leased(give_up_at=NOON + retry.GIVE_UP_AFTER)
    for fraction in fractions:
        if policy.stop(notice, now=now):
            break
        verdict = policy.judge(notice, Answer(500), now=now, fraction=max(fraction, 0.5))
        assert isinstance(verdict, Retry)
        assert now <= verdict.due_at <= notice.give_up_at
        attempts += 1
        now, notice = verdict.due_at, a_leased(attempt_count=attempts, give_up_at=notice.give_up_at)
    assert policy.stop(notice, now=now) is not None
    assert 16 <= attempts <= 60


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("120", 120), (" 120 ", 120), ("0", None), ("-5", None), ("999999999999999999999", 21600), ("1.5", None),
        ("soon", None), ("", None), (None, None), ("١٢", None), (format_datetime(NOON + timedelta(hours=1)), 3600),
        (format_datetime(NOON - timedelta(hours=1)), None), (format_datetime(NOON + timedelta(days=9)), 21600),
        ("Mon, 99 Foo 2025 99:99:99 GMT", None), ("Fri, 31 Dec 9999 23:59:59 GMT", 21600),
    ],
)  # fmt: skip
def test_a_receivers_wish_is_read_in_both_forms_and_garbage_is_none(text: str | None, seconds: int | None) -> None:
    wish = retry.retry_after(text, now=NOON)
    assert (wish and wish.total_seconds()) == seconds


@given(st.text(max_size=40))
def test_no_wish_makes_it_fall_over_or_wait_beyond_the_cap(text: str) -> None:
    wish = retry.retry_after(text, now=NOON)
    assert wish is None or timedelta(0) < wish <= retry.RETRY_AFTER_MAX


@given(st.integers(100, 599) | st.none(), FRACTIONS)
def test_2xx_is_delivered_and_everything_else_is_tried_again(status: int | None, fraction: float) -> None:
    verdict = policy.judge(a_leased(), Answer(status), now=NOON, fraction=fraction)
    assert isinstance(verdict, Delivered) == (status is not None and 200 <= status <= 299)
    assert isinstance(verdict, Delivered) or verdict.suspends == (status == 410)


@given(st.integers(100, 599), st.floats(0, 1, exclude_max=True), st.integers(0, 12))
def test_who_refuses_is_tried_again_slowly_and_every_other_by_the_schedule(
    status: int, fraction: float, attempt_count: int
) -> None:
    verdict = policy.judge(a_leased(attempt_count=attempt_count), Answer(status), now=NOON, fraction=fraction)
    if isinstance(verdict, Retry):
        pause = retry.pause_before(attempt_count + 2, fraction=fraction)
        slow = 400 <= status <= 499 and status not in (408, 410, 425, 429)
        assert verdict.due_at - NOON == (max(pause, timedelta(minutes=5)) if slow else pause)
        assert verdict.wish is None  # the rest of the lane goes on


@pytest.mark.parametrize(("status", "heard"), [(429, True), (503, True), (500, False), (302, False)])
def test_only_429_and_503_may_wish_for_a_time(status: int, heard: bool) -> None:
    verdict = policy.judge(a_leased(), Answer(status, retry_after="3600"), now=NOON, fraction=0)
    assert isinstance(verdict, Retry)
    assert (verdict.due_at == NOON + timedelta(hours=1)) == heard


def test_a_historic_basis_ages_from_acceptance_and_a_live_one_by_the_calendar() -> None:
    accepted, ends = datetime(2026, 11, 22, tzinfo=UTC), NOON + timedelta(days=3)
    historic = policy.basis_ends_at(ends, as_of=NOON, accepted_at=accepted)
    assert historic == accepted + timedelta(days=3)
    assert policy.basis_ends_at(ends, as_of=NOON, accepted_at=NOON) == ends
    assert policy.basis_ends_at(None, as_of=NOON, accepted_at=accepted) is None


def test_nothing_is_sent_from_the_moment_at_which_the_basis_ends() -> None:
    notice = a_leased(valid_until=NOON)
    assert policy.stop(notice, now=NOON - timedelta(microseconds=1)) is None
    ended = policy.stop(notice, now=NOON)
    assert ended is not None
    assert ended.reason == policy.BASIS_ENDED
