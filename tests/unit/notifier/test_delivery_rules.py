"""Rules of Standard Webhooks and CloudEvents that no other test is about; the page of delivery rules names them all."""

import base64
import hmac
import re
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.cli import receiver
from services.notifier.adapters.keys import KeyedOpener
from services.notifier.config import NotifierSettings
from services.notifier.domain import message
from services.notifier.domain.health import SUSPENDED_AFTER, TOO_LONG, HealthSeen
from services.notifier.domain.model import EndpointId
from services.notifier.domain.signature import SignatureRefused, secret_bytes, secret_text, signed_headers, verify
from services.notifier.domain.throttle import Breaker
from services.notifier.usecases import attempt_notice, send_notice
from services.notifier.usecases.endpoints import new_keys
from services.notifier.usecases.register import prepare
from services.notifier.usecases.watch import keep_health
from shared.contracts.envelope import CloudEvent
from shared.ids import derived_id, new_id
from shared.settings import BaseServiceSettings
from tests.support.clock import NOON, FrozenClock
from tests.support.notifier_fakes import (
    DETAIL,
    FULL,
    KEYS,
    SEALING,
    TOKENS,
    InMemoryStore,
    ScriptedWire,
    a_leased,
    a_notice,
    a_target,
)

PART = re.compile(r"(v1|v1a),((?:[A-Za-z0-9+/]{4})+(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?)")
DIGITS = re.compile(r"\d{10}", re.ASCII)
USUAL_BYTES_MAX = 20_000
EVENT_BYTES_MIN = 64 * 1024
SUMMARY_LENGTH_MAX = 4_000


def body_of(**changes: Any) -> bytes:
    return prepare(a_notice(**changes), KeyedOpener(SEALING, TOKENS), now=NOON).body


@given(st.text(), st.integers())
def test_the_id_of_a_message_holds_no_full_stop(text: str, number: int) -> None:
    """It would make the signed content ambiguous."""
    for webhook_id in (new_id("ntc"), derived_id("ntc", text, number)):
        assert re.fullmatch(r"ntc_[0-9a-f]{32}", webhook_id)


async def test_the_timestamp_is_the_second_of_this_attempt_and_the_id_that_of_the_notice() -> None:
    wire, clock = ScriptedWire(), FrozenClock(NOON + timedelta(microseconds=999_999))
    send = partial(send_notice, wire=wire, store=InMemoryStore())
    for _ in range(2):
        await attempt_notice(a_leased(), a_target(), send=send, clock=clock, chance=lambda: 0)
        clock.move(timedelta(seconds=5))
    first, second = (headers for _, headers, _ in wire.sent)
    assert first["webhook-id"] == second["webhook-id"] == a_leased().notice_id
    assert all(DIGITS.fullmatch(headers["webhook-timestamp"]) for headers in (first, second))
    assert int(first["webhook-timestamp"]) == int(NOON.timestamp())
    assert int(second["webhook-timestamp"]) - int(first["webhook-timestamp"]) == 5


@given(st.binary(max_size=200), st.integers(0, 2**31), st.integers(1, 3))
def test_the_signatures_are_versions_with_padded_standard_base64_one_space_apart(
    body: bytes, at: int, keys: int
) -> None:
    given_ = signed_headers([KEYS] * keys, webhook_id="ntc_1", timestamp=at, body=body)["webhook-signature"]
    parts = [PART.fullmatch(part) for part in given_.split(" ")]
    assert [part and part[1] for part in parts] == ["v1"] * keys + ["v1a"] * keys
    assert [len(base64.b64decode(part[2])) for part in parts if part] == [32] * keys + [64] * keys


def test_a_secret_has_24_to_64_random_bytes_and_no_two_are_the_same() -> None:
    made = [new_keys() for _ in range(100)]
    assert all(24 <= len(keys.secret) <= 64 for keys in made)
    assert len({keys.secret for keys in made} | {keys.seed for keys in made}) == 200
    for keys in made:
        text = secret_text(keys.secret)
        assert text.startswith("whsec_")
        assert base64.b64decode(text.removeprefix("whsec_"), validate=True) == secret_bytes(text) == keys.secret


