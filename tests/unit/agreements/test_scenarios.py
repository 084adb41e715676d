"""Every worked scenario on the whole seed graph, and what a difference looks like."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from deploy.cli.scenarios import differences
from shared.agreements import Decision, decide, facts_of
from tests.unit.agreements.seeds import scenario_cases, seed

CASES = dict(scenario_cases())


def _decision(case: Mapping[str, Any]) -> Decision:
    return decide(seed(assumed=case["assumed_clauses"]), facts_of(case["concern"]))


@pytest.mark.parametrize("name", CASES)
def test_the_scenario_comes_out(name: str) -> None:
    assert differences(CASES[name]["expected"], _decision(CASES[name])) == []


def test_there_are_28_cases() -> None:
    assert len(CASES) == 28


@pytest.mark.parametrize("name", CASES)
def test_the_json_of_a_decision_compares_like_the_decision(name: str) -> None:
    text = json.dumps(_decision(CASES[name]).to_json())
    assert differences(CASES[name]["expected"], json.loads(text)) == []


def test_every_kind_of_difference_is_named() -> None:
    decision = _decision(CASES["T1 a"])
    expected = {
        "told": [
            {"org": "gmc", "reason": "REQUIRED", "because": ["jwp-cqc-gmc/c1"], "via": ["hee"]},
            {"org": "nmc", "reason": "REQUIRED", "because": []},
        ],
        "available": ["hmrc"],
        "not_told": [{"org": "nmc", "reason": "CATEGORY", "class": "gap"}],
        "gap_includes": ["nmc"],
        "hold": ["HOLD_FAULT"],
        "hold_candidates": ["nmc"],
        "unroutable": True,
        "lead": {"any_of": ["nmc"], "mark": "firm"},
        "limits": [{"org": "gmc", "notify_within": {"amount": 1, "unit": "working_days"}, "by": "x/c1"}],
        "flags": ["originator-leads"],
    }
    lines = differences(expected, decision)
    assert {line.split(":")[0] for line in lines} == {
        "told",
        "hmrc class",
        "nmc reason",
        "nmc class",
        "hold",
        "hold candidates",
        "unroutable",
        "lead",
        "limit notify_within of gmc",
        "flag originator-leads is missing",
    }
    assert "told: nhs-england is too many" in lines
    assert "told: nmc is missing" in lines


def test_a_monitor_era_memorandum_reaches_nhs_england_and_says_that_it_awaits_review() -> None:
    outcome = _decision(CASES["T17 a"]).of("nhs-england")
    assert "inherited_pending_review" in outcome.flags
    assert ("monitor", "nhs-england") in [row.path for row in outcome.because]


def test_the_name_of_a_doctor_travels_under_the_standing_necessity_and_the_patients_does_not() -> None:
    fields = _decision(CASES["T1 a"]).of("gmc").fields
    assert fields["registrant"] == "full"
    assert fields["service-user"] == "pseudonymise"
    assert fields["third-party"] == "omit"


def test_without_necessity_the_bar_of_the_2008_act_takes_every_name_out() -> None:
    told = _decision(CASES["T1 a"]).of("nhs-england")
    assert told.fields["registrant"] == "omit"
    assert "bar-cqc-s76" in {row.by for row in told.withheld}
