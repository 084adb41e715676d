"""Intake seals by field class and the notifier redacts by it: their tables are the same, and neither may drift."""

import pytest

from services.intake.domain import policy as intake
from services.notifier.domain import redaction
from tests.support.intake_fakes import KEYS

KINDS = sorted(
    {*intake.ORGANISATION_KINDS, *intake.CLASS_OF_KIND, *redaction.CLASS_OF_KIND, *redaction.KIND_WORDS, "new"}
)
TERMS = redaction.Terms({"header": "full"})


@pytest.mark.parametrize("kind", KINDS)
def test_a_subject_is_redacted_by_the_class_that_it_was_sealed_under(kind: str) -> None:
    parts = intake.split({"subjects": [{"kind": kind, "name": "A Name"}]}, token_of=KEYS.token_of)
    assert redaction.left_out(parts.routing, parts.detail, TERMS) == set(parts.routing["field_classes"])


@pytest.mark.parametrize("name", sorted(intake.SEALED_FIELDS))
def test_a_sealed_field_is_redacted_by_its_class(name: str) -> None:
    parts = intake.split({name: "a text"}, token_of=KEYS.token_of)
    assert redaction.left_out(parts.routing, parts.detail, TERMS) == {intake.SEALED_FIELDS[name]}
    shown = redaction.redact(parts.routing, parts.detail, TERMS, lambda klass, _: klass)
    assert name not in shown


@pytest.mark.parametrize("klass", sorted(redaction.HELD_WORDS))
def test_an_annex_item_is_redacted_by_its_label(klass: str) -> None:
    row = {"class": klass, "label": "notes", "text": "a text"}
    parts = intake.split({"annex": [row]}, token_of=KEYS.token_of)
    assert redaction.left_out(parts.routing, parts.detail, TERMS) == set(parts.routing["field_classes"]) == {klass}


def test_what_travels_in_clear_is_what_the_header_is_made_of() -> None:
    """`received_at` is set by intake; `min_graph_token` is for the router alone."""
    assert {*intake.CLEAR_FIELDS, "received_at"} - {"min_graph_token"} == set(redaction.HEADER_FIELDS)
    assert set(redaction.POINTER_FIELDS) < set(redaction.HEADER_FIELDS)
