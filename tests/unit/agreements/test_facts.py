"""Facts of a concern, and the words in which a decision is explained."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.agreements import Facts, GatewayFact, SubjectFacts, facts_of, reasons, sentence, with_assumed
from tests.rules.small import POLICY
from tests.unit.agreements.seeds import scenario_cases, seed_graph

ROUTING = {"originator": "cqc", "received_at": "2025-03-10T23:30:00Z", "categories": ["staffing"]}


def test_a_concern_that_states_little_gets_the_defaults() -> None:
    facts = facts_of(ROUTING)
    assert facts.purposes == {"regulatory-function"}
    assert facts.urgency == "emerging"
    assert facts.incident_day == facts.day
    assert not facts.necessity


def test_facts_that_state_nothing_more_are_those_of_such_a_concern() -> None:
    facts = facts_of(ROUTING)
    assert Facts("cqc", facts.received_at, frozenset({"staffing"})) == facts


def test_a_gateway_keeps_who_decided_and_why_and_does_without() -> None:
    stated = {"id": "bar/way", "decided_by": "A. Person", "reason": "stated"}
    facts = facts_of({**ROUTING, "gateways": [stated, {"id": "bar/other"}]})
    assert facts.gateways == (GatewayFact("bar/way", "A. Person", "stated"), GatewayFact("bar/other", "", ""))


def test_facts_can_be_told_apart_and_kept() -> None:
    facts = [facts_of(case["concern"]) for _, case in scenario_cases()]
    assert len({hash(row) for row in facts}) > 20
    assert all(hash(row.key()) for row in facts)


def test_the_key_leaves_out_the_time_of_day_and_who_decided() -> None:
    facts = replace(facts_of(ROUTING), gateways=(GatewayFact("bar/way", "A. Person", "stated"),))
    assert facts.key() == replace(facts, gateways=(GatewayFact("bar/way", "B. Person"),)).key()
    assert facts.key() == replace(facts, received_at=facts.received_at.replace(hour=1)).key()
    assert facts.key() != replace(facts, received_at=facts.received_at.replace(day=11)).key()
    assert facts.key() != replace(facts, gateways=()).key()
    assert facts.key() != replace(facts, subjects=(SubjectFacts("provider"),)).key()


def test_a_time_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="names no offset"):
        facts_of({**ROUTING, "received_at": "2025-03-10T23:30:00"})


def test_every_reason_of_the_vocabulary_has_a_plain_sentence() -> None:
    codes = set(seed_graph().vocabularies.ids("reason_codes"))
    assert codes | {reasons.ORIGINATOR} == set(reasons.SENTENCES)
    assert all(sentence(code).endswith(".") and len(sentence(code)) < 120 for code in codes)


def test_the_switch_of_assumed_clauses_keeps_everything_else_of_the_policy() -> None:
    assert with_assumed(POLICY, on=True) == {**POLICY, "assumed_clauses": {"default": True, "agreements": {}}}
    assert POLICY["assumed_clauses"]["default"] is False
