"""One case per key of `when` and of a remit: it matches, it fails, and a concern that lacks it does not match."""

from __future__ import annotations

from typing import Any

from tests.rules.small import TOLD, clause, follows, org, pact, remit, verdict, world

MISS = ("gap", "SCOPE")


def _clause(fits: dict[str, Any], fails: dict[str, Any], **when: Any) -> None:
    snapshot = world(pact(clause(when=when)))
    assert verdict(snapshot, **fits) == TOLD
    assert verdict(snapshot, **fails) == MISS
    lacking: dict[str, Any] = {key: [] if isinstance(value, list) else None for key, value in fits.items()}
    assert verdict(snapshot, **lacking) == MISS


def _remit(fits: dict[str, Any], fails: dict[str, Any], **keys: Any) -> None:
    snapshot = world(org("beta", remit(**keys)))
    assert verdict(snapshot, **fits) == TOLD
    assert verdict(snapshot, **fails) == ("available", "AVAILABLE")


def test_needs_all_wants_all_of_them() -> None:
    snapshot = world(pact(clause(when={"needs_all": ["harm", "theft"]})))
    assert verdict(snapshot, categories=["harm", "theft"]) == TOLD
    assert verdict(snapshot, categories=["harm"]) == ("gap", "CATEGORY")


def test_nations() -> None:
    _clause({"nation": "wales"}, {"nation": "england"}, nations=["wales"])


def test_a_clause_without_nations_takes_its_agreements() -> None:
    snapshot = world(pact(nations=["wales"]))
    assert verdict(snapshot, nation="england") == MISS
    assert verdict(world(pact(clause(when={"nations": ["england"]}), nations=["wales"])), nation="england") == TOLD


def test_the_nations_of_an_organisation_are_no_gate() -> None:
    assert verdict(world(org("beta", remit(), nations=["wales"])), nation="england") == TOLD


def test_subject_kinds() -> None:
    _clause({"subjects": [{"kind": "registrant"}]}, {"subjects": [{"kind": "provider"}]}, subject_kinds=["registrant"])


def test_registers() -> None:
    fits, fails = ({"subjects": [{"kind": "registrant", "registers": [name]}]} for name in ("gmc", "nmc"))
    _clause(fits, fails, registers=["gmc"])


def test_kind_and_register_are_asked_of_one_and_the_same_subject() -> None:
    apart = [{"kind": "registrant", "registers": ["nmc"]}, {"kind": "provider", "registers": ["gmc"]}]
    together = [{"kind": "registrant", "registers": ["gmc"]}]
    keys = {"subject_kinds": ["registrant"], "registers": ["gmc"]}
    _clause({"subjects": together}, {"subjects": apart}, **keys)
    _remit({"subjects": together}, {"subjects": apart}, **keys)


def test_settings() -> None:
    _clause({"setting": "clinic"}, {"setting": "school"}, settings=["clinic"])


def test_victims() -> None:
    _clause({"victim": "worker"}, {"victim": "visitor"}, victims=["worker"])


def test_provider_status() -> None:
    _clause({"provider_status": "registered"}, {"provider_status": "unregistered"}, provider_status=["registered"])


def test_fault_holders() -> None:
    _clause({"fault_holder": "contractor"}, {"fault_holder": "unknown"}, fault_holders=["contractor"])


def test_topics() -> None:
    _clause({"topics": ["fire"]}, {"topics": ["water"]}, topics=["fire"])


def test_a_topic_left_out_by_name_is_no_gap() -> None:
    snapshot = world(pact(clause(when={"topics_none": ["fire"]})))
    assert verdict(snapshot, topics=["fire", "water"]) == ("withheld", "TOPIC_EXCLUDED")
    assert verdict(snapshot, topics=["water"]) == TOLD


def test_urgency_is_at_least() -> None:
    snapshot = world(pact(clause(when={"urgency_at_least": "emerging"})))
    assert verdict(snapshot, urgency="routine") == MISS
    assert verdict(snapshot, urgency="urgent") == TOLD


def test_a_concern_without_urgency_is_emerging() -> None:
    assert verdict(world(pact(clause(when={"urgency_at_least": "emerging"})))) == TOLD
    assert verdict(world(pact(clause(when={"urgency_at_least": "urgent"})))) == MISS


def test_a_flag_that_is_not_set_forbids() -> None:
    snapshot = world(pact(clause(when={"flags_all": ["certified"]})))
    assert verdict(snapshot) == ("withheld", "FORBIDDEN")
    assert verdict(snapshot, flags=["certified"]) == TOLD


