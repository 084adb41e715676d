"""What a recipient may read: nothing of a class that is left out, nothing that the inventory does not name."""

from collections.abc import Mapping
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.redaction import (
    CLASS_OF_KIND,
    HELD_WORDS,
    STRICTEST,
    Terms,
    describe,
    left_out,
    redact,
)

CLASSES = (
    "provider", "registrant", "registrant-health", "service-user", "service-user-health", "third-party",
    "source-identity", "criminal", "narrative", "annex", "finance",
)  # fmt: skip
POLICIES = ("omit", "pseudonymise", "generalise", "full")
KINDS = (*CLASS_OF_KIND, "unregistered-person", "something-new")
HEADER = {"originator": "cqc", "originator_ref": "REF-1", "received_at": "2025-03-10T12:00:00Z", "categories": ["x"]}


def canary(klass: str, place: str) -> str:
    return f"canary({klass})({place})"


def token(klass: str, value: str) -> str:
    return f"tok_{len(value)}_{klass}"


def concern(kinds: tuple[str, ...]) -> tuple[dict[str, Any], dict[str, Any]]:
    """A concern in which each sealed value names its class, and which holds fields of no inventory."""
    clear = [{"kind": k, "registers": ["gmc"], "tokens": [{"token": canary("never", "token")}]} for k in kinds]
    sealed = []
    for kind in kinds:
        klass = CLASS_OF_KIND.get(kind, STRICTEST)
        identifier = {"scheme": "s", "value": canary(klass, "value"), "normalised": canary("never", "normalised")}
        sealed.append({"name": canary(klass, "name"), "identifiers": [identifier], "extra": canary("never", "extra")})
    annex = [
        {"class": k, "label": canary(k, "label"), "text": canary(k, "text"), "x": canary("never", "x")} for k in CLASSES
    ]
    detail = {
        "subjects": sealed,
        "summary": canary("narrative", "summary"),
        "immediate_action": canary("narrative", "action"),
        "source": canary("source-identity", "source"),
        "annex": [*annex, {"class": "unheard-of", "label": "l", "text": canary("never", "unheard-of")}],
        "unknown": canary("never", "unknown"),
    }
    routing = {**HEADER, "subjects": clear, "min_graph_token": canary("never", "graph"), "new": canary("never", "new")}
    return routing, detail


def text_of(shown: Mapping[str, Any]) -> str:
    return orjson.dumps(shown).decode()


policies = st.fixed_dictionaries({klass: st.sampled_from(POLICIES) for klass in CLASSES})
partial = policies.flatmap(lambda p: st.sets(st.sampled_from(CLASSES)).map(lambda s: {k: p[k] for k in s}))
kinds = st.lists(st.sampled_from(KINDS), max_size=5).map(tuple)


@given(partial, kinds, st.sampled_from(POLICIES), st.booleans())
def test_only_values_of_classes_that_are_full_appear(
    fields: dict[str, str], kinds: tuple[str, ...], header: str, pointer_only: bool
) -> None:
    routing, detail = concern(kinds)
    shown = text_of(redact(routing, detail, Terms({**fields, "header": header}, pointer_only), token))
    assert "canary(never)" not in shown
    for klass in CLASSES:
        if fields.get(klass) != "full" or pointer_only or header == "omit":
            assert f"canary({klass})" not in shown


@given(partial, kinds)
def test_a_class_that_is_left_out_is_named(fields: dict[str, str], kinds: tuple[str, ...]) -> None:
    routing, detail = concern(kinds)
    named = left_out(routing, detail, Terms({**fields, "header": "full"}))
    assert named == {klass for klass in CLASSES if fields.get(klass, "omit") == "omit"}


def test_what_is_full_arrives_whole() -> None:
    routing, detail = concern(("registrant", "provider"))
    shown = redact(routing, detail, Terms(dict.fromkeys((*CLASSES, "header"), "full")), token)
    assert shown["subjects"][0] == {
        "kind": "registrant",
        "registers": ["gmc"],
        "name": canary("registrant", "name"),
        "identifiers": [{"scheme": "s", "value": canary("registrant", "value")}],
    }
    assert shown["summary"] == detail["summary"]
    assert shown["originator_ref"] == "REF-1"
    assert [row["class"] for row in shown["annex"]] == list(CLASSES)


def test_a_generalised_concern_speaks_in_kinds_and_months() -> None:
    routing, detail = concern(("registrant", "provider"))
    shown = redact(routing, detail, Terms(dict.fromkeys((*CLASSES, "header"), "generalise")), token)
    assert [row["described_as"] for row in shown["subjects"]] == ["a doctor on the GMC register", "a provider"]
    assert shown["received_at"] == "2025-03"
    assert "originator_ref" not in shown
    assert shown["annex"][2] == {"class": "registrant-health", "described_as": "health information held"}


def test_a_pseudonym_stands_for_the_value() -> None:
    routing, detail = concern(("registrant",))
    (subject,) = redact(routing, detail, Terms({"header": "full", "registrant": "pseudonymise"}), token)["subjects"]
    assert subject["identifiers"] == [{"scheme": "s", "token": "tok_27_registrant"}]
    assert "name" not in subject


def test_two_spellings_of_one_number_are_one_pseudonym_and_two_numbers_are_two() -> None:
    first = {"scheme": "nhs-number", "value": "943 476 5919", "normalised": "9434765919"}
    rows = [first, {**first, "value": "943-476-5919"}, {"scheme": "nhs-number", "value": "9434765919"}]
    others = [{**first, "normalised": "9434765870"}, {**first, "scheme": "chi-number"}]
    detail = {"subjects": [{"identifiers": [*rows, *others]}]}
    terms = Terms({"header": "full", "service-user": "pseudonymise"})
    shown = redact({"subjects": [{"kind": "service-user"}]}, detail, terms, lambda klass, value: f"{klass}|{value}")
    tokens = [row["token"] for row in shown["subjects"][0]["identifiers"]]
    assert len(set(tokens[:3])) == 1
    assert len(set(tokens[2:])) == 3


def test_a_pointer_says_whom_to_ask_and_no_more() -> None:
    routing, detail = concern(("registrant",))
    shown = redact(
        {**routing, "contact": "desk"}, detail, Terms(dict.fromkeys(CLASSES, "full"), pointer_only=True), token
    )
    assert shown == {"categories": ["x"], "originator": "cqc", "contact": "desk"}


@pytest.mark.parametrize(
    ("subject", "words"),
    [
        ({"kind": "registrant", "registers": ["gmc", "gdc"]}, "a doctor on the GMC and GDC register"),
        ({"kind": "registrant"}, "a registered professional"),
        ({"kind": "registrant", "registers": ["new"]}, "a registered professional"),
        ({"kind": "unregistered-person"}, "an unregistered person"),
        ({"kind": "something-new"}, "someone else"),
    ],
)
def test_a_subject_is_described_by_its_kind(subject: dict[str, Any], words: str) -> None:
    assert describe(subject) == words


def test_every_class_has_words_for_what_is_held() -> None:
    assert set(CLASSES) == set(HELD_WORDS)


@pytest.mark.parametrize("fields", [{}, {"header": "omit"}, {"header": "omit", "narrative": "full"}])
def test_of_a_header_that_is_left_out_nothing_travels_unless_a_pointer_was_decided(fields: dict[str, str]) -> None:
    routing, detail = concern(("registrant",))
    assert redact(routing, detail, Terms(fields), token) == {}
    assert "narrative" in left_out(routing, detail, Terms(fields))
    pointer = redact(routing, detail, Terms(fields, pointer_only=True), token)
    assert pointer == {"originator": "cqc", "categories": ["x"]}
