"""One case per gate, in the order of the gates."""

from __future__ import annotations

from tests.rules.small import TOLD, ask, beta, clause, during, duty, org, pact, party, remit, verdict, world


def test_a_signatory_is_told() -> None:
    assert verdict(world()) == TOLD


def test_a_party_that_is_aligned_has_not_signed() -> None:
    parties = [party("alpha"), party("gamma"), party("beta", capacity="aligned")]
    among = clause(frm=["@signatories"], to=["@signatories"], direction="among")
    assert verdict(world(pact(among, parties=parties))) == ("gap", "NOT_SIGNED")


def test_an_originator_that_is_affiliated_has_not_signed() -> None:
    parties = [party("beta"), party("gamma"), party("alpha", capacity="affiliated")]
    among = clause(frm=["@signatories"], to=["@signatories"], direction="among")
    assert verdict(world(pact(among, parties=parties))) == ("gap", "NOT_SIGNED")


def test_a_feed_is_never_concern_by_concern() -> None:
    assert verdict(world(pact(clause(mode="feed")))) == ("gap", "FEED_ONLY")


def test_a_record_tells_nobody_and_counts_as_naming_every_category() -> None:
    assert verdict(world(pact(clause(mode="record", when={"categories": []})))) == ("gap", "RECORD_ONLY")


def test_before_its_first_day_an_agreement_is_not_yet_in_force() -> None:
    snapshot = world(pact(in_force=during("2025-03-04")))
    assert verdict(snapshot) == ("gap", "NOT_YET_IN_FORCE")
    assert verdict(snapshot, received_at="2025-03-04T00:00:00Z") == TOLD


def test_on_its_last_day_an_agreement_has_expired() -> None:
    snapshot = world(pact(in_force=during(None, "2025-03-03")))
    assert verdict(snapshot) == ("gap", "EXPIRED")
    assert verdict(snapshot, received_at="2025-03-02T23:59:59Z") == TOLD


def test_days_are_london_days() -> None:
    snapshot = world(pact(in_force=during(None, "2025-07-01")))
    assert verdict(snapshot, received_at="2025-06-30T22:59:59Z") == TOLD
    assert verdict(snapshot, received_at="2025-06-30T23:00:00Z") == ("gap", "EXPIRED")


def test_a_later_version_supersedes() -> None:
    old = pact(in_force=during(None, "2025-01-01"))
    new = pact(clause(when={"categories": ["theft"]}), id="pact-2", supersedes="pact", in_force=during("2025-01-01"))
    assert verdict(world(old, new)) == ("gap", "SUPERSEDED")


def test_a_suspended_agreement_tells_nobody_until_it_is_resumed() -> None:
    snapshot = world(pact(suspended=[during("2025-03-01", "2025-04-01")]))
    assert verdict(snapshot) == ("gap", "SUSPENDED")
    assert verdict(snapshot, received_at="2025-04-01T10:00:00Z") == TOLD


def test_a_terminated_agreement_says_that_a_party_ended_it() -> None:
    assert verdict(world(pact(terminated="2025-03-03"))) == ("gap", "TERMINATED")
    assert verdict(world(pact(terminated="2025-03-04"))) == TOLD


def test_a_body_that_has_not_yet_joined_has_not_signed() -> None:
    parties = [party("alpha"), party("gamma"), party("beta", "2025-03-04")]
    snapshot = world(pact(parties=parties))
    assert verdict(snapshot) == ("gap", "NOT_SIGNED")
    assert verdict(snapshot, received_at="2025-03-04T10:00:00Z") == TOLD


def test_a_body_that_has_left_has_not_signed() -> None:
    parties = [party("alpha"), party("gamma"), party("beta", None, "2025-03-03")]
    assert verdict(world(pact(parties=parties))) == ("gap", "NOT_SIGNED")


