"""One case per kind of succession and novation, and per rule on who originates and who receives."""

from __future__ import annotations

from tests.rules.small import TOLD, ask, beta, clause, during, duty, follows, org, pact, party, remit, verdict, world

GONE = during(None, "2020-01-01")
TO_GAMMA = clause(to=["gamma"])
FROM_GAMMA = clause(frm=["gamma"])


def test_a_merger_is_followed() -> None:
    assert verdict(world(pact(TO_GAMMA), follows("gamma", "beta", "merge"))) == TOLD


def test_a_renaming_is_followed() -> None:
    assert verdict(world(pact(TO_GAMMA), follows("gamma", "beta", "rename"))) == TOLD


def test_an_operating_name_is_followed() -> None:
    assert verdict(world(pact(TO_GAMMA), follows("gamma", "beta", "operating_name"))) == TOLD


def test_an_abolition_with_transfer_is_followed() -> None:
    assert verdict(world(pact(TO_GAMMA), follows("gamma", "beta", "abolish_with_transfer"))) == TOLD


def test_a_split_is_followed_by_the_functions_of_the_concern() -> None:
    part = follows("gamma", "beta", "split", functions=["hygiene"], categories=["harm"])
    snapshot = world(pact(TO_GAMMA), part, org("gamma", exists=GONE))
    assert verdict(snapshot, functions=["hygiene"]) == TOLD
    assert verdict(snapshot, functions=["records"]) == ("held", "HOLD_SUCCESSION_AMBIGUOUS")


def test_a_concern_that_waits_for_a_successor_to_be_chosen_is_not_unroutable() -> None:
    part = follows("gamma", "beta", "split", functions=["hygiene"])
    decision = ask(world(pact(TO_GAMMA), part, org("gamma", exists=GONE)))
    assert decision.hold == ("HOLD_SUCCESSION_AMBIGUOUS",)
    assert not decision.unroutable


def test_a_body_reached_by_two_ways_is_named_once_by_the_shorter() -> None:
    ways = [follows("old", "gamma"), follows("gamma", "beta"), follows("old", "beta")]
    old = pact(clause(to=["old"]), parties=[party("alpha"), party("old")])
    because = beta(world(org("old"), old, *ways)).because
    assert [row.path for row in because] == [("old", "beta")]


def test_two_heirs_of_one_signatory_may_not_tell_each_other_under_its_signature() -> None:
    halves = [follows("gamma", name, "split", functions=["hygiene"]) for name in ("alpha", "beta")]
    among = clause(frm=["@signatories"], to=["@signatories"], direction="among")
    own = pact(among, parties=[party("gamma"), party("delta")])
    snapshot = world(own, *halves, org("gamma", exists=GONE), org("delta", remit()))
    decision = ask(snapshot, functions=["hygiene"])
    assert [row.org for row in decision.told] == ["delta"]


def test_a_split_is_followed_by_categories_if_the_concern_names_no_function() -> None:
    part = follows("gamma", "beta", "split", functions=["hygiene"], categories=["harm"])
    snapshot = world(pact(TO_GAMMA), part, org("gamma", exists=GONE), org("beta", remit("harm", "theft")))
    assert verdict(snapshot, categories=["harm"]) == TOLD
    assert verdict(snapshot, categories=["theft"]) == ("held", "HOLD_SUCCESSION_AMBIGUOUS")


def test_a_partial_transfer_takes_its_functions_and_leaves_the_rest_with_a_body_that_lives_on() -> None:
    part = follows("gamma", "beta", "partial_transfer", functions=["hygiene"])
    snapshot = world(pact(TO_GAMMA), part, org("gamma", remit()))
    assert [row.org for row in ask(snapshot, functions=["hygiene"]).told] == ["beta"]
    assert [row.org for row in ask(snapshot, functions=["records"]).told] == ["gamma"]


def test_a_planned_succession_is_never_followed() -> None:
    plan = follows("gamma", "beta", "planned", effective=None)
    assert verdict(world(pact(TO_GAMMA), plan)) == ("gap", "NO_PATH")


