"""The structured mode of CloudEvents: the conformance features, and all that is put on HTTP and on Kafka."""

import json
import re
from typing import Any

import pytest
from cloudevents.core.bindings.http import HTTPMessage, from_http_event
from cloudevents.core.bindings.kafka import KafkaMessage, from_kafka_event

from shared.contracts.envelope import CloudEvent, JsonObject, rfc3339
from tests.interop.features import Message, Scenario, scenarios
from tests.interop.traffic import Traffic

pytestmark = [pytest.mark.interop, pytest.mark.stack]
FEATURES = [scenario for binding in ("http", "kafka") for scenario in scenarios(binding)]
CONTENT_TYPES = {scenario.given.headers["content-type"] for scenario in FEATURES}
SERVICES = {f"/concordat/{name}" for name in ("intake", "router", "notifier", "registry")}
REQUIRED = {"id", "source", "specversion", "type"}
FORWARDED_BYTES_MAX = 64 * 1024
EACH = pytest.mark.parametrize("scenario", FEATURES, ids=lambda scenario: scenario.name)


class AnyEvent(CloudEvent):
    """Our own envelope, around any data."""

    data: JsonObject


def by_http(message: Message) -> Any:
    """What the SDK of CloudEvents reads in a request."""
    return from_http_event(HTTPMessage(dict(message.headers), message.payload))


def by_kafka(message: Message) -> Any:
    """What the SDK of CloudEvents reads in a record."""
    headers = {name: value.encode() for name, value in message.headers.items()}
    return from_kafka_event(KafkaMessage(headers, None, message.payload))


def attributes_of(event: Any) -> dict[str, str]:
    """As text, the moment as RFC 3339."""
    found = event.get_attributes()
    return {name: rfc3339(value) if name == "time" else str(value) for name, value in found.items()}


def test_the_features_are_all_there() -> None:
    assert [scenario.name for scenario in FEATURES] == [
        f"{binding}: {kind}" for binding in ("http", "kafka") for kind in sorted(CONTENT_TYPES)
    ]


@EACH
def test_the_reader_that_judges_us_passes_the_features(scenario: Scenario) -> None:
    event = (by_http if scenario.name.startswith("http") else by_kafka)(scenario.given)
    assert (attributes_of(event), event.get_data()) == (scenario.attributes, scenario.data)


@EACH
def test_our_own_envelope_reads_the_features_and_says_the_same_again(scenario: Scenario) -> None:
    event = AnyEvent.model_validate_json(scenario.given.payload)
    said = json.loads(event.encode())
    assert said.pop("data") == scenario.data
    assert said == scenario.attributes


def test_every_request_that_is_sent_is_one_structured_event(traffic: Traffic) -> None:
    assert len(traffic.deliveries) >= 6
    for delivery in traffic.deliveries:
        looks_structured(delivery.message)
        event = by_http(delivery.message)
        says_what_it_holds(event, delivery.message)
        assert delivery.headers["webhook-id"] == event.get_id()
        assert len(delivery.body) <= FORWARDED_BYTES_MAX


def test_every_record_in_every_topic_is_one_structured_event(traffic: Traffic) -> None:
    sources: set[str] = set()
    for record in traffic.records:
        looks_structured(record)
        event = by_kafka(record)
        says_what_it_holds(event, record)
        sources.add(event.get_source())
    assert sources == SERVICES


def test_what_has_the_same_source_and_id_is_the_same_event(traffic: Traffic) -> None:
    first: dict[tuple[str, str], bytes] = {}
    for record in traffic.records:
        event = by_kafka(record)
        assert first.setdefault((event.get_source(), event.get_id()), record.payload) == record.payload
    assert len(first) > len(SERVICES)


def test_intake_takes_a_concern_in_the_structured_mode_under_either_media_type(traffic: Traffic) -> None:
    assert traffic.accepted == dict.fromkeys(CONTENT_TYPES | {"application/json"}, 202)


def looks_structured(message: Message) -> None:
    """By its media type alone, as both bindings say; no attribute stands in a header."""
    assert message.headers["content-type"].lower() in CONTENT_TYPES
    assert [name for name in message.headers if re.match("ce[-_]", name)] == []


def says_what_it_holds(event: Any, message: Message) -> None:
    """The reader finds the attributes and the data that the bytes state, and all that an event must have."""
    stated = json.loads(message.payload)
    data = stated.pop("data")
    attributes = attributes_of(event)
    assert (attributes, event.get_data()) == (stated, data)
    assert [name for name in REQUIRED if not attributes.get(name)] == []
    assert attributes["specversion"] == "1.0"
    assert attributes["datacontenttype"] == ("application/jose" if isinstance(data, str) else "application/json")
    assert [name for name in attributes if not re.fullmatch("[a-z0-9]{1,20}", name)] == []