def test_an_originator_that_has_not_yet_joined_has_not_signed() -> None:
    parties = [party("alpha", "2025-03-04"), party("gamma"), party("beta")]
    assert verdict(world(pact(parties=parties))) == ("gap", "NOT_SIGNED")


def test_only_a_discloser_of_the_clause_may_name_a_party_that_has_not_signed() -> None:
    parties = [party("alpha"), party("gamma"), party("beta", capacity="affiliated")]
    by_gamma = pact(clause(frm=["gamma"], to=["@named"]), parties=parties)
    assert verdict(world(by_gamma), named_recipients=["beta"]) == ("gap", "NOT_SIGNED")
    by_alpha = pact(clause(frm=["alpha"], to=["@named"]), parties=parties)
    assert verdict(world(by_alpha), named_recipients=["beta"]) == TOLD


def test_a_party_that_has_not_signed_is_told_only_when_it_is_named() -> None:
    parties = [party("alpha"), party("gamma"), party("beta", capacity="affiliated")]
    snapshot = world(pact(clause(to=["@named"]), parties=parties))
    assert verdict(snapshot, named_recipients=["gamma"]) == ("gap", "NOT_SIGNED")
    silent = world(pact(clause(to=["gamma"]), parties=parties))
    assert verdict(silent, named_recipients=["beta"]) == ("gap", "NOT_SIGNED")


def test_a_signatory_that_has_left_is_told_only_when_it_is_named() -> None:
    parties = [party("alpha"), party("gamma"), party("beta", None, "2025-03-03")]
    snapshot = world(pact(clause(to=["beta", "@named"]), parties=parties))
    assert verdict(snapshot) == ("gap", "NOT_SIGNED")
    assert verdict(snapshot, named_recipients=["beta"]) == TOLD


def test_an_assumed_clause_is_off_until_it_is_switched_on() -> None:
    guessed = pact(clause(certainty="assumed"))
    assert verdict(world(guessed)) == ("gap", "ASSUMED_OFF")
    assert verdict(world(guessed, assumed_clauses={"default": True, "agreements": {}})) == TOLD


def test_one_agreement_may_be_switched_by_itself() -> None:
    guessed = pact(clause(certainty="assumed"))
    assert verdict(world(guessed, assumed_clauses={"default": False, "agreements": {"pact": True}})) == TOLD
    off = {"default": True, "agreements": {"pact": False}}
    assert verdict(world(guessed, assumed_clauses=off)) == ("gap", "ASSUMED_OFF")


def test_only_the_certainty_of_the_clause_makes_it_assumed() -> None:
    parties = [party("alpha"), party("gamma"), party("beta", certainty="assumed")]
    assert verdict(world(pact(parties=parties, content_certainty="assumed"))) == TOLD


def test_a_clause_tells_nothing_of_a_category_that_it_does_not_name() -> None:
    snapshot = world(pact(clause(when={"categories": ["theft"]})))
    assert verdict(snapshot) == ("gap", "CATEGORY")


def test_a_parent_category_covers_its_children() -> None:
    assert verdict(world(pact(clause(when={"categories": ["ecp-systems"]})))) == TOLD


def test_a_clause_may_be_shut_to_a_body_without_remit() -> None:
    open_to_all, shut = clause(), clause(when={"recipient_remit": "required"})
    assert verdict(world(org("beta"), pact(shut))) == ("withheld", "NOT_IN_REMIT")
    assert verdict(world(org("beta"), pact(open_to_all))) == ("available", "AVAILABLE")


def test_the_required_remit_must_lie_in_a_category_of_the_clause() -> None:
    snapshot = world(org("beta", remit("fire-risk")), pact(clause(when={"recipient_remit": "required"})))
    assert verdict(snapshot, categories=["harm", "fire-risk"]) == ("gap", "NOT_IN_REMIT")


def test_a_purpose_outside_the_clause_is_not_covered() -> None:
    assert verdict(world(), purposes=["law"]) == ("gap", "PURPOSE_NOT_COVERED")


