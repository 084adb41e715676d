"""A received body that shows one value too many is found, whatever its class and wherever it stands."""

import copy
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from deploy.demo import allowed
from deploy.demo.allowed import Notice, overfull
from services.intake.domain import policy as intake
from services.notifier.domain import redaction

Json = dict[str, Any]
CONCERN: Json = {
    "originator": "cqc",
    "originator_ref": "case-4711",
    "version": 1,
    "incident_date": "2025-03-10",
    "categories": ["ftp-performance"],
    "contact": "Desk 9, extension 4711",
    "marking": "OFFICIAL-SENSITIVE",
    "urgency": "urgent",
    "subjects": [
        {"kind": "provider", "name": "Elm House", "identifiers": [{"scheme": "cqc-provider", "value": "1-1020304050"}]},
        {"kind": "registrant", "name": "Dr Oak", "identifiers": [{"scheme": "gmc-number", "value": "4012345"}]},
        {"kind": "service-user", "name": "Ms Birch", "identifiers": [{"scheme": "nhs-number", "value": "9434765919"}]},
        {"kind": "unregistered-person", "name": "Mr Ash"},
        {"kind": "system", "name": "North Care Board"},
    ],
    "summary": "Staff leave the ward at night.",
    "immediate_action": "The ward was closed.",
    "source": "A porter, Mr Hazel",
    "annex": [{"class": "registrant-health", "label": "Letter of 3 May", "text": "An illness is described."}],
}
SEALED_CLASSES = sorted({name for name, _ in allowed.values(CONCERN)})
RAW = [pytest.param(name, text, id=f"{name}: {text}") for name, text in allowed.values(CONCERN)]


def received(policy: str, **by_class: str) -> Notice:
    """What an honest notifier sends when every sealed class has this policy."""
    fields = {"header": "full", **dict.fromkeys(SEALED_CLASSES, policy), **by_class}
    return shown(fields, pointer_only=False)


def shown(fields: dict[str, str], *, pointer_only: bool) -> Notice:
    parts = intake.split(CONCERN, token_of=lambda scheme, value: {"kid": "k", "token": f"{scheme}{len(value)}"})
    terms = redaction.Terms(fields, pointer_only)
    body = redaction.redact(parts.routing, dict(parts.detail), terms, lambda klass, value: f"{klass[0]}{len(value)}")
    left = redaction.left_out(parts.routing, dict(parts.detail), terms)
    event = {"id": "n", "data": {"concern": body, "withheld": [{"class": name, "reason": "r"} for name in left]}}
    return Notice(CONCERN, {"fields": fields, "pointer_only": pointer_only}, event)


def changed(notice: Notice, change: Callable[[Json], object]) -> list[str]:
    """The faults found after a change to the concern as received."""
    event = copy.deepcopy(dict(notice.event))
    change(event["data"]["concern"])
    return list(overfull(Notice(notice.concern, notice.row, event)))


@pytest.mark.parametrize("policy", ["full", "generalise", "pseudonymise", "omit"])
@pytest.mark.parametrize("header", ["full", "generalise", "pseudonymise", "omit"])
def test_what_an_honest_notifier_sends_has_no_fault(policy: str, header: str) -> None:
    assert list(overfull(received(policy, header=header))) == []


def test_an_honest_pointer_has_no_fault() -> None:
    assert list(overfull(shown({"header": "full", "narrative": "full"}, pointer_only=True))) == []


@pytest.mark.parametrize("policy", ["generalise", "pseudonymise", "omit"])
@pytest.mark.parametrize(("field_class", "text"), RAW)
def test_a_raw_value_is_found_wherever_it_stands(field_class: str, text: str, policy: str) -> None:
    notice = received("full", **{field_class: policy})
    faults = changed(notice, lambda concern: concern.update(setting=f"as told: {text.upper()}"))
    assert any(field_class in fault and "as it was published" in fault for fault in faults)


@pytest.mark.parametrize(("field_class", "text"), RAW)
def test_a_pointer_shows_no_value(field_class: str, text: str) -> None:
    notice = shown({"header": "full", field_class: "full"}, pointer_only=True)
    assert changed(notice, lambda concern: concern.update(contact=text))


def test_of_a_header_that_is_left_out_nothing_travels() -> None:
    assert changed(received("full", header="omit"), lambda concern: concern.update(urgency="urgent"))


@pytest.mark.parametrize("key", ["name_token", "described_as", "identifiers"])
@pytest.mark.parametrize("at", range(5))
def test_an_omitted_subject_shows_not_even_a_stand_in(at: int, key: str) -> None:
    stand_in: object = [{"scheme": "x", "token": "t"}] if key == "identifiers" else "stand-in"
    assert changed(received("omit"), lambda concern: concern["subjects"][at].update({key: stand_in}))


@pytest.mark.parametrize("name", ["summary", "immediate_action", "source", "annex"])
def test_an_omitted_text_leaves_nothing_in_its_place(name: str) -> None:
    put: object = [{"class": "registrant-health", "described_as": "held"}] if name == "annex" else "held"
    assert changed(received("omit"), lambda concern: concern.update({name: put}))


@pytest.mark.parametrize("policy", ["generalise", "pseudonymise"])
def test_a_header_that_is_not_full_names_no_person_and_no_day(policy: str) -> None:
    notice = received("full", header=policy)
    assert changed(notice, lambda concern: concern.update(incident_date="2025-03-10"))
    for name in sorted(allowed.PERSONAL_HEADER_FIELDS - {"originator_ref"}):
        assert changed(notice, partial(dict.update, **{name: ["someone"]}))
    assert changed(notice, lambda concern: concern.update(originator_ref="case-4711"))


def test_a_value_that_may_be_shown_must_be_the_published_one() -> None:
    notice = received("full")
    assert changed(notice, lambda concern: concern.update(summary="Something else."))
    assert changed(notice, lambda concern: concern.update(urgency="routine"))
    assert changed(notice, lambda concern: concern["subjects"][1].update(name="Dr Elder"))


def test_an_unknown_key_is_found_at_every_level() -> None:
    notice = received("full")
    for path in ((), ("data",), ("data", "concern"), ("data", "concern", "subjects", 0)):
        event = copy.deepcopy(dict(notice.event))
        place: Any = event
        for step in path:
            place = place[step]
        place["note"] = "x"
        assert any("note has no place there" in fault for fault in overfull(Notice(CONCERN, notice.row, event)))


def test_a_class_that_is_left_out_in_silence_is_found() -> None:
    notice = received("omit")
    event = {**notice.event, "data": {**notice.event["data"], "withheld": []}}
    silent = list(overfull(Notice(CONCERN, notice.row, event)))
    assert len(silent) == len(SEALED_CLASSES)


def test_the_tables_are_those_of_the_services() -> None:
    kinds = {*allowed.CLASS_OF_KIND, *redaction.CLASS_OF_KIND, *intake.CLASS_OF_KIND, *intake.ORGANISATION_KINDS, "new"}
    for kind in kinds:
        found = allowed.class_of({"kind": kind})
        assert found == intake.class_of_kind(kind) == redaction.CLASS_OF_KIND.get(kind, redaction.STRICTEST)
    assert allowed.CLASS_OF_FIELD == intake.SEALED_FIELDS
    assert set(redaction.HEADER_FIELDS) == allowed.HEADER_FIELDS
    assert {*intake.CLEAR_FIELDS, "received_at"} - {"min_graph_token"} == allowed.HEADER_FIELDS
    assert set(redaction.POINTER_FIELDS) == allowed.POINTER_FIELDS
    assert redaction.DETAIL == allowed.PERSONAL_HEADER_FIELDS
