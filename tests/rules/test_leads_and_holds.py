"""One case per rule on leads, and per way in which a whole concern is held."""

from __future__ import annotations

from typing import Any

from tests.rules.small import POLICY, TOLD, ask, clause, lead_rule, pact, problems, verdict, world

WORKER: dict[str, Any] = {"if": {"victims": ["worker"]}, "lead": ["beta", "gamma"]}
REST: dict[str, Any] = {"if": {}, "lead": ["gamma"]}


def test_the_first_step_that_matches_names_the_lead() -> None:
    snapshot = world(lead_rule(WORKER, REST))
    worker, other = ask(snapshot, victim="worker").lead, ask(snapshot, victim="visitor").lead
    assert worker is not None
    assert other is not None
    assert worker.any_of == ("beta", "gamma")
    assert (other.any_of, other.nominated) == (("gamma",), "gamma")


def test_of_several_candidates_the_only_one_told_is_nominated() -> None:
    lead = ask(world(lead_rule(WORKER)), victim="worker").lead
    assert lead is not None
    assert lead.nominated == "beta"
    untold = ask(world(lead_rule(WORKER), pact(clause(mode="feed"))), victim="worker").lead
    assert untold is not None
    assert untold.nominated is None


def test_a_step_may_ask_for_a_category() -> None:
    theft = {"if": {"categories": ["theft"]}, "lead": ["gamma"]}
    assert ask(world(lead_rule(theft))).lead is None
    assert ask(world(lead_rule(theft)), categories=["theft"]).lead is not None


def test_without_a_rule_no_lead_is_nominated() -> None:
    assert ask(world()).lead is None


def test_a_rule_applies_where_a_clause_of_its_agreement_names_a_category() -> None:
    snapshot = world(lead_rule(REST))
    assert ask(snapshot).lead is not None
    assert ask(snapshot, categories=["fire-risk"]).lead is None


def test_a_rule_that_starts_later_leaves_the_lead_to_a_person() -> None:
    rule = lead_rule(REST, date_basis="incident", not_before="2015-04-01")
    early = ask(world(rule), incident_date="2015-03-31")
    assert early.lead is None
    assert early.flags == ("lead-undecided:rule",)
    assert ask(world(rule), incident_date="2015-04-01").lead is not None


def test_a_rule_without_incident_basis_reads_the_day_of_receipt() -> None:
    rule = lead_rule(REST, not_before="2015-04-01")
    assert ask(world(rule), incident_date="2015-03-31").lead is not None


def test_else_leaves_the_lead_to_a_person() -> None:
    decision = ask(world(lead_rule(WORKER, {"else": "a person decides"})))
    assert decision.lead is None
    assert decision.flags == ("lead-undecided:rule",)


def test_an_originator_that_leads_is_not_unroutable() -> None:
    rule = lead_rule({"if": {}, "lead": ["alpha"]})
    decision = ask(world(rule, pact(clause(mode="feed"))))
    assert decision.originator_leads
    assert decision.flags == ("originator-leads",)
    assert not decision.unroutable


def test_a_concern_about_its_own_originator_is_held() -> None:
    decision = ask(world(), subjects=[{"kind": "provider", "org": "alpha"}])
    assert decision.hold == ("HOLD_CONFLICT",)
    assert decision.told == ()
    assert not decision.unroutable
    assert {row.klass.value for row in decision.outcomes} == {"originator", "held"}


def test_a_concern_about_whoever_runs_the_deployment_is_held_and_no_other() -> None:
    own = {"subjects": [{"kind": "provider", "org": "gamma"}]}
    decision = ask(world(operator="gamma"), **own)
    assert (decision.hold, decision.told) == (("HOLD_CONFLICT",), ())
    assert verdict(world(operator="gamma")) == verdict(world(), **own) == TOLD
    assert problems({**POLICY, "operator": "nobody"}) == [
        "policy policy.operator: 'nobody' is not known in organisation ids"
    ]


def test_under_a_hold_a_clause_that_excludes_a_body_by_conflict_says_so() -> None:
    snapshot = world(pact(clause(when={"subject_not": ["alpha"]})))
    assert verdict(snapshot, subjects=[{"kind": "provider", "org": "alpha"}]) == ("held", "CONFLICT_OF_INTEREST")


def unknown(changes: dict[str, Any], name: str) -> None:
    decision = ask(world(), **changes)
    assert decision.hold == ("HOLD_UNKNOWN_TERM",)
    assert decision.detail == (name,)
    assert decision.told == ()


def test_an_unknown_category_holds() -> None:
    unknown({"categories": ["harm", "new"]}, "categories: new")


def test_an_unknown_purpose_holds() -> None:
    unknown({"purposes": ["regulatory-function", "new"]}, "purposes: new")


