"""Every outcome ever published stays readable, and what a recipient is sent is still said in the same bytes."""

from datetime import timedelta
from pathlib import Path

import pytest

from services.notifier.adapters.keys import KeyedOpener
from services.notifier.domain.model import Answer, Attempt, Delivered, EndpointId, Result, Retry, Stopped
from services.notifier.usecases.register import WITHDRAWN, prepare
from services.notifier.usecases.told import fact_of, outcome_of, settlement_of
from shared.audit import audit_row
from shared.contracts.audit import AuditRecorded
from shared.contracts.outcome import (
    ACCEPTED,
    ACKNOWLEDGED,
    CANCELLED,
    ESCALATED,
    REFUSED,
    REGISTERED,
    USED,
    NoticeOutcome,
)
from tests.support.clock import NOON
from tests.support.notifier_fakes import SEALING, TOKENS, a_leased, a_notice

GOLDEN = Path(__file__).parent / "golden"
OUTCOMES = sorted(GOLDEN.glob("notice-outcome-v1-*.json"))
SENT = GOLDEN / "notice-told-v1.json"
FACT = GOLDEN / "audit-recorded-delivery-attempt.json"
ATTEMPT = Attempt(EndpointId("end_1"), 1, NOON, timedelta(milliseconds=5), Answer(204))


def written_today() -> dict[str, bytes]:
    """Each outcome as it is written today, by the name of its golden file."""
    notice = a_leased()
    failed = Attempt(EndpointId("end_1"), 1, NOON, timedelta(milliseconds=5), Answer(503))
    results = {
        "delivered": Result(notice, NOON, Delivered(), ATTEMPT),
        "attempt-failed": Result(notice, NOON, Retry(NOON, "answered 503"), failed),
        "expired": Result(notice, NOON, Stopped("undelivered for 8 days")),
    }
    made = {name: settlement_of(result).outcome for name, result in results.items()}
    named = (notice.notice_id, notice.subject)
    made["registered"] = outcome_of(REGISTERED, named, at=NOON)
    made["acknowledged"] = outcome_of(ACKNOWLEDGED, named, at=NOON)
    made["accepted"] = outcome_of(ACCEPTED, named, at=NOON)
    made["refused"] = outcome_of(REFUSED, named, at=NOON, reason="not-our-remit", suggested_body="nmc")
    made["used"] = outcome_of(USED, named, at=NOON, used_for="investigation")
    made["escalated"] = outcome_of(ESCALATED, named, at=NOON, step="second-contact", due_at=NOON)
    made["cancelled"] = outcome_of(CANCELLED, named, at=NOON, detail=WITHDRAWN)
    return {f"notice-outcome-v1-{name}": outcome.encode() for name, outcome in made.items() if outcome}


def body_today() -> bytes:
    """The body of a fixed notice."""
    notice = a_notice("gmc", concern_id=f"con_{7:032x}")
    return prepare(notice, KeyedOpener(SEALING, TOKENS), now=NOON).body


def fact_today() -> bytes:
    """The audit event of a fixed attempt."""
    return audit_row(fact_of(Result(a_leased(), NOON, Delivered(), ATTEMPT))).value


@pytest.mark.parametrize("file", OUTCOMES, ids=lambda file: file.stem)
def test_old_bytes_parse_and_encode_to_the_same_bytes(file: Path) -> None:
    raw = file.read_bytes().rstrip(b"\n")
    assert NoticeOutcome.model_validate_json(raw).encode() == raw


def test_outcomes_are_written_today_as_they_were_then() -> None:
    assert written_today() == {file.stem: file.read_bytes().rstrip(b"\n") for file in OUTCOMES}


def test_a_recipient_is_sent_the_same_bytes_today_as_then() -> None:
    assert body_today() == SENT.read_bytes().rstrip(b"\n")


def test_the_fact_of_an_attempt_is_written_today_as_it_was_then() -> None:
    raw = FACT.read_bytes().rstrip(b"\n")
    assert AuditRecorded.model_validate_json(raw).encode() == raw == fact_today()
