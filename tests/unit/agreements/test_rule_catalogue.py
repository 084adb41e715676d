"""The catalogue of removable rules leaves no gate, key, kind or bar out."""

from __future__ import annotations

from shared.agreements.gates import GATES, name_of
from shared.agreements.load.words import WORDS
from shared.agreements.scope import REMIT_TESTS, SCOPE_TESTS
from tests.rules.catalogue import RULES
from tests.rules.removal import Drop

DROPPED = {(rule.change.rules, rule.change.element) for rule in RULES if isinstance(rule.change, Drop)}
NAMES = [rule.name for rule in RULES]


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


def test_every_rule_has_its_own_name() -> None:
    assert len(set(NAMES)) == len(NAMES)
    assert len(NAMES) > 200
