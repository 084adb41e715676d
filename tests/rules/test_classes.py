"""One case per class, per reason below the gates, and per way in which a gap is none."""

from __future__ import annotations

from tests.rules.small import TOLD, ask, clause, org, pact, party, remit, verdict, world


def test_a_duty_tells_even_a_body_without_remit() -> None:
    assert verdict(world(org("beta"), pact(clause(effect="REQUIRE")))) == ("told", "REQUIRED")


def test_required_is_the_reason_if_any_telling_clause_is() -> None:
    assert verdict(world(pact(clause(), clause(id="c2", effect="REQUIRE")))) == ("told", "REQUIRED")


def test_an_invitation_makes_a_body_available_whatever_its_remit() -> None:
    assert verdict(world(pact(clause(mode="invite")))) == ("available", "AVAILABLE")


def test_a_permit_without_remit_makes_a_body_available() -> None:
    assert verdict(world(org("beta"))) == ("available", "AVAILABLE")


def test_every_clause_that_tells_is_cited_and_no_other() -> None:
    decision = ask(world(pact(clause(), clause(id="c2"), clause(id="c3", mode="invite"), clause(id="c4", mode="feed"))))
    assert [row.cite for row in decision.of("beta").because] == ["pact/c1", "pact/c2"]


def test_a_body_that_should_know_and_may_not_be_told_is_a_gap() -> None:
    assert verdict(world(pact(clause(mode="feed")))) == ("gap", "FEED_ONLY")
    assert verdict(world(org("beta"), pact(clause(mode="feed")))) == ("withheld", "FEED_ONLY")


def test_a_body_that_nothing_joins_is_no_path() -> None:
    assert ask(world()).of("gamma").klass.value == "no_path"
    assert ask(world()).of("gamma").reason == "NO_PATH"


def test_a_body_in_another_capacity_is_withheld_as_not_signed() -> None:
    parties = [party("alpha"), party("beta"), party("gamma", capacity="in_attendance")]
    outcome = ask(world(pact(parties=parties))).of("gamma")
    assert (outcome.klass.value, outcome.reason) == ("withheld", "NOT_SIGNED")


def test_a_clause_in_the_other_direction_only_joins_the_wrong_way() -> None:
    decision = ask(world(pact(clause(), clause(id="c2", frm=["gamma"], to=["alpha"]))))
    assert (decision.of("gamma").klass.value, decision.of("gamma").reason) == ("withheld", "WRONG_DIRECTION")


def test_both_runs_in_both_directions() -> None:
    assert verdict(world(pact(clause(frm=["beta"], to=["alpha"])))) == ("gap", "WRONG_DIRECTION")
    assert verdict(world(pact(clause(frm=["beta"], to=["alpha"], direction="both")))) == TOLD


def test_among_joins_each_signatory_to_every_other() -> None:
    among = clause(frm=["@signatories"], to=["@signatories"], direction="among")
    decision = ask(world(org("gamma", remit()), pact(among)))
    assert [row.org for row in decision.told] == ["beta", "gamma"]


def test_category_stands_above_not_signed() -> None:
    theft = {"categories": ["theft"]}
    aligned = [party("alpha"), party("gamma"), party("beta", capacity="aligned")]
    other = pact(clause(to=["gamma"]), id="other", lineage="other", parties=aligned)
    assert verdict(world(pact(clause(when=theft)), other)) == ("gap", "CATEGORY")


def test_nobody_told_and_nothing_held_is_unroutable() -> None:
    assert ask(world(pact(clause(mode="feed")))).unroutable
    assert not ask(world()).unroutable


def test_bodies_that_are_only_available_do_not_make_a_concern_routable() -> None:
    assert ask(world(pact(clause(mode="invite")))).unroutable


def test_a_gap_that_a_recipient_could_fill_is_hinted_at() -> None:
    onward = pact(clause(frm=["beta"], to=["gamma"]), id="other", lineage="other")
    decision = ask(world(onward, org("gamma", remit())))
    assert decision.of("gamma").klass.value == "gap"
    assert decision.flags == ("suggest-onward:beta->gamma",)
    assert ask(world(org("gamma", remit()))).flags == ()
