"""One case per kind of bar and of gateway, open and shut."""

from __future__ import annotations

from shared.agreements import Snapshot
from tests.rules.small import (
    TOLD,
    Row,
    ask,
    bar,
    barred_alpha,
    beta,
    clause,
    during,
    duty,
    follows,
    gateway,
    org,
    pact,
    problems,
    remit,
    verdict,
    world,
)

SHUT = ("withheld", "FORBIDDEN")
ENTRY = [{"id": "bar/way", "decided_by": "A. Person", "reason": "stated"}]
ONLY_FEED = pact(clause(mode="feed"))


def barred(*gateways: Row, objects: tuple[Row, ...] = (), **changes: object) -> Snapshot:
    return world(barred_alpha(), bar(*gateways, **changes), *objects)


def test_a_withholding_bar_without_gateway_tells_nobody() -> None:
    assert verdict(barred()) == SHUT


def test_a_bar_binds_only_what_its_holders_originate() -> None:
    elsewhere = world(bar(holders=["gamma"]), org("gamma", bars=["bar"]))
    assert verdict(elsewhere) == TOLD


def test_a_bar_binds_who_took_over_from_its_holder() -> None:
    holder = org("gamma", bars=["bar"])
    assert verdict(world(bar(holders=["gamma"]), holder, follows("gamma", "alpha"))) == SHUT


def test_a_bar_binds_while_it_is_in_force() -> None:
    assert verdict(barred(in_force=during("2025-03-04"))) == TOLD
    assert verdict(barred(in_force=during(None, "2025-03-03"))) == TOLD


def test_a_shut_bar_shows_only_where_every_earlier_gate_was_passed() -> None:
    assert verdict(barred(), purposes=["law"])[1] == "PURPOSE_NOT_COVERED"


def test_a_persons_gateway_opens_on_a_recorded_decision_alone() -> None:
    snapshot = barred(gateway(decided_by="person"))
    assert verdict(snapshot) == SHUT
    assert verdict(snapshot, gateways=ENTRY) == TOLD


def test_a_routers_gateway_that_states_nothing_to_test_opens_nothing() -> None:
    assert verdict(barred(gateway())) == SHUT


def test_a_gateway_opens_for_the_agreements_that_it_names() -> None:
    snapshot = barred(gateway(agreements=["pact"]), gateway(id="other", decided_by="person"))
    assert verdict(snapshot) == TOLD
    other = pact(clause(mode="feed"), id="other", lineage="other")
    assert verdict(barred(gateway(agreements=["other"]), objects=(other,))) == SHUT


def test_a_gateway_may_name_a_duty() -> None:
    own = duty(clause(effect="REQUIRE"))
    assert problems(barred_alpha(), bar(gateway(agreements=["duty"])), own) == []
    assert verdict(barred(gateway(agreements=["duty"]), objects=(own, ONLY_FEED))) == ("told", "REQUIRED")
    assert verdict(barred(objects=(own, ONLY_FEED))) == SHUT


def test_a_gateway_for_agreements_may_also_want_a_person() -> None:
    snapshot = barred(gateway(agreements=["pact"], decided_by="person"))
    assert verdict(snapshot) == SHUT
    assert verdict(snapshot, gateways=ENTRY) == TOLD


def test_a_gateway_to_a_sector_opens_for_bodies_of_that_sector() -> None:
    snapshot = barred(gateway(to_sector=["public"]))
    assert verdict(snapshot) == TOLD
    assert verdict(barred(gateway(to_sector=["private"]))) == SHUT


def test_a_gateway_that_needs_necessity_opens_on_the_concerns() -> None:
    snapshot = barred(gateway(needs="necessity_statement"))
    assert verdict(snapshot) == SHUT
    assert verdict(snapshot, necessity={"statement": "stated", "decided_by": "A. Person"}) == TOLD


def test_a_gateway_that_needs_necessity_opens_on_the_clauses_standing_one() -> None:
    standing = pact(clause(standing_necessity="of no use without"))
    assert verdict(barred(gateway(needs="necessity_statement"), objects=(standing,))) == TOLD
    private = gateway(needs="necessity_statement", to_sector=["private"])
    assert verdict(barred(private, objects=(standing,))) == SHUT


PERMITS = clause(id="g1", when={"flags_all": ["certified"]})


