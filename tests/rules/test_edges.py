"""Cases at the edges of rules: the day itself and the day after, more than was asked, and which of two comes first."""

from __future__ import annotations

from tests.rules.small import TOLD, ask, beta, clause, during, org, pact, remit, verdict, world


def test_what_may_not_go_on_does_not_go_on_to_whom_leave_was_given_either() -> None:
    hop = {"from": "gamma", "to": "alpha", "onward": "none", "granted": ["beta"]}
    assert verdict(world(), provenance=[hop]) == ("gap", "ONWARD_NOT_PERMITTED")
    assert verdict(world(), provenance=[{**hop, "onward": "ask_originator"}]) == TOLD


def test_a_terminated_agreement_stays_terminated() -> None:
    assert verdict(world(pact(terminated="2025-03-02"))) == ("gap", "TERMINATED")


def test_a_ceiling_lets_less_than_it_allows_through() -> None:
    snapshot = world(pact(clause(sensitivity_max=["personal_data", "child"])))
    assert verdict(snapshot, sensitivity=["child"]) == TOLD
    assert verdict(snapshot, sensitivity=[]) == TOLD


def test_on_the_day_of_the_later_version_the_earlier_is_superseded() -> None:
    later = pact(clause(to=["gamma"]), id="later", supersedes="pact", in_force=during("2025-03-03"))
    snapshot = world(pact(in_force=during(None, "2025-03-03")), later)
    assert verdict(snapshot) == ("gap", "SUPERSEDED")
    assert verdict(snapshot, received_at="2025-03-02T10:00:00Z") == TOLD


def test_a_concern_may_have_more_categories_and_flags_than_a_clause_needs() -> None:
    wanting = clause(when={"needs_all": ["harm", "theft"], "flags_all": ["certified"]})
    more = {"categories": ["harm", "theft", "fire-risk"], "flags": ["certified"]}
    assert verdict(world(pact(wanting)), **more) == TOLD


def test_a_hold_of_the_whole_concern_names_itself_as_the_reason_of_every_body() -> None:
    decision = ask(world(), subjects=[{"kind": "provider", "org": "alpha"}])
    assert {row.reason for row in decision.outcomes} == {"ORIGINATOR", "HOLD_CONFLICT"}


def test_of_two_holds_the_first_is_the_reason() -> None:
    decision = ask(world(), subjects=[{"kind": "provider", "org": "alpha"}], topics=["unheard-of"])
    assert decision.hold == ("HOLD_UNKNOWN_TERM", "HOLD_CONFLICT")
    assert decision.of("beta").reason == "HOLD_UNKNOWN_TERM"


def test_the_originator_need_not_be_the_first_by_name() -> None:
    by_gamma = world(pact(clause(frm=["gamma"], to=["alpha"])), org("alpha", remit()))
    decision = ask(by_gamma, originator="gamma")
    assert [(row.org, row.klass.value) for row in decision.outcomes] == [
        ("alpha", "told"), ("beta", "gap"), ("gamma", "originator"),
    ]  # fmt: skip
    held = ask(by_gamma, originator="gamma", topics=["unheard-of"])
    assert [row.klass.value for row in held.outcomes] == ["held", "held", "originator"]


def test_a_feed_of_other_categories_joins_two_bodies_that_signed() -> None:
    assert verdict(world(pact(clause(mode="feed", when={"categories": ["theft"]})))) == ("gap", "CATEGORY")


def test_of_two_clauses_that_came_equally_far_the_reason_decides_before_the_name() -> None:
    paused = pact(suspended=[during("2025-01-01", "2026-01-01")])
    ended = pact(id="z-pact", lineage="z-pact", in_force=during(None, "2025-01-01"))
    outcome = beta(world(paused, ended))
    assert (outcome.reason, outcome.nearest) == ("SUSPENDED", "pact/c1")
