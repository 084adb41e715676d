"""One case per rule on what came from others: it goes on no wider than it was given."""

from __future__ import annotations

from typing import Any

from tests.rules.small import Row, ask, beta, clause, pact, world

EVERYTHING = {"header": "full", "registrant": "full", "narrative": "full"}


def hop(**changes: Any) -> Row:
    return {"from": "gamma", "to": "alpha", "onward": "free", "fields": EVERYTHING, **changes}


def test_a_field_goes_on_no_wider_than_it_was_given() -> None:
    given = {**EVERYTHING, "narrative": "generalise"}
    assert beta(world()).fields["narrative"] == "full"
    assert beta(world(), provenance=[hop(fields=given)]).fields["narrative"] == "generalise"


def test_a_field_that_was_given_in_full_goes_on_as_the_clause_says() -> None:
    assert beta(world(), provenance=[hop()]).fields == beta(world()).fields


def test_the_narrowest_of_all_hops_counts() -> None:
    hops = [hop(), hop(fields={**EVERYTHING, "narrative": "pseudonymise"}), hop()]
    assert beta(world(), provenance=hops).fields["narrative"] == "pseudonymise"


def test_a_field_that_was_not_given_does_not_go_on_and_the_notice_says_so() -> None:
    outcome = beta(world(), provenance=[hop(fields={"header": "full", "narrative": "full"})])
    assert outcome.fields["registrant"] == "omit"
    assert [(row.field, row.by) for row in outcome.withheld] == [("registrant", "provenance")]


def test_what_a_clause_leaves_out_is_laid_to_the_clause() -> None:
    narrow = world(pact(clause(fields={"registrant": "omit"})))
    outcome = beta(narrow, provenance=[hop(fields={"header": "full", "narrative": "full"})])
    assert [(row.field, row.by) for row in outcome.withheld] == [("registrant", "pact/c1")]


def test_a_hop_that_does_not_say_what_was_given_masks_nothing() -> None:
    assert beta(world(), provenance=[hop(fields=None)]).fields == beta(world()).fields


def test_a_body_is_told_the_onward_term_of_the_strictest_hop() -> None:
    asked = hop(onward="ask_originator", granted=["beta"])
    assert (beta(world()).onward, beta(world(), provenance=[asked]).onward) == ("free", "ask_originator")


def test_a_field_class_or_a_policy_that_is_not_known_holds() -> None:
    assert ask(world(), provenance=[hop(fields={"new": "full"})]).detail == ("field class: new",)
    assert ask(world(), provenance=[hop(fields={"header": "new"})]).detail == ("field policy: new",)
