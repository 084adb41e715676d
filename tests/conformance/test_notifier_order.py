"""In order where an endpoint wants it: of one concern one notice after the other, in memory and in Postgres."""

from datetime import timedelta

import pytest

from services.notifier.domain.model import Delivered, Leased, Retry, Stopped
from services.notifier.domain.policy import UNDELIVERED
from shared.contracts.notice import NoticeIssued
from tests.conformance.test_notifier_store import LATER, Ledgers, alone, an_entry, claimed, ended, ledgers, put, settled
from tests.support.notifier_fakes import a_notice

__all__ = ["alone", "ledgers"]  # the fixtures of the suite
pytestmark = pytest.mark.asyncio(loop_scope="session")


def story(org: str = "gmc") -> list[NoticeIssued]:
    """Told, told again amended, withdrawn, recalled: what may come about one concern, in the order of its meaning."""
    first = a_notice(org)
    concern_id = first.data.concern_id
    rest = [
        a_notice(org, concern_id=concern_id, version=2),
        a_notice(org, concern_id=concern_id, version=2, kind="invitation", ref="pan_1"),
        a_notice(org, concern_id=concern_id, version=2, kind="recall", ref="ntc_2"),
    ]
    return [first, *rest]


def ids(notices: list[Leased]) -> list[str]:
    return [notice.notice_id for notice in notices]


async def test_one_after_the_other_whatever_the_order_in_which_they_came_at_once(ledgers: Ledgers) -> None:
    await ledgers.in_order("gmc")
    events = story()
    await put(ledgers, *[an_entry(event=event) for event in reversed(events)])
    for event in events:
        (notice,) = await claimed(ledgers)
        assert notice.notice_id == event.data.notice_id
        assert await claimed(ledgers) == []
        assert await settled(ledgers, ended(notice, Delivered())) == 1
    assert await claimed(ledgers) == []


async def test_what_waits_for_its_next_attempt_holds_back_its_own_concern_alone(ledgers: Ledgers) -> None:
    await ledgers.in_order("gmc")
    (first, second, *_), other = story(), a_notice("gmc")
    await put(ledgers, an_entry(event=first))
    (notice,) = await claimed(ledgers)
    await settled(ledgers, ended(notice, Retry(LATER + timedelta(hours=1), "answered 500"), status=500))
    await put(ledgers, an_entry(event=second), an_entry(event=other))
    assert ids(await claimed(ledgers)) == [other.data.notice_id]


async def test_what_is_given_up_holds_nothing_back_any_more(ledgers: Ledgers) -> None:
    await ledgers.in_order("gmc")
    first, second, *_ = story()
    await put(ledgers, an_entry(event=first), an_entry(event=second))
    (notice,) = await claimed(ledgers)
    await settled(ledgers, ended(notice, Stopped(UNDELIVERED)))
    assert ids(await claimed(ledgers)) == [second.data.notice_id]


async def test_who_asks_for_no_order_gets_all_at_once_and_so_do_others_beside_who_does(ledgers: Ledgers) -> None:
    await ledgers.in_order("gmc")
    for org, count in (("nmc", 4), ("gmc", 1)):
        await put(ledgers, *[an_entry(event=event) for event in story(org)])
        assert len(await claimed(ledgers, recipient=org)) == count
