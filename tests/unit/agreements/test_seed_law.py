"""Statutory bars, caps and dates of the seed graph where no worked scenario goes."""

from __future__ import annotations

from typing import Any

from shared.agreements import Class, Decision, decide, facts_of
from tests.unit.agreements.seeds import seed


def _decide(originator: str, *categories: str, assumed: bool = False, **changes: Any) -> Decision:
    routing = {
        "originator": originator,
        "received_at": "2025-03-10T09:30:00Z",
        "categories": list(categories),
        "nation": "england",
        "setting": "nhs-trust",
        "subjects": [{"kind": "provider"}],
        **changes,
    }
    return decide(seed(assumed=assumed), facts_of(routing))


def _class(decision: Decision, org: str) -> tuple[str, str]:
    return decision.of(org).klass.value, decision.of(org).reason


def test_protected_material_of_hssib_goes_to_nobody() -> None:
    decision = _decide("hssib", "patient-safety", named_recipients=["cqc"], urgency="urgent")
    assert decision.told == ()
    assert _class(decision, "cqc") == ("withheld", "FORBIDDEN")


def test_on_the_belief_of_the_chief_investigator_it_goes_to_whom_he_names_and_no_further() -> None:
    flags: dict[str, Any] = {"flags": ["chief-investigator-certified"], "urgency": "urgent"}
    decision = _decide("hssib", "patient-safety", named_recipients=["cqc"], **flags)
    assert [row.org for row in decision.told] == ["cqc"]
    assert decision.of("cqc").because[0].cite == "bar-hssib-s122/g1"
    assert decision.of("cqc").onward == "none"
    not_urgent = _decide("hssib", "patient-safety", named_recipients=["cqc"], flags=flags["flags"])
    assert not_urgent.told == ()


def test_the_ombudsman_tells_a_regulator_of_a_threat_to_patients_and_then_owes_two_tasks() -> None:
    doctor = [{"kind": "registrant", "registers": ["gmc"]}]
    shut = _decide("phso", "ftp-conduct", subjects=doctor, urgency="urgent")
    assert shut.told == ()
    entry = [{"id": "bar-phso-s15/threat-to-patients", "decided_by": "A. Person", "reason": "threat"}]
    opened = _decide("phso", "ftp-conduct", subjects=doctor, urgency="urgent", gateways=entry)
    assert [row.org for row in opened.told] == ["gmc"]
    assert opened.of("gmc").duties.tasks == ("inform-source", "inform-subject")
    assert _class(opened, "nmc")[1] != "PERMITTED"


def test_the_local_government_ombudsmans_bar_is_open_for_its_two_agreements_only() -> None:
    decision = _decide("lgsco", "complaint-decision", "fundamental-standard-breach", setting="home-care")
    assert [row.org for row in decision.told] == ["cqc"]
    assert decision.of("cqc").because[0].agreement == "isa-cqc-lgsco"
    assert decision.of_class(Class.GAP) == ()


def test_a_taxpayers_matter_stays_with_hmrc_until_a_person_opens_its_gateway() -> None:
    matter: dict[str, Any] = {"purposes": ["market-oversight"], "assumed": True}
    assert _class(_decide("hmrc", "financial-sustainability", **matter), "cqc")[1] == "FORBIDDEN"
    entry = [{"id": "bar-hmrc-s18/own-gateway", "decided_by": "A. Person", "reason": "gateway"}]
    opened = _decide("hmrc", "financial-sustainability", gateways=entry, **matter)
    assert opened.of("cqc").klass.value in ("told", "available")


def test_the_2008_act_takes_names_out_unless_the_recipient_needs_them() -> None:
    needed = {"statement": "identity is needed to act", "decided_by": "A. Person"}
    without, with_need = (
        _decide("cqc", "patient-safety", necessity=value).of("nhs-england") for value in (None, needed)
    )
    assert (without.fields["registrant"], with_need.fields["registrant"]) == ("omit", "full")
    assert with_need.fields["service-user"] == "pseudonymise"


def test_a_memorandum_with_a_ceiling_of_its_own_carries_no_more() -> None:
    concern: dict[str, Any] = {"setting": "general-practice", "sensitivity": ["special_category"]}
    decision = _decide("cqc", "patient-safety", **concern)
    assert all(row.agreement != "fw-cqc-nhse-gp-2014" for row in decision.of("nhs-england").because)
    lighter = _decide("cqc", "patient-safety", setting="general-practice", sensitivity=["personal_data"])
    assert any(row.agreement == "fw-cqc-nhse-gp-2014" for row in lighter.of("nhs-england").because)


def test_the_health_and_safety_memorandum_is_read_on_the_day_of_the_incident() -> None:
    harm: dict[str, Any] = {"victim": "worker", "setting": "care-home"}
    before = _decide("cqc", "hs-worker", incident_date="2015-03-31", **harm)
    after = _decide("cqc", "hs-worker", incident_date="2015-04-01", **harm)
    assert _class(before, "local-authorities")[1] == "NOT_YET_IN_FORCE"
    assert after.of("local-authorities").told
    assert (before.lead, after.lead is None) == (None, False)
    assert before.flags == ("lead-undecided:rule-lead-hs",)


def test_a_signature_on_the_emerging_concerns_protocol_did_not_pass_with_hee() -> None:
    learning = [{"kind": "learning-environment", "registers": ["gmc"]}]
    decision = _decide("gmc", "education-environment", subjects=learning, received_at="2023-05-02T10:00:00Z")
    assert _class(decision, "nhs-england")[0] == "gap"
    assert _class(decision, "hee") == ("no_path", "REPLACED_BY_SUCCESSOR")


def test_a_planned_succession_changes_nothing() -> None:
    decision = _decide("cqc", "patient-safety", received_at="2034-03-10T09:30:00Z")
    assert decision.of("nhs-england").told
    assert _class(decision, "dhsc")[0] != "told"