def test_a_succession_is_followed_from_its_day_on() -> None:
    snapshot = world(pact(TO_GAMMA), follows("gamma", "beta", effective="2025-03-04"))
    assert verdict(snapshot) == ("gap", "NO_PATH")
    assert verdict(snapshot, received_at="2025-03-04T10:00:00Z") == TOLD


def test_the_day_of_receipt_counts_for_succession_and_not_the_day_of_the_incident() -> None:
    by_incident = pact(clause(to=["gamma"], when={"date_basis": "incident"}))
    snapshot = world(by_incident, follows("gamma", "beta", effective="2025-03-04"))
    assert verdict(snapshot, incident_date="2025-03-05") == ("gap", "NO_PATH")


def test_a_chain_is_walked_to_its_end() -> None:
    chain = [follows("old", "gamma"), follows("gamma", "beta")]
    outcome = beta(world(org("old"), pact(clause(to=["old"]), parties=[party("alpha"), party("old")]), *chain))
    assert outcome.told
    assert outcome.because[0].path == ("old", "gamma", "beta")


def test_an_agreement_that_was_not_carried_over_stays_behind() -> None:
    assert verdict(world(pact(TO_GAMMA), follows("gamma", "beta", novation="not_carried"))) == ("gap", "NO_PATH")


def test_an_agreement_that_passed_on_pending_review_says_so() -> None:
    outcome = beta(world(pact(TO_GAMMA), follows("gamma", "beta", novation="inherited_pending_review")))
    assert outcome.told
    assert outcome.flags == ("inherited_pending_review",)


def test_an_agreement_that_is_assumed_to_have_passed_on_says_so() -> None:
    outcome = beta(world(pact(TO_GAMMA), follows("gamma", "beta", novation="inherited_assumed")))
    assert outcome.told
    assert outcome.flags == ("inherited_assumed",)


def test_an_agreement_that_simply_passed_on_needs_no_flag() -> None:
    assert beta(world(pact(TO_GAMMA), follows("gamma", "beta"))).flags == ()


def test_a_signature_under_the_emerging_concerns_protocol_is_personal() -> None:
    assert verdict(world(pact(TO_GAMMA, lineage="ecp"), follows("gamma", "beta"))) == ("gap", "NO_PATH")


def test_a_personal_signature_moves_with_a_row_that_carries_it() -> None:
    renamed = follows("gamma", "beta", "rename", ecp_signature="carried")
    assert verdict(world(pact(TO_GAMMA, lineage="ecp"), renamed)) == TOLD


def test_a_statutory_duty_follows_succession_too() -> None:
    snapshot = world(pact(clause(mode="feed")), duty(clause(to=["gamma"], effect="REQUIRE")), follows("gamma", "beta"))
    assert verdict(snapshot) == ("told", "REQUIRED")


def test_the_originator_too_acts_for_those_whom_it_followed() -> None:
    assert verdict(world(pact(FROM_GAMMA), follows("gamma", "alpha"))) == TOLD
    assert verdict(world(pact(FROM_GAMMA))) == ("gap", "NO_PATH")


def test_a_parent_receives_for_its_division() -> None:
    outcome = beta(world(pact(TO_GAMMA), org("gamma", deliver_to="beta")))
    assert outcome.told
    assert outcome.via == ("gamma",)


def test_a_parent_originates_under_its_divisions_signature() -> None:
    assert verdict(world(pact(FROM_GAMMA), org("gamma", deliver_to="alpha"))) == TOLD


def test_a_division_receives_nothing_itself() -> None:
    decision = ask(world(pact(TO_GAMMA), org("gamma", deliver_to="beta")))
    assert decision.of("gamma").klass.value == "no_path"
    assert decision.of("gamma").reason == "REPLACED_BY_SUCCESSOR"


def test_the_remit_is_that_of_the_body_that_receives() -> None:
    snapshot = world(pact(TO_GAMMA), follows("gamma", "beta"), org("gamma", remit()), org("beta"))
    assert verdict(snapshot) == ("available", "AVAILABLE")