def test_an_unknown_topic_holds() -> None:
    unknown({"topics": ["new"]}, "topics: new")


def test_an_unknown_function_holds() -> None:
    unknown({"functions": ["new"]}, "functions: new")


def test_an_unknown_flag_holds() -> None:
    unknown({"flags": ["new"]}, "flags: new")


def test_an_unknown_urgency_holds() -> None:
    unknown({"urgency": "new"}, "urgency: new")


def test_an_unknown_nation_holds() -> None:
    unknown({"nation": "new"}, "nation: new")


def test_an_unknown_setting_holds() -> None:
    unknown({"setting": "new"}, "setting: new")


def test_an_unknown_victim_holds() -> None:
    unknown({"victim": "new"}, "victim: new")


def test_an_unknown_fault_holder_holds() -> None:
    unknown({"fault_holder": "new"}, "fault_holder: new")


def test_an_unknown_provider_status_holds() -> None:
    unknown({"provider_status": "new"}, "provider_status: new")


def test_an_unknown_component_of_sensitivity_holds() -> None:
    unknown({"sensitivity": ["new"]}, "sensitivity: new")


def test_an_unknown_marking_holds() -> None:
    unknown({"marking": "SECRET"}, "marking: SECRET")


def test_an_unknown_field_class_holds() -> None:
    unknown({"field_classes": ["new"]}, "field_classes: new")


def test_an_unknown_subject_kind_holds() -> None:
    unknown({"subjects": [{"kind": "new"}]}, "subject kind: new")


def test_an_unknown_register_holds() -> None:
    unknown({"subjects": [{"kind": "registrant", "registers": ["new"]}]}, "register: new")


def test_an_unknown_body_holds_wherever_it_stands() -> None:
    unknown({"originator": "new"}, "body: new")
    unknown({"named_recipients": ["new"]}, "body: new")
    unknown({"subjects": [{"kind": "provider", "org": "new"}]}, "body: new")


def test_an_unknown_gateway_holds() -> None:
    unknown({"gateways": [{"id": "bar/new"}]}, "gateway: bar/new")


def test_an_unknown_onward_term_holds() -> None:
    unknown({"provenance": [{"from": "gamma", "to": "alpha", "onward": "new"}]}, "onward: new")
    unknown({"onward": "new"}, "onward: new")


def test_markings_that_contradict_each_other_hold() -> None:
    said = [{"flags": ["certified"]}, {"marking": ["OFFICIAL"]}]
    snapshot = world(contradictions=[{"id": "certified-unmarked", "says": said}])
    held = ask(snapshot, flags=["certified"], marking="OFFICIAL")
    assert (held.hold, held.detail, held.told) == (("HOLD_UNKNOWN_TERM",), ("contradiction: certified-unmarked",), ())
    assert ask(snapshot, flags=["certified"], marking="OFFICIAL-SENSITIVE").hold == ()
    assert ask(snapshot, flags=["certified"]).hold == ()
    assert ask(snapshot, marking="OFFICIAL").hold == ()
    assert ask(world(), flags=["certified"], marking="OFFICIAL").hold == ()


def test_two_words_of_one_field_contradict_each_other_where_the_policy_says_so() -> None:
    said = [{"sensitivity": ["personal_data"]}, {"sensitivity": ["child"]}]
    snapshot = world(contradictions=[{"id": "one-or-the-other", "says": said}])
    both = ["personal_data", "child"]
    assert ask(snapshot, sensitivity=both).detail == ("contradiction: one-or-the-other",)
    assert all(ask(snapshot, sensitivity=[one]).hold == () for one in both)


def test_a_contradiction_stands_beside_a_word_that_is_not_known() -> None:
    snapshot = world(contradictions=[{"id": "free-child", "says": [{"onward": ["free"]}, {"sensitivity": ["child"]}]}])
    held = ask(snapshot, onward="free", sensitivity=["child"], flags=["new"])
    assert (held.hold, held.detail) == (("HOLD_UNKNOWN_TERM",), ("flags: new", "contradiction: free-child"))


def test_a_contradiction_that_would_hold_everything_or_nothing_is_no_graph() -> None:
    one, two = {"flags": ["certified"]}, {"marking": ["OFFICIAL"]}
    for said in ([], [one], [one, {}], [one, {"marking": []}], [{**one, **two}, one]):
        found = problems({**POLICY, "contradictions": [{"id": "c", "says": said}]})
        assert found == [
            "policy policy.contradictions c.says: needs two sayings at least, each of one field with a word"
        ]
    assert problems({**POLICY, "contradictions": [{"id": "c", "says": [one, two]}]}) == []
    assert problems({**POLICY, "contradictions": [{"id": "c", "says": [one, {"marking": ["new"]}]}]})