def test_one_covered_purpose_of_several_is_enough() -> None:
    assert verdict(world(), purposes=["law", "regulatory-function"]) == TOLD


def test_a_purpose_covers_its_descendants_and_not_its_parent() -> None:
    assert verdict(world(), purposes=["inspection"]) == TOLD
    narrow = world(pact(clause(purposes=["inspection"])))
    assert verdict(narrow) == ("gap", "PURPOSE_NOT_COVERED")


def test_a_concern_without_purposes_has_the_regulatory_one() -> None:
    assert verdict(world(pact(clause(purposes=["law"]))), purposes=[]) == ("gap", "PURPOSE_NOT_COVERED")
    assert verdict(world(), purposes=[]) == TOLD


def test_a_clause_has_its_own_ceiling() -> None:
    snapshot = world(pact(clause(sensitivity_max=["child"])))
    assert verdict(snapshot, sensitivity=["personal_data"]) == ("gap", "SENSITIVITY")
    assert verdict(snapshot, sensitivity=["child"]) == TOLD


def test_an_agreement_has_a_ceiling_where_the_clause_has_none() -> None:
    snapshot = world(pact(sensitivity_cap=["child"]))
    assert verdict(snapshot, sensitivity=["personal_data"]) == ("gap", "SENSITIVITY")


def test_the_first_ceiling_counts_and_not_the_smaller() -> None:
    wide_clause = pact(clause(sensitivity_max=["personal_data", "child"]), sensitivity_cap=[], instrument="mou")
    assert verdict(world(wide_clause), sensitivity=["personal_data", "child"]) == TOLD


def test_an_instrument_between_public_bodies_carries_what_its_kind_can() -> None:
    snapshot = world(pact(instrument="mou"))
    assert verdict(snapshot, sensitivity=["personal_data"]) == TOLD
    assert verdict(snapshot, sensitivity=["child"]) == ("gap", "INSTRUMENT_INSUFFICIENT")


def test_an_instrument_with_a_private_party_carries_less() -> None:
    snapshot = world(org("gamma", sector="private"))
    assert verdict(snapshot, sensitivity=["personal_data"]) == TOLD
    assert verdict(snapshot, sensitivity=["child"]) == ("gap", "INSTRUMENT_INSUFFICIENT")


def test_only_signatories_are_asked_whether_they_are_public() -> None:
    parties = [party("alpha"), party("beta"), party("gamma", capacity="aligned")]
    snapshot = world(org("gamma", sector="private"), pact(parties=parties))
    assert verdict(snapshot, sensitivity=["child"]) == TOLD


def test_an_instrument_without_a_cap_carries_nothing_sensitive() -> None:
    assert verdict(world(pact(instrument="framework")), sensitivity=["child"]) == ("gap", "INSTRUMENT_INSUFFICIENT")


def test_the_caps_of_the_vocabulary_stand_where_the_policy_has_none() -> None:
    caps = {"public_parties_only": {"isa": ["child"]}, "any_other_party": {}}
    words = {"kind": "vocabulary", "id": "instrument_caps", "value": caps}
    snapshot = world(words, instrument_caps=None)
    assert verdict(snapshot, sensitivity=["child"]) == TOLD
    assert verdict(snapshot, sensitivity=["personal_data"]) == ("gap", "INSTRUMENT_INSUFFICIENT")


def test_what_came_under_a_lock_goes_no_further() -> None:
    locked = [{"from": "gamma", "to": "alpha", "onward": "none"}]
    assert verdict(world(), provenance=locked) == ("gap", "ONWARD_NOT_PERMITTED")


def test_every_hop_must_let_it_on() -> None:
    hops = [{"from": "gamma", "to": "alpha", "onward": term} for term in ("free", "none")]
    assert verdict(world(), provenance=hops) == ("gap", "ONWARD_NOT_PERMITTED")
    assert verdict(world(), provenance=hops[:1]) == TOLD


