"""Every event that the router ever published stays readable: these bytes are never changed, only added to."""

from pathlib import Path

import orjson
import pytest

from services.router.usecases.telling import decided_of
from shared.contracts.audit import AuditRecorded
from shared.contracts.concern import ConcernRecalled
from shared.contracts.decision import ConcernRouted, ConcernUndone
from shared.contracts.envelope import CloudEvent
from shared.contracts.notice import NoticeIssued
from shared.contracts.topics import lane_of
from tests.support.clock import NOON
from tests.support.router_fakes import a_concern, judging

FOLDER = Path(__file__).parent / "golden"
ROUTED = sorted(FOLDER.glob("concern-routed-v1-*.json"))
ISSUED = sorted(FOLDER.glob("notice-issued-v1-*.json"))
OTHERS = {
    "concern-recalled-v1": ConcernRecalled,
    "concern-undone-v1-recall": ConcernUndone,
    "concern-undone-v1-withdrawal": ConcernUndone,
    "audit-recorded-work-item": AuditRecorded,
}
CASES = [
    *((file, ConcernRouted) for file in ROUTED),
    *((file, NoticeIssued) for file in ISSUED),
    *((FOLDER / f"{name}.json", event) for name, event in OTHERS.items()),
]


@pytest.mark.parametrize(("file", "event"), CASES, ids=lambda value: getattr(value, "stem", ""))
def test_old_bytes_parse_and_encode_to_the_same_bytes(file: Path, event: type[CloudEvent]) -> None:
    raw = file.read_bytes().rstrip(b"\n")
    assert event.model_validate_json(raw).encode() == raw


@pytest.mark.parametrize("file", ROUTED, ids=lambda file: file.stem)
def test_an_old_decision_event_is_named_like_its_decision(file: Path) -> None:
    event = ConcernRouted.model_validate_json(file.read_bytes())
    assert event.id == event.data.decision_id
    assert event.subject == event.data.concern_id


@pytest.mark.parametrize("file", ISSUED, ids=lambda file: file.stem)
def test_an_old_notice_still_lies_on_the_lane_of_its_recipient(file: Path) -> None:
    event = NoticeIssued.model_validate_json(file.read_bytes())
    assert event.data.lane == lane_of(event.data.recipient)
    assert event.id == event.data.notice_id


def test_there_is_a_golden_file_for_each_thing_that_can_become_of_a_concern() -> None:
    events = [ConcernRouted.model_validate_json(file.read_bytes()).data for file in ROUTED]
    assert any(event.told for event in events)
    assert any(event.hold for event in events)
    assert any(event.unroutable for event in events)
    assert ISSUED


def test_what_is_published_today_has_the_fields_of_the_golden_files() -> None:
    judge = judging().get()
    decided = decided_of(a_concern(), judge.judge(a_concern()).verdict, judge.head, NOON)
    for today, golden in ((decided.routed, ROUTED[0]), (decided.issued[0].value, ISSUED[-1])):
        written = orjson.loads(golden.read_bytes())
        optional = {"valid_until", "traceparent"}
        assert orjson.loads(today).keys() - optional == written.keys() - optional
        assert orjson.loads(today)["data"].keys() - optional == written["data"].keys() - optional
