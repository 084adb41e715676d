"""The form of a concern: what is refused, and that every refusal names all its fields and repeats nothing."""

from collections.abc import Sequence
from typing import Any

import orjson
import pytest
from pydantic import ValidationError

from services.intake.entrypoints.desk import read_form
from services.intake.entrypoints.forms import ANNEX_BYTES_MAX, ConcernForm
from shared.http.problems import invalid_form
from tests.support.intake_fakes import a_concern, changed

ANNEX_ITEM = {"class": "annex", "label": "note", "text": "x"}


def faults(body: Any) -> list[tuple[str, str]]:
    with pytest.raises(ValidationError) as caught:
        ConcernForm.model_validate(body)
    return [(error.pointer, error.detail) for error in invalid_form(caught.value).errors]


def pointers(body: Any) -> list[str]:
    return [pointer for pointer, _ in faults(body)]


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"originator": "CQC"}, "/originator"),
        ({"originator_ref": ""}, "/originator_ref"),
        ({"originator_ref": "x" * 65}, "/originator_ref"),
        ({"originator_ref": "a\nb"}, "/originator_ref"),
        ({"originator_ref": "a\u202eb"}, "/originator_ref"),
        ({"version": 0}, "/version"),
        ({"version": "1"}, "/version"),
        ({"version": True}, "/version"),
        ({"version": 1.0}, "/version"),
        ({"version": 2**63}, "/version"),
        ({"received_at": "2025-03-10"}, "/received_at"),
        ({"received_at": "2025-03-10T09:30:00"}, "/received_at"),
        ({"received_at": "2025-03-10T09:30:00+01:00"}, "/received_at"),
        ({"received_at": "2025-02-30T09:30:00Z"}, "/received_at"),
        ({"received_at": "2025-03-10T25:30:00Z"}, "/received_at"),
        ({"received_at": 1_700_000_000}, "/received_at"),
        ({"incident_date": "2025-02-30"}, "/incident_date"),
        ({"incident_date": "20250228"}, "/incident_date"),
        ({"incident_date": "2025-W01-1"}, "/incident_date"),
        ({"incident_date": "2025-03-10\n"}, "/incident_date"),
        ({"categories": []}, "/categories"),
        ({"categories": "ftp-conduct"}, "/categories"),
        ({"categories": ["ftp conduct"]}, "/categories/0"),
        ({"categories": ["x"] * 65}, "/categories"),
        ({"urgency": "Urgent"}, "/urgency"),
        ({"nation": "engl\u0430nd"}, "/nation"),
        ({"sensitivity": ["personal data"]}, "/sensitivity/0"),
        ({"source_protected": "yes"}, "/source_protected"),
        ({"source_protected": 1}, "/source_protected"),
        ({"subjects": {}}, "/subjects"),
        ({"subjects": [{}]}, "/subjects/0/kind"),
        ({"subjects": [{"kind": "provider", "name": "a\x1bb"}]}, "/subjects/0/name"),
        ({"subjects": [{"kind": "provider", "name": ""}]}, "/subjects/0/name"),
        ({"subjects": [{"kind": "provider"}] * 65}, "/subjects"),
        ({"subjects": [{"kind": "provider", "identifiers": [{"scheme": "x"}]}]}, "/subjects/0/identifiers/0/value"),
        ({"summary": "x" * 4001}, "/summary"),
        ({"immediate_action": 7}, "/immediate_action"),
        ({"annex": [{**ANNEX_ITEM, "class": "No"}]}, "/annex/0/class"),
        ({"annex": [{**ANNEX_ITEM, "text": "é" * (ANNEX_BYTES_MAX // 2)}]}, "/annex"),
        ({"source": "x" * 201}, "/source"),
        ({"source": 7}, "/source"),
        ({"contact": {"Desk phone": "1"}}, "/contact/Desk phone/[key]"),
        ({"marking": "secret"}, "/marking"),
        ({"onward": "maybe"}, "/onward"),
        ({"gateways": [{"id": "bar", "decided_by": "x", "reason": "y"}]}, "/gateways/0/id"),
        ({"gateways": [{"id": "bar/gate", "reason": "y"}]}, "/gateways/0/decided_by"),
        ({"necessity": {"statement": "x"}}, "/necessity/decided_by"),
        ({"subject_informed": True}, "/subject_informed"),
        ({"min_graph_token": "a b"}, "/min_graph_token"),
        ({"surprise": 1}, "/surprise"),
    ],
)
def test_a_field_of_the_wrong_form_is_named(changes: dict[str, Any], pointer: str) -> None:
    assert pointers({**a_concern(), **changes}) == [pointer]


@pytest.mark.parametrize("name", ["originator", "originator_ref", "version", "categories"])
def test_a_missing_field_is_named(name: str) -> None:
    body = a_concern()
    del body[name]
    assert pointers(body) == [f"/{name}"]


@pytest.mark.parametrize("body", [[], "text", 7, None, True])
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    assert pointers(body) == [""]


def test_every_bad_field_is_named_at_once() -> None:
    body = {**a_concern(), "nation": 7, "urgency": "", "surprise": 1, "incident_date": "2025-13-01"}
    del body["version"]
    assert set(pointers(body)) == {"/nation", "/urgency", "/surprise", "/incident_date", "/version"}


EVERY_PLACE: Sequence[Sequence[str | int]] = [
    ("originator",), ("version",), ("categories", 0), ("subjects", 0, "kind"), ("subjects", 0, "registers"),
    ("subjects", 0, "identifiers", 0, "scheme"), ("incident_date",), ("received_at",), ("onward",), ("marking",),
    ("gateways",), ("necessity",), ("annex",), ("min_graph_token",), ("subject_informed",), ("source_protected",),
]  # fmt: skip


@pytest.mark.parametrize("place", EVERY_PLACE, ids=str)
def test_no_refusal_repeats_what_was_sent(place: Sequence[str | int]) -> None:
    said = "".join(detail for _, detail in faults(changed(place, "C4n4ry ../")))
    assert said
    assert "C4n4ry" not in said


@pytest.mark.parametrize(
    ("changes", "kept"),
    [
        ({"received_at": "2025-03-10T09:30:00.500Z"}, {"received_at": "2025-03-10T09:30:00.500000Z"}),
        ({"incident_date": "2024-02-29"}, {"incident_date": "2024-02-29"}),
        ({"source": "A nurse"}, {"source": {"text": "A nurse"}}),
        ({"contact": {"desk": "Duty desk", "phone": "0"}}, {"contact": {"desk": "Duty desk", "phone": "0"}}),
        ({"summary": "x" * 4000}, {"summary": "x" * 4000}),
        ({"sensitivity": ["personal_data"]}, {"sensitivity": ["personal_data"]}),
        ({"categories": ["no-such-category"]}, {"categories": ["no-such-category"]}),
        ({"urgency": None}, {"urgency": "emerging"}),
        ({}, {"purposes": ["regulatory-function"]}),
        ({"annex": [ANNEX_ITEM]}, {"annex": [ANNEX_ITEM]}),
    ],
)
def test_a_field_of_the_right_form_is_kept(changes: dict[str, Any], kept: dict[str, Any]) -> None:
    form = read_form("application/json; charset=utf-8", orjson.dumps(a_concern(**changes)))
    dumped = form.model_dump(by_alias=True, exclude_none=True)
    assert {name: dumped[name] for name in kept} == kept


def test_the_annex_may_hold_its_bytes_to_the_last() -> None:
    full = [{**ANNEX_ITEM, "text": "x" * (ANNEX_BYTES_MAX - len("note"))}]
    assert ConcernForm.model_validate(a_concern(annex=full))


def event(**changes: Any) -> bytes:
    good = {
        "specversion": "1.0",
        "id": "1",
        "source": "https://cases.example",
        "type": "uk.concordat.concern.submitted.v1",
        "data": a_concern(),
    }
    return orjson.dumps({name: value for name, value in {**good, **changes}.items() if value is not None})


def test_a_cloudevent_carries_the_same_concern() -> None:
    plain = read_form("application/json", orjson.dumps(a_concern()))
    assert read_form("application/cloudevents+json", event(comexampleextension="x")) == plain


@pytest.mark.parametrize(
    ("changes", "pointer"),
    [
        ({"specversion": "0.3"}, "/specversion"),
        ({"id": None}, "/id"),
        ({"source": ""}, "/source"),
        ({"type": "uk.concordat.concern.submitted.v2"}, "/type"),
        ({"datacontenttype": "text/plain"}, "/datacontenttype"),
        ({"time": "yesterday"}, "/time"),
        ({"data": None}, "/data"),
        ({"data": {**a_concern(), "nation": 7}}, "/data/nation"),
    ],
)
def test_a_cloudevent_without_its_attributes_is_refused(changes: dict[str, Any], pointer: str) -> None:
    with pytest.raises(ValidationError) as caught:
        read_form("application/cloudevents+json", event(**changes))
    assert [error.pointer for error in invalid_form(caught.value).errors] == [pointer]
