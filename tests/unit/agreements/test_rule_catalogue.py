"""The catalogue of removable rules leaves no gate, key, kind or bar out."""

from __future__ import annotations

from dataclasses import fields

from services.registry.adapters.seed_files import read_objects
from shared.agreements.gates import GATES, name_of
from shared.agreements.load.words import WORDS
from shared.agreements.model import Bar, Gateway
from shared.agreements.scope import REMIT_TESTS, SCOPE_TESTS
from tests.rules.catalogue import RULES
from tests.rules.removal import Drop, Instead, Rule, without

DROPPED = {(rule.change.rules, rule.change.element) for rule in RULES if isinstance(rule.change, Drop)}
NAMES = [rule.name for rule in RULES]
SEED = read_objects()
SEED_BARS = [row for row in SEED if row["kind"] == "bar"]
RULES_OF_A_BAR = {
    "holders": ["bar binds its holders only", "bar follows its holder"],
    "span": ["bar has days"],
    "withholds": ["bar withholds", "bar that omits lets the rest through"],
    "fields": ["bar omits its fields"],
    "gateways": ["gateway: nothing to test opens nothing"],
    "recipient_onward": ["onward of a bar"],
    "tasks": ["bar tasks"],
    "permitted": ["gateway: own clause is tried"],
}
RULES_OF_A_GATEWAY = {
    "by_person": ["gateway: person's entry", "gateway: person's entry opens"],
    "agreements": ["gateway: named agreements", "gateway: named agreements open"],
    "to_sector": ["gateway: sector", "gateway: sector opens"],
    "needs_necessity": ["gateway: necessity", "gateway: necessity of the concern", "gateway: standing necessity"],
    "permits": ["gateway: own clause alone", "gateway: own clause by flag", "gateway: own clause by entry"],
}
WITHOUT_EFFECT = {"kind", "type", "id", "title", "protects", "offence", "note", "source", "certainty", "nations"}
KEYS_OF_A_BAR = {
    "holders", "in_force", "without_gateway", "fields", "gateways", "recipient_onward", "post_disclosure_tasks",
}  # fmt: skip
KEYS_OF_A_GATEWAY = {"decided_by", "agreements", "to_sector", "needs", "permits"}


def test_every_gate_can_be_taken_out() -> None:
    keys = {test.__name__ for test in SCOPE_TESTS}
    for name in map(name_of, GATES):
        assert ("SCOPE_TESTS" if name in keys else "GATES", name) in DROPPED


def test_every_key_of_a_remit_can_be_taken_out() -> None:
    assert {("REMIT_TESTS", test.__name__) for test in REMIT_TESTS} <= DROPPED


def test_every_kind_of_succession_and_novation_has_a_rule() -> None:
    assert all(any(f"succession {kind} " in name for name in NAMES) for kind in WORDS["succession"])
    told = " ".join(name for name in NAMES if name.startswith("novation"))
    assert all(
        kind.removeprefix("inherited_").replace("_", " ") in told.replace("_", " ") for kind in WORDS["novation"]
    )


def test_every_part_of_a_bar_and_of_a_gateway_has_a_rule() -> None:
    for kind, rules in ((Bar, RULES_OF_A_BAR), (Gateway, RULES_OF_A_GATEWAY)):
        assert {row.name for row in fields(kind)} - {"id", "cite", "record"} == rules.keys()
        assert {name for names in rules.values() for name in names} <= set(NAMES)


def test_every_bar_of_the_seed_graph_is_made_of_such_parts() -> None:
    assert {key for row in SEED_BARS for key in row} <= {*WITHOUT_EFFECT, *KEYS_OF_A_BAR}
    assert {key for row in SEED_BARS for way in row["gateways"] for key in way} <= {"id", "text", *KEYS_OF_A_GATEWAY}


def test_the_cap_of_every_instrument_has_a_rule() -> None:
    caps = next(row["value"] for row in SEED if row["kind"] == "vocabulary" and row["id"] == "instrument_caps")
    instruments = {name for table in ("public_parties_only", "any_other_party") for name in caps[table]}
    assert instruments == WORDS["instrument"]
    assert {f"cap of {name}" for name in instruments} <= set(NAMES)


def test_every_rule_has_its_own_name() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert len(NAMES) > 200


def test_a_removal_that_makes_the_evaluator_stumble_is_not_taken_for_one_that_a_case_notices() -> None:
    outcome = without(Rule("a crash", "holds", Instead("unknown_terms", "1 / 0")))
    assert (outcome.red, outcome.holds) == ((), False)
    assert len(outcome.broken) > 100