def test_a_body_that_has_ended_is_replaced() -> None:
    snapshot = world(org("beta", remit(), exists=during(None, "2025-03-03")))
    assert verdict(snapshot) == ("no_path", "REPLACED_BY_SUCCESSOR")
    assert verdict(snapshot, received_at="2025-03-02T10:00:00Z") == TOLD


def test_a_body_that_does_not_exist_yet_can_be_no_recipient() -> None:
    snapshot = world(org("beta", remit(), exists=during("2025-03-04")))
    assert verdict(snapshot) == ("no_path", "NO_PATH")
    assert verdict(snapshot, received_at="2025-03-04T10:00:00Z") == TOLD


def test_a_body_that_was_wholly_succeeded_is_replaced_even_if_it_is_not_recorded_as_ended() -> None:
    assert verdict(world(follows("beta", "gamma", "merge"))) == ("no_path", "REPLACED_BY_SUCCESSOR")


def test_predecessor_and_successor_are_told_once() -> None:
    both = pact(clause(to=["beta", "gamma"]))
    decision = ask(world(both, follows("gamma", "beta")))
    assert [row.org for row in decision.told] == ["beta"]
    assert [row.signed_as.recipient for row in decision.told[0].because] == ["beta", "gamma"]


def test_a_candidate_of_a_split_is_held_only_if_every_other_gate_is_passed() -> None:
    part = follows("gamma", "beta", "split", functions=["hygiene"])
    gone = org("gamma", exists=GONE)
    shut = pact(clause(to=["gamma"], purposes=["law"]))
    assert verdict(world(shut, part, gone)) == ("gap", "PURPOSE_NOT_COVERED")
    assert verdict(world(pact(TO_GAMMA), part, gone)) == ("held", "HOLD_SUCCESSION_AMBIGUOUS")


def test_a_candidate_of_a_split_is_held_whatever_its_remit() -> None:
    part = follows("gamma", "beta", "split", functions=["hygiene"])
    required = pact(clause(to=["gamma"], when={"recipient_remit": "required"}))
    snapshot = world(required, part, org("gamma", exists=GONE), org("beta"))
    assert verdict(snapshot) == ("held", "HOLD_SUCCESSION_AMBIGUOUS")


def test_told_through_another_clause_wins_over_held() -> None:
    part = follows("gamma", "beta", "split", functions=["hygiene"])
    assert verdict(world(pact(clause(to=["beta", "gamma"])), part, org("gamma", exists=GONE))) == TOLD


def test_a_split_on_the_originators_side_is_a_persons_to_settle_too() -> None:
    part = follows("gamma", "alpha", "split", functions=["hygiene"])
    snapshot = world(pact(FROM_GAMMA), part, org("gamma", exists=GONE))
    assert verdict(snapshot) == ("held", "HOLD_SUCCESSION_AMBIGUOUS")
    assert verdict(snapshot, functions=["hygiene"]) == TOLD


def test_the_incidents_day_counts_for_force_where_the_clause_says_so() -> None:
    by_incident = clause(when={"date_basis": "incident"})
    snapshot = world(pact(by_incident, in_force=during("2025-03-01")))
    assert verdict(snapshot, incident_date="2025-02-28") == ("gap", "NOT_YET_IN_FORCE")
    assert verdict(snapshot, incident_date="2025-03-01") == TOLD
    assert verdict(snapshot) == TOLD
    assert verdict(world(pact(in_force=during("2025-03-01"))), incident_date="2025-02-28") == TOLD


def test_an_agreement_does_not_need_its_parent_and_says_so() -> None:
    parent = pact(clause(mode="record"), id="mou", lineage="mou", in_force=during(None, "2024-01-01"))
    outcome = beta(world(parent, pact(supports="mou")))
    assert outcome.told
    assert outcome.flags == ("parent_not_in_force",)


def test_an_agreement_past_its_review_stands_and_says_so() -> None:
    outcome = beta(world(pact(review_due="2024-01-01")))
    assert outcome.told
    assert outcome.flags == ("review_overdue",)


def test_an_assumed_clause_that_is_on_says_so() -> None:
    on = {"default": True, "agreements": {}}
    assert beta(world(pact(clause(certainty="assumed")), assumed_clauses=on)).flags == ("assumed",)
