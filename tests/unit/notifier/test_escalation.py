"""Silence: reminded, then the second contact, then the operator; undelivered: an alarm and the alternate; once each."""

from datetime import timedelta

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.escalation import Silent, Step, deadline_of, escalate, limit_of, rests_on_a_guess
from services.notifier.domain.model import NoticeId, NoticeState, Subject
from services.notifier.usecases import escalate_notices
from shared.contracts.notice import NoticeIssued
from tests.support.clock import NOON
from tests.support.notifier_fakes import RoomyLanes, a_notice
from tests.unit.notifier.test_acknowledgement import RECEIVED, said
from tests.unit.notifier.test_usecases import Notifier

FOUR_HOURS = {"limits": {"acknowledge": {"amount": 4, "unit": "clock_hours", "by": "policy"}}}
HOUR = timedelta(hours=1)


def silent(**changes: object) -> Silent:
    given_: dict[str, object] = {
        "notice_id": NoticeId("ntc_1"),
        "subject": Subject("con_1", 1, "gmc", "tell", ""),
        "lane": 0,
        "state": NoticeState.DELIVERED,
        "registered_at": NOON,
        "since": NOON,
        "acknowledge_within": "4 clock_hours",
        "taken": frozenset(),
        "reachable": True,
        "alternate": False,
    }
    return Silent(**{**given_, **changes})  # type: ignore[arg-type]  # as the test says


def told_to_person(*, room: int = 1000) -> tuple[Notifier, NoticeIssued]:
    return Notifier(lanes=RoomyLanes(room=room)), a_notice("gmc", duties=FOUR_HOURS)


async def steps_after(notifier: Notifier, hours: float) -> list[str]:
    notifier.clock.moment = NOON + hours * HOUR
    looked_at = await escalate_notices(clock=notifier.clock, begin=notifier.store.begin)
    return [step.value for one in looked_at for step in one.steps]


async def test_silence_after_a_delivery_escalates_step_by_step_and_each_once() -> None:
    notifier, event = told_to_person()
    notifier.store.with_endpoint.add("gmc")
    await notifier.take(event)
    await notifier.deliver()
    walk = [await steps_after(notifier, hours) for hours in (1.9, 2, 2, 3.9, 4, 5.9, 6, 6, 500)]
    assert walk == [[], ["reminder"], [], [], ["second-contact"], [], ["operator"], [], []]
    assert [o.data.step for o in notifier.store.outcomes if o.type.endswith("escalated.v1")] == [
        "reminder",
        "second-contact",
        "operator",
    ]
    assert len({o.id for o in notifier.store.outcomes}) == 4
    reminders = [row.entry for row in notifier.store.rows.values() if row.entry.subject.kind == "reminder"]
    assert [orjson.loads(r.body)["data"]["notice"]["notice_id"] for r in reminders] == [event.data.notice_id] * 2
    assert "A Doctor" not in str([r.body for r in reminders])
    assert [f.body["step"] for f in notifier.store.facts if f.kind == "escalation"] == [
        "reminder",
        "second-contact",
        "operator",
    ]


async def test_a_person_stops_the_clock_and_a_2xx_does_not() -> None:
    notifier, event = told_to_person()
    notifier.store.with_endpoint.add("gmc")
    await notifier.take(event)
    await notifier.deliver()
    assert await steps_after(notifier, 2) == ["reminder"]
    await said(notifier.store, event.data.notice_id, RECEIVED)
    assert await steps_after(notifier, 100) == []


async def test_a_body_without_an_endpoint_has_the_notice_in_its_inbox_and_its_clock_runs() -> None:
    notifier, event = told_to_person(room=0)
    await notifier.take(event)
    assert [await steps_after(notifier, hours) for hours in (2, 4, 6, 120, 121)] == [
        ["reminder"],
        ["second-contact"],
        ["operator"],
        ["undelivered"],
        [],
    ]


async def test_what_is_undelivered_on_day_five_is_an_alarm_and_goes_to_the_alternate_once() -> None:
    notifier, event = told_to_person(room=0)
    notifier.store.with_endpoint.add("gmc")
    notifier.store.with_alternate.add("gmc")
    await notifier.take(event)
    assert [await steps_after(notifier, hours) for hours in (2, 119, 120, 121, 190)] == [
        [],
        [],
        ["undelivered"],
        [],
        [],
    ]
    (row,) = notifier.store.rows.values()
    assert (row.alternate, row.due_at) == (True, NOON + 120 * HOUR)


@given(
    st.sampled_from([NoticeState.PENDING, NoticeState.DELIVERED]),
    st.booleans(),
    st.sampled_from(["", "4 clock_hours", "5 working_days"]),
    st.lists(st.integers(0, 400), max_size=12),
)
def test_however_often_it_is_looked_at_no_step_is_taken_twice(
    state: NoticeState, reachable: bool, within: str, hours: list[int]
) -> None:
    taken: list[Step] = []
    for hour in sorted(hours):
        one = silent(state=state, reachable=reachable, acknowledge_within=within, taken=frozenset(taken))
        found = escalate(one, now=NOON + hour * HOUR)
        assert found.again_at is None or found.again_at > NOON + hour * HOUR
        taken += found.steps
    assert len(taken) == len(set(taken))


@pytest.mark.parametrize(
    ("kind", "duties", "limit"),
    [
        ("tell", FOUR_HOURS, "4 clock_hours"),
        ("tell", {}, ""),
        ("recall", {}, "1 working_days"),
        ("withdrawal", {}, "1 working_days"),
        ("withdrawal", FOUR_HOURS, "4 clock_hours"),
    ],
)
def test_who_must_acknowledge_and_within_what(kind: str, duties: dict[str, object], limit: str) -> None:
    assert limit_of(kind, duties, "england") == limit


@pytest.mark.parametrize(
    ("nation", "limit"),
    [("wales", "2 working_days"), ("scotland", "2 working_days scotland"), (None, "2 working_days")],
)
def test_working_days_are_those_of_the_nation_of_the_concern(nation: str | None, limit: str) -> None:
    duties = {"limits": {"acknowledge": {"amount": 2, "unit": "working_days", "by": "policy"}}}
    assert limit_of("tell", duties, nation) == limit
    assert limit_of("tell", FOUR_HOURS, nation) == "4 clock_hours"
    assert limit_of("recall", {}, "northern-ireland") == "1 working_days northern-ireland"


def test_a_deadline_in_a_year_whose_bank_holidays_are_not_published_is_called_provisional() -> None:
    late = NOON.replace(year=2031)
    assert rests_on_a_guess(deadline_of(late, "2 working_days scotland"), "2 working_days scotland")
    assert not rests_on_a_guess(deadline_of(NOON, "2 working_days scotland"), "2 working_days scotland")
    assert not rests_on_a_guess(deadline_of(late, "4 clock_hours"), "4 clock_hours")
    assert not rests_on_a_guess(None, "2 working_days")
