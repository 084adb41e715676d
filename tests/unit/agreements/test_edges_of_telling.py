"""Where what is told turns: who is joined to whom, how strict a limit is, and until when a disclosure holds."""

from __future__ import annotations

from datetime import date

import pytest

from shared.agreements import Snapshot, bodies, facts_of, payload
from shared.agreements.bodies import Bodies
from shared.agreements.model import Limit
from shared.agreements.remits import implied_functions
from shared.agreements.rights import rights_of, ties_of
from tests.rules.small import (
    TOLD,
    Row,
    ask,
    beta,
    clause,
    during,
    follows,
    lead_rule,
    org,
    pact,
    party,
    remit,
    verdict,
    world,
)

TODAY = date(2025, 3, 3)
LATER = "2030-01-01"
WITHIN = "notify_within"


def _bodies(snapshot: Snapshot) -> Bodies:
    return snapshot.bodies(TODAY, frozenset(), frozenset())


def _hours(amount: int, unit: str) -> int:
    return payload.hours_of(Limit(WITHIN, amount, unit, "pact/c1"))


def test_days_and_months_run_as_many_hours_as_the_clock_counts() -> None:
    assert _hours(1, "clock_hours") == 1
    assert _hours(1, "calendar_days") == 24
    assert _hours(12, "months") == _hours(365, "calendar_days")


def test_working_time_may_run_over_a_weekend() -> None:
    """A working day of eight hours lasts a whole day at least; five working days, a week and a little."""
    assert _hours(8, "working_hours") == _hours(1, "calendar_days")
    assert _hours(5, "working_days") == _hours(7, "calendar_days") + 2


def test_a_slower_limit_that_comes_later_does_not_take_the_place_of_a_stricter_one() -> None:
    fast, slow = ({WITHIN: {"amount": amount, "unit": "clock_hours"}} for amount in (30, 31))
    limits = beta(world(pact(clause(limits=fast), clause(id="c2", limits=slow)))).duties.to_json()["limits"]
    assert limits[WITHIN] == {"amount": 30, "unit": "clock_hours", "by": "pact/c1"}


def test_a_clause_with_another_limit_leaves_the_deployments_limit_to_acknowledge() -> None:
    other = clause(limits={WITHIN: {"amount": 3, "unit": "months"}})
    assert set(beta(world(pact(other))).duties.to_json()["limits"]) == {"acknowledge", WITHIN}


def test_a_marking_that_clause_and_concern_share_stays() -> None:
    assert beta(world(pact(clause(marking="OFFICIAL"))), marking="OFFICIAL").duties.marking == "OFFICIAL"


def test_a_concern_without_a_header_of_which_nothing_travels_is_a_pointer() -> None:
    snapshot = world(pact(clause(fields={"registrant": "omit", "narrative": "omit"})))
    assert beta(snapshot, field_classes=["registrant"]).pointer_only
    assert not beta(snapshot, field_classes=["header"]).pointer_only


def test_a_field_that_two_clauses_leave_out_is_laid_to_the_first() -> None:
    two = pact(clause(fields={"registrant": "omit"}), clause(id="c2", fields={"registrant": "omit"}))
    assert [(row.field, row.by) for row in beta(world(two)).withheld] == [("registrant", "pact/c1")]


def test_of_two_candidates_that_are_told_none_is_nominated() -> None:
    both = pact(clause(to=["beta", "gamma"]))
    lead = ask(world(lead_rule({"if": {}, "lead": ["beta", "gamma"]}), both, org("gamma", remit()))).lead
    assert lead is not None
    assert (lead.any_of, lead.nominated) == (("beta", "gamma"), None)


def test_a_rule_of_another_kind_of_concern_asks_no_person_to_lead() -> None:
    undecided = world(lead_rule({"else": "a person decides"}))
    assert ask(undecided).flags == ("lead-undecided:rule",)
    assert ask(undecided, categories=["fire-risk"]).flags == ()


@pytest.mark.parametrize(("purpose", "mode"), [("law", "push"), ("regulatory-function", "invite")])
def test_what_a_recipient_could_not_tell_by_itself_is_no_hint(purpose: str, mode: str) -> None:
    further = pact(clause(frm=["beta"], to=["gamma"], purposes=[purpose], mode=mode), id="other", lineage="other")
    decision = ask(world(further, org("gamma", remit())))
    assert (decision.of("gamma").klass.value, decision.flags) == ("gap", ())


def test_what_a_person_must_first_decide_is_no_hint() -> None:
    parts = [follows("old", "gamma", "split"), follows("old", "delta", "split")]
    further = pact(clause(frm=["beta"], to=["old"]), id="other", lineage="other", parties=[party("beta"), party("old")])
    decision = ask(world(further, org("old"), org("delta"), org("gamma", remit()), *parts))
    assert decision.flags == ()


@pytest.mark.parametrize(
    ("kind", "effective", "implied"),
    [
        ("split", "2020-01-01", {"hygiene"}),
        ("partial_transfer", "2020-01-01", {"hygiene"}),
        ("planned", None, set()),
    ],
)
def test_a_succession_that_is_no_plan_gives_its_functions_to_its_categories(
    kind: str, effective: str | None, implied: set[str]
) -> None:
    row = follows("gamma", "delta", kind, effective=effective, functions=["hygiene"], categories=["harm"])
    graph = world(org("delta"), row).graph
    routing = {"originator": "alpha", "received_at": "2025-03-03T10:00:00Z"}
    assert implied_functions(graph, facts_of({**routing, "categories": ["harm", "theft"]})) == implied
    assert implied_functions(graph, facts_of({**routing, "categories": ["theft"]})) == set()