def test_functions_of_a_clause_are_those_that_the_concern_names() -> None:
    _clause({"functions": ["hygiene"]}, {"functions": ["records"]}, functions=["hygiene"])
    implied = follows("gamma", "beta", "split", functions=["hygiene"], categories=["harm"])
    assert verdict(world(implied, pact(clause(when={"functions": ["hygiene"]})))) == MISS


def test_a_body_excluded_as_subject_makes_a_conflict() -> None:
    snapshot = world(pact(clause(when={"subject_not": ["gamma"]})))
    assert verdict(snapshot, subjects=[{"kind": "provider", "org": "gamma"}]) == ("gap", "CONFLICT_OF_INTEREST")
    assert verdict(snapshot) == TOLD


def test_a_conflict_comes_before_the_nearest_miss() -> None:
    further = clause(id="c2", purposes=["law"])
    snapshot = world(pact(clause(when={"subject_not": ["gamma"]}), further))
    assert verdict(snapshot, subjects=[{"kind": "provider", "org": "gamma"}])[1] == "CONFLICT_OF_INTEREST"


def test_the_first_key_that_fails_is_the_reason() -> None:
    snapshot = world(pact(clause(when={"topics_none": ["fire"], "urgency_at_least": "urgent"})))
    assert verdict(snapshot, topics=["fire"])[1] == "TOPIC_EXCLUDED"
    assert verdict(world(pact(clause(when={"nations": ["wales"], "topics_none": ["fire"]}))), topics=["fire"]) == MISS


def test_remit_nations() -> None:
    _remit({"nation": "wales"}, {"nation": "england"}, nations=["wales"])


def test_remit_subject_kinds() -> None:
    _remit({"subjects": [{"kind": "registrant"}]}, {"subjects": [{"kind": "provider"}]}, subject_kinds=["registrant"])


def test_remit_settings() -> None:
    _remit({"setting": "clinic"}, {"setting": "school"}, settings=["clinic"])


def test_remit_victims() -> None:
    _remit({"victim": "worker"}, {"victim": "visitor"}, victims=["worker"])


def test_remit_provider_status() -> None:
    _remit({"provider_status": "registered"}, {"provider_status": "unregistered"}, provider_status=["registered"])


def test_remit_fault_holders() -> None:
    _remit({"fault_holder": "contractor"}, {"fault_holder": "unknown"}, fault_holders=["contractor"])


def test_remit_topics() -> None:
    _remit({"topics": ["fire"]}, {"topics": ["water"]}, topics=["fire"])


def test_remit_functions() -> None:
    _remit({"functions": ["hygiene"]}, {"functions": ["records"]}, functions=["hygiene"])


def test_remit_purposes() -> None:
    fits, fails = ["regulatory-function", "law"], ["regulatory-function"]
    _remit({"purposes": fits}, {"purposes": fails}, purposes=["law"])


def test_a_remit_is_also_met_by_the_function_that_a_succession_gives_to_the_category() -> None:
    row = follows("gamma", "beta", "split", functions=["hygiene"], categories=["harm"])
    snapshot = world(row, org("beta", remit(functions=["hygiene"])))
    assert verdict(snapshot) == TOLD
    assert verdict(snapshot, functions=["records"]) == ("available", "AVAILABLE")
    planned = {**row, "type": "planned", "effective": None}
    assert verdict(world(planned, org("beta", remit(functions=["hygiene"])))) == ("available", "AVAILABLE")


def test_a_remit_is_read_on_the_day_of_receipt() -> None:
    snapshot = world(org("beta", remit(**{"from": "2025-03-04"})))
    assert verdict(snapshot, incident_date="2025-03-05") == ("available", "AVAILABLE")
    assert verdict(snapshot, received_at="2025-03-04T10:00:00Z") == TOLD


def test_assumed_remits_may_be_switched_off() -> None:
    guessed = org("beta", remit(certainty="assumed"))
    assert verdict(world(guessed)) == TOLD
    assert verdict(world(guessed, assumed_remits=False)) == ("available", "AVAILABLE")


def test_clause_and_remit_must_meet_on_one_category() -> None:
    snapshot = world(org("beta", remit("fire-risk")))
    assert verdict(snapshot, categories=["harm", "fire-risk"]) == ("available", "AVAILABLE")
