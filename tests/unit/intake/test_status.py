"""What became of a concern, from whatever order the news came in."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain.model import (
    ConcernId,
    ConcernRecord,
    Decided,
    Entry,
    NoticeState,
    NoticeTurn,
    Recall,
    Status,
    TakenBack,
    Told,
    Undone,
    VersionRecord,
)
from services.intake.domain.status import progress_of
from tests.support.clock import NOON

ID = ConcernId("con_" + "0" * 32)
GMC, NMC = Told("gmc", "ntc_gmc", "PERMITTED"), Told("nmc", "ntc_nmc", "REQUIRED")


def record(entries: Sequence[Entry], version_count: int = 1) -> ConcernRecord:
    versions = tuple(VersionRecord(n + 1, "d", NOON, NOON, ()) for n in range(version_count))
    return ConcernRecord(ID, "cqc", "R-1", versions, tuple(entries))


def decided(*told: Told, hold: tuple[str, ...] = (), unroutable: bool = False, number: int = 1) -> Decided:
    return Decided(f"evt_d{number}", ID, 1, NOON, number, told, (), hold, unroutable)


def turn(told: Told, state: NoticeState, second: int = 0, version: int = 1) -> NoticeTurn:
    at = NOON + timedelta(seconds=second)
    return NoticeTurn(f"evt_{told.org}_{state}_{second}", ID, version, at, told.notice_id, told.org, state)


@pytest.mark.parametrize(
    ("entries", "status"),
    [
        ([], "accepted"),
        ([decided(GMC)], "routed"),
        ([decided()], "routed"),
        ([decided(hold=("gmc",))], "held"),
        ([decided(GMC, hold=("nmc",))], "routed"),
        ([decided(unroutable=True)], "unroutable"),
        ([decided(hold=("gmc",)), decided(GMC, number=2)], "routed"),
        ([decided(GMC, NMC), turn(GMC, "delivered")], "routed"),
        ([decided(GMC, NMC), turn(GMC, "delivered"), turn(NMC, "delivered")], "delivered"),
        ([decided(GMC), turn(GMC, "attempt-failed")], "routed"),
        ([decided(GMC, NMC), turn(GMC, "delivered"), turn(NMC, "expired")], "undelivered"),
        ([decided(GMC, NMC), turn(GMC, "accepted"), turn(NMC, "refused")], "delivered"),
        ([decided(GMC, NMC), turn(GMC, "used"), turn(NMC, "cancelled")], "delivered"),
        ([decided(GMC), turn(GMC, "cancelled")], "routed"),
        ([decided(GMC), turn(GMC, "escalated")], "routed"),
        ([turn(GMC, "delivered")], "accepted"),
        ([decided(GMC), turn(GMC, "delivered", version=2)], "routed"),
    ],
)
def test_the_status_follows_from_the_timeline(entries: list[Entry], status: Status) -> None:
    assert progress_of(record(entries)).status == status


def test_a_notice_that_was_delivered_stays_delivered_whatever_failed_before_or_after() -> None:
    news = [turn(GMC, "attempt-failed", 9), turn(GMC, "delivered", 5), turn(GMC, "registered", 1)]
    (told,) = progress_of(record([decided(GMC), *news])).told
    assert (told.state, told.at) == ("delivered", NOON + timedelta(seconds=5))


def test_what_a_person_said_of_a_notice_is_not_undone_by_a_late_delivery_or_escalation() -> None:
    news = [turn(GMC, "refused", 1), turn(GMC, "delivered", 5), turn(GMC, "escalated", 9)]
    (told,) = progress_of(record([decided(GMC), *news])).told
    assert (told.state, told.at) == ("refused", NOON + timedelta(seconds=1))


def test_a_told_body_without_news_is_issued() -> None:
    (told,) = progress_of(record([decided(GMC)])).told
    assert told.state == "issued"


def test_a_new_version_starts_anew() -> None:
    assert progress_of(record([decided(GMC), turn(GMC, "delivered")], version_count=2)).status == "accepted"


def test_a_recall_stands_above_all_that_became_of_the_concern() -> None:
    whole = record([decided(GMC), turn(GMC, "expired")])
    assert progress_of(whole).status == "undelivered"
    assert progress_of(replace(whole, recall=Recall("barred", NOON))).status == "recalled"


def test_what_was_taken_back_counts_no_more_and_shows_how_far_its_own_notice_has_come() -> None:
    gone = Undone("evt_u", ID, 1, NOON, "withdrawal", (TakenBack("nmc", "ntc_w", NMC.notice_id, 1, "CATEGORY"),))
    notice = NoticeTurn("evt_w", ID, 1, NOON, "ntc_w", "nmc", "delivered")
    entries: list[Entry] = [decided(GMC, NMC), turn(GMC, "delivered"), turn(NMC, "expired")]
    assert progress_of(record(entries)).status == "undelivered"
    progress = progress_of(record([notice, gone, *entries]))
    assert progress.status == "delivered"
    assert [(row.told.org, row.state) for row in progress.told] == [("gmc", "delivered"), ("nmc", "expired")]
    assert [(row.taken_back.org, row.kind, row.state) for row in progress.taken_back] == [
        ("nmc", "withdrawal", "delivered")
    ]


def test_what_was_taken_back_of_an_earlier_version_still_shows() -> None:
    gone = Undone("evt_u", ID, 1, NOON, "recall", (TakenBack("gmc", "ntc_w", GMC.notice_id, 1, "CHOSEN"),))
    progress = progress_of(record([decided(GMC), gone], version_count=2))
    assert (progress.status, progress.told) == ("accepted", ())
    assert [row.state for row in progress.taken_back] == ["issued"]


def test_a_later_round_adds_to_those_who_were_told() -> None:
    progress = progress_of(record([decided(GMC), decided(NMC, number=2)]))
    assert [row.told.org for row in progress.told] == ["gmc", "nmc"]


news = st.lists(
    st.builds(
        turn,
        st.sampled_from([GMC, NMC]),
        st.sampled_from(get_args(NoticeState)),
        st.integers(0, 3),
    ),
    max_size=6,
    unique_by=lambda entry: entry.event_id,
)


@given(st.data(), news)
def test_the_order_in_which_news_came_never_matters(data: st.DataObject, turns: list[NoticeTurn]) -> None:
    entries: list[Entry] = [decided(GMC), decided(GMC, NMC, number=2), *turns]
    shuffled = data.draw(st.permutations(entries))
    assert progress_of(record(shuffled)) == progress_of(record(entries))