def test_a_suspension_that_is_over_does_not_end_a_disclosure() -> None:
    assert beta(world(pact(suspended=[during("2024-01-01", "2024-02-01")]))).valid_until is None


def test_a_membership_that_was_renewed_today_does_not_end_a_disclosure() -> None:
    twice = [party("beta", None, "2025-03-03"), party("beta", "2025-03-03")]
    assert beta(world(pact(parties=[party("alpha"), party("gamma"), *twice]))).valid_until is None


@pytest.mark.parametrize(("more", "kept"), [(-1, False), (0, True), (1, True)])
def test_what_is_joined_is_kept_up_to_its_bound_and_no_further(
    monkeypatch: pytest.MonkeyPatch, more: int, kept: bool
) -> None:
    found = _bodies(world(pact(clause(to=["beta", "gamma"]))))
    monkeypatch.setattr(bodies, "JOINED_KEPT_MAX", 2 + more)
    first, again = (list(found.joined_to("alpha", ())) for _ in range(2))
    assert [row.recipient.org for row in first] == ["beta", "gamma"]
    assert first == again
    assert [one is other for one, other in zip(first, again, strict=True)] == [kept, kept]


def test_a_parent_that_is_a_successor_as_well_acts_for_the_party() -> None:
    heirs = [follows("gamma", "beta"), follows("gamma", "division"), org("division", deliver_to="beta")]
    assert _bodies(world(*heirs)).acting_for("gamma") == {"gamma", "division", "beta"}


def test_a_body_is_not_joined_to_itself_by_what_it_took_over() -> None:
    found = _bodies(world(pact(clause(to=["beta", "gamma"])), follows("gamma", "alpha")))
    assert [row.recipient.org for row in found.joined_to("alpha", ())] == ["beta"]


@pytest.mark.parametrize("heir", ["alpha", "zeta"])
def test_an_heir_to_come_has_heard_nothing_yet(heir: str) -> None:
    told = pact(clause(frm=["beta"], to=["gamma"]))
    found = _bodies(world(told, org("zeta"), follows("gamma", heir, effective=LATER)))
    assert found.wrong_way_to("gamma") == {"beta"}
    assert found.wrong_way_to(heir) == set()


def _pact_of(snapshot: Snapshot) -> Row:
    """Who may tell whom, and between whom there is a tie, of the small pact."""
    rights = list(rights_of(snapshot.graph.agreements["pact"]))
    ties = sorted((tie.discloser, tie.recipient) for right in rights for tie in ties_of(right))
    return {"rights": [(right.discloser, right.recipients) for right in rights], "ties": ties}


def test_a_party_in_another_capacity_is_tied_to_nobody_and_has_no_right_towards_itself() -> None:
    attending = [party("alpha"), party("beta"), party("gamma", capacity="in_attendance")]
    found = _pact_of(world(pact(parties=attending)))
    others = [("alpha", ("gamma",)), ("beta", ("gamma",)), ("gamma", ("alpha", "beta"))]
    assert found == {"rights": [("alpha", ("beta",)), *others], "ties": [("alpha", "beta")]}


def test_among_signatories_each_has_its_right_once() -> None:
    among = clause(frm=["@signatories"], to=["@signatories"], direction="among")
    rights = _pact_of(world(pact(among)))["rights"]
    assert rights == [("alpha", ("beta", "gamma")), ("beta", ("alpha", "gamma")), ("gamma", ("alpha", "beta"))]


def test_two_steps_that_passed_on_alike_leave_their_flag() -> None:
    to_old = pact(clause(to=["old"]), parties=[party("alpha"), party("old")])
    steps = [
        follows("old", "gamma", novation="inherited_assumed"),
        follows("gamma", "beta", novation="inherited_assumed"),
    ]
    assert beta(world(org("old"), to_old, *steps)).flags == ("inherited_assumed",)


def test_two_sides_that_took_over_alike_leave_their_flag() -> None:
    between = pact(clause(frm=["delta"], to=["gamma"]), parties=[party("delta"), party("gamma")])
    sides = [
        follows("delta", "alpha", novation="inherited_assumed"),
        follows("gamma", "beta", novation="inherited_assumed"),
    ]
    assert beta(world(org("delta"), between, *sides)).flags == ("inherited_assumed",)


def test_a_concern_may_carry_more_flags_than_a_clause_asks_for() -> None:
    words = {"kind": "vocabulary", "id": "flags", "terms": ["certified", "checked"]}
    snapshot = world(words, pact(clause(when={"flags_all": ["certified"]})), org("beta", remit()))
    assert verdict(snapshot, flags=["certified", "checked"]) == TOLD


def test_an_onward_term_that_nobody_knows_holds_however_often_it_is_said() -> None:
    hop = {"from": "gamma", "to": "alpha", "onward": "new"}
    assert ask(world(), onward="new", provenance=[hop]).detail == ("onward: new",)