def test_a_lock_that_asks_the_originator_opens_for_whom_it_granted() -> None:
    asked = {"from": "gamma", "to": "alpha", "onward": "ask_originator"}
    assert verdict(world(), provenance=[asked]) == ("gap", "ONWARD_NOT_PERMITTED")
    assert verdict(world(), provenance=[{**asked, "granted": ["beta"]}]) == TOLD
    assert verdict(world(), provenance=[{**asked, "granted": ["gamma"]}]) == ("gap", "ONWARD_NOT_PERMITTED")


def test_the_subject_is_never_told_about_itself() -> None:
    assert verdict(world(), subjects=[{"kind": "provider", "org": "beta"}]) == ("withheld", "SUBJECT_IS_RECIPIENT")


def test_the_subject_reason_comes_before_the_nearest_miss() -> None:
    snapshot = world(pact(clause(mode="feed")))
    assert verdict(snapshot, subjects=[{"kind": "provider", "org": "beta"}]) == ("withheld", "SUBJECT_IS_RECIPIENT")


def test_a_prohibition_wins_over_a_permit() -> None:
    no = clause(id="no", effect="FORBID", when={"settings": ["school"]})
    assert verdict(world(pact(clause(), no)), setting="school") == ("withheld", "FORBIDDEN")
    assert verdict(world(pact(clause(), no)), setting="clinic") == TOLD


def test_a_prohibition_binds_whatever_sensitivity_purpose_mode_and_remit() -> None:
    no = clause(
        id="no",
        effect="FORBID",
        mode="record",
        purposes=["law"],
        sensitivity_max=[],
        when={"recipient_remit": "required", "categories": ["theft"]},
    )
    snapshot = world(pact(clause(), no))
    found = verdict(snapshot, categories=["harm", "theft"], sensitivity=["child"])
    assert found == ("withheld", "FORBIDDEN")


def test_a_prohibition_binds_only_within_its_own_days_category_and_certainty() -> None:
    ended = pact(clause(effect="FORBID"), id="old", lineage="old", in_force=during(None, "2025-01-01"))
    elsewhere = pact(clause(effect="FORBID", when={"categories": ["theft"]}), id="other", lineage="other")
    guessed = pact(clause(effect="FORBID", certainty="assumed"), id="guess", lineage="guess")
    assert verdict(world(ended, elsewhere, guessed)) == TOLD


def test_a_prohibition_binds_its_signatories_while_they_are_in_it() -> None:
    everyone = {"frm": ["@signatories"], "to": ["@signatories"], "direction": "among"}
    aligned = [party("alpha"), party("gamma"), party("beta", capacity="aligned")]
    left = [party("alpha"), party("gamma"), party("beta", None, "2025-01-01")]
    rows = [
        pact(clause(effect="FORBID", **everyone), id=name, lineage=name, parties=parties)
        for name, parties in (("aligned", aligned), ("left", left))
    ]
    assert verdict(world(*rows)) == TOLD


def test_the_furthest_gate_of_all_clauses_is_the_reason() -> None:
    near, far = clause(id="a", mode="feed"), clause(id="b", purposes=["law"])
    assert verdict(world(pact(near, far))) == ("gap", "PURPOSE_NOT_COVERED")
    assert beta(world(pact(near, far))).nearest == "pact/b"


def test_a_statutory_duty_goes_through_the_same_gates() -> None:
    nothing = pact(clause(mode="feed"))
    assert verdict(world(nothing, duty(clause(effect="REQUIRE")))) == ("told", "REQUIRED")
    assert verdict(world(nothing, duty(clause(effect="REQUIRE", when={"nations": ["wales"]})))) == ("gap", "SCOPE")


def test_a_clause_never_tells_its_own_discloser() -> None:
    among = clause(frm=["@signatories"], to=["@signatories"], direction="among")
    decision = ask(world(org("alpha", remit()), pact(among)))
    assert [row.org for row in decision.told] == ["beta"]
    assert decision.of("alpha").klass.value == "originator"