def test_a_gateways_own_clause_opens_on_the_flag_that_it_demands() -> None:
    snapshot = barred(gateway(decided_by="person", permits=PERMITS), objects=(ONLY_FEED,))
    assert verdict(snapshot)[1] == "FORBIDDEN"
    assert verdict(snapshot, flags=["certified"]) == TOLD
    assert beta(snapshot, flags=["certified"]).because[0].cite == "bar/g1"


def test_a_gateways_own_clause_opens_on_the_persons_entry() -> None:
    snapshot = barred(gateway(decided_by="person", permits=clause(id="g1")), objects=(ONLY_FEED,))
    assert verdict(snapshot) == SHUT
    assert verdict(snapshot, gateways=ENTRY) == TOLD


def test_a_gateways_own_clause_opens_for_itself_and_for_no_agreement() -> None:
    elsewhere = clause(id="g1", to=["gamma"])
    snapshot = barred(gateway(decided_by="person", permits=elsewhere))
    assert verdict(snapshot, gateways=ENTRY) == SHUT


def test_a_gateways_own_clause_goes_through_every_gate() -> None:
    snapshot = barred(gateway(decided_by="person", permits=clause(id="g1", purposes=["law"])), objects=(ONLY_FEED,))
    assert verdict(snapshot, gateways=ENTRY)[1] == "PURPOSE_NOT_COVERED"


def test_named_means_the_bodies_that_the_concern_names() -> None:
    permits = clause(id="g1", to=["@named"])
    snapshot = barred(gateway(decided_by="person", permits=permits), objects=(ONLY_FEED,))
    assert verdict(snapshot, gateways=ENTRY, named_recipients=["beta"]) == TOLD
    assert verdict(snapshot, gateways=ENTRY, named_recipients=["gamma"]) != TOLD


def test_a_named_body_needs_a_remit_like_any_other() -> None:
    permits = clause(id="g1", to=["@named"])
    objects = (ONLY_FEED, org("beta"))
    snapshot = barred(gateway(decided_by="person", permits=permits), objects=objects)
    assert verdict(snapshot, gateways=ENTRY, named_recipients=["beta"]) == ("available", "AVAILABLE")


def test_a_bar_that_omits_fields_lets_the_rest_through() -> None:
    outcome = beta(barred(without_gateway="omit_fields", fields=["registrant"]))
    assert outcome.told
    assert outcome.fields["registrant"] == "omit"
    assert [(row.field, row.by) for row in outcome.withheld] == [("registrant", "bar")]


def test_an_open_gateway_gives_an_omitted_field_the_clauses_policy_back() -> None:
    way = gateway(needs="necessity_statement")
    snapshot = barred(way, without_gateway="omit_fields", fields=["registrant"])
    needed = {"statement": "stated", "decided_by": "A. Person"}
    assert beta(snapshot, necessity=needed).fields["registrant"] == "generalise"
    assert beta(snapshot, necessity=needed).withheld == ()


def test_one_clause_with_standing_necessity_makes_the_disclosure_lawful() -> None:
    way = gateway(needs="necessity_statement")
    two = pact(clause(), clause(id="c2", standing_necessity="of no use without"))
    outcome = beta(barred(way, objects=(two,), without_gateway="omit_fields", fields=["registrant"]))
    assert outcome.fields["registrant"] == "generalise"


def test_what_a_bar_lays_on_a_recipient_locks_what_it_gets() -> None:
    assert beta(barred(gateway(agreements=["pact"]), recipient_onward="none")).onward == "none"
    assert beta(barred(gateway(agreements=["pact"]))).onward == "free"


def test_a_bar_sets_tasks_after_a_disclosure() -> None:
    snapshot = barred(gateway(agreements=["pact"]), post_disclosure_tasks=["inform-subject"])
    assert beta(snapshot).duties.tasks == ("inform-subject",)


def test_the_silence_of_a_shut_bar_is_no_gap() -> None:
    far = pact(clause(purposes=["law"]))
    assert verdict(barred(objects=(far,)))[0] == "withheld"
    assert verdict(barred(gateway(decided_by="person"), objects=(far,)), gateways=ENTRY)[0] == "gap"
    omitting = barred(objects=(far,), without_gateway="omit_fields", fields=["registrant"])
    assert verdict(omitting)[0] == "gap"


def test_a_gateway_for_one_agreement_opens_the_silence_for_nobody_else() -> None:
    nowhere = org("gamma", remit())
    snapshot = barred(gateway(agreements=["pact"]), objects=(nowhere,))
    assert verdict(snapshot) == TOLD
    assert ask(snapshot).of("gamma").klass.value == "no_path"
