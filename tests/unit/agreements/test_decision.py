"""A decision answers for the bodies of its snapshot, by name and by class, and for no other."""

from __future__ import annotations

import pytest

from shared.agreements import Class
from tests.rules.small import ask, world


def test_a_decision_names_the_bodies_of_each_class() -> None:
    decision = ask(world())
    assert {klass.value: decision.names(klass) for klass in Class if decision.names(klass)} == {
        "originator": ("alpha",),
        "told": ("beta",),
        "no_path": ("gamma",),
    }


@pytest.mark.parametrize("nobody", ["aardvark", "berta", "zeta"])
def test_a_body_that_the_snapshot_lacks_has_no_outcome(nobody: str) -> None:
    decision = ask(world())
    assert [decision.of(org).org for org in ("alpha", "beta", "gamma")] == ["alpha", "beta", "gamma"]
    with pytest.raises(KeyError, match=nobody):
        decision.of(nobody)