def test_a_verifier_compares_in_constant_time_and_in_no_other_way(monkeypatch: pytest.MonkeyPatch) -> None:
    sent = signed_headers([KEYS], webhook_id="ntc_1", timestamp=1_700_000_000, body=b"x")
    verify([KEYS.secret], sent, b"x", now_seconds=1_700_000_000)
    monkeypatch.setattr(hmac, "compare_digest", lambda *_: False)
    with pytest.raises(SignatureRefused):
        verify([KEYS.secret], sent, b"x", now_seconds=1_700_000_000)


def test_an_attempt_lasts_within_what_is_recommended() -> None:
    fields = NotifierSettings.model_fields
    assert 15 <= fields["attempt_seconds"].default <= 30
    assert fields["connect_seconds"].default < fields["attempt_seconds"].default


def seen(failing_since: datetime | None) -> HealthSeen:
    return HealthSeen(EndpointId("end_gmc"), Breaker.OPEN, 9, failing_since, None, None, 1, None, "answered 500")


async def test_eight_days_without_a_success_suspend_an_endpoint_and_its_owner_reads_why() -> None:
    store, clock = InMemoryStore(), FrozenClock(NOON + SUSPENDED_AFTER - timedelta(seconds=1))
    assert await keep_health([seen(NOON)], clock=clock, begin=store.begin) == {}
    assert (store.suspended, store.rows) == ({}, {})
    clock.move(timedelta(seconds=1))
    assert await keep_health([seen(NOON)], clock=clock, begin=store.begin) == {"end_gmc": "gmc"}
    assert store.suspended == {EndpointId("end_gmc"): TOO_LONG}
    (row,) = store.rows.values()
    said = orjson.loads(row.entry.body)
    assert (said["type"], said["data"]["reason"]) == ("uk.concordat.endpoint.suspended.v1", TOO_LONG)
    assert (row.entry.subject.recipient, row.entry.alternate) == ("gmc", True)


@pytest.mark.parametrize("kind", ["tell", "recall", "withdrawal", "invitation"])
def test_a_message_has_a_type_a_time_and_data_and_is_a_cloudevent(kind: str) -> None:
    body = orjson.loads(body_of(kind=kind))
    assert body.keys() == {
        "specversion", "id", "source", "type", "time", "subject", "datacontenttype", "data",
    }  # fmt: skip
    assert (body["specversion"], body["type"]) == ("1.0", message.TYPES[kind])
    assert datetime.fromisoformat(body["time"]) == NOON
    assert not {"data_base64", "dataschema"} & body.keys()


def test_a_message_with_the_longest_summary_is_of_a_usual_size() -> None:
    long = {**DETAIL, "summary": "x" * SUMMARY_LENGTH_MAX}
    assert SUMMARY_LENGTH_MAX < len(body_of(detail=long, fields=FULL)) < USUAL_BYTES_MAX


def test_attributes_have_names_of_lower_case_letters_and_digits() -> None:
    kinds: list[type[CloudEvent]] = [CloudEvent, *CloudEvent.__subclasses__()]
    named = {name for kind in kinds for name in kind.model_fields}
    named |= set(message.cloud_event("tell", notice_id="n", concern_id="c", time="t", data={}))
    assert {"id", "source", "specversion", "type"} <= named
    assert [name for name in sorted(named) if not re.fullmatch("[a-z0-9]{1,20}", name)] == []


def test_events_of_64_kib_are_taken_by_every_service_and_by_our_receiver() -> None:
    assert BaseServiceSettings.model_fields["http_body_bytes_max"].default >= EVENT_BYTES_MIN
    assert receiver.BODY_BYTES_MAX >= EVENT_BYTES_MIN


def test_no_batch_is_ever_sent() -> None:
    """A batch must not be used unless it is solicited: there is one media type, and it is that of one event."""
    assert message.CONTENT_TYPE == "application/cloudevents+json; charset=utf-8"
    product = Path(message.__file__).parents[3]
    sources = [*(product / "services").rglob("*.py"), *(product / "shared").rglob("*.py")]
    assert [path for path in sources if "cloudevents-batch" in path.read_text()] == []
