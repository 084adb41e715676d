"""The demo notices when publishing again is not the same."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from deploy.demo.cases import Case
from deploy.demo.run import Published, milliseconds, not_replayed
from deploy.local.faults import TooLate
from deploy.local.waiting import eventually

FIRST = Published(Case("T1a", "", False, {}, {}), "con_1", datetime(2025, 1, 1, tzinfo=UTC), replayed=False)


def test_the_same_answer_is_no_fault() -> None:
    assert not_replayed([FIRST], [replace(FIRST, replayed=True)]) == []


def test_another_concern_is_a_fault() -> None:
    assert "it became con_2" in not_replayed([FIRST], [replace(FIRST, concern_id="con_2", replayed=True)])[0]


def test_an_answer_that_is_not_called_a_replay_is_a_fault() -> None:
    assert "not called a replay" in not_replayed([FIRST], [FIRST])[0]


def test_a_receipt_of_an_earlier_run_has_no_speed() -> None:
    assert milliseconds(FIRST.sent_at, FIRST.sent_at + timedelta(milliseconds=90)) == pytest.approx(90)
    assert milliseconds(FIRST.sent_at, FIRST.sent_at - timedelta(seconds=1)) is None


async def test_what_does_not_come_is_named_with_the_log_to_look_into() -> None:
    async def never() -> bool:
        return False

    with pytest.raises(TooLate, match=r"tea is ready: not within 0\.01 s") as late:
        await eventually(never, seconds=0.01, what="tea is ready", log=Path("kettle.log"))
    assert "kettle.log" in late.value.remedy
