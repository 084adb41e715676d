"""`python -m tests.mutants.trial`: whether any test notices what was changed in the source. Quickest tests first.

Exit status 0 when nothing is noticed, as the mutation runner expects of a passing suite.
"""

from __future__ import annotations

import importlib
import inspect
import sys
from collections.abc import Iterator
from types import FunctionType

import pytest

from tests.rules.removal import CASES

SLOWER = (
    ["tests/unit/agreements/test_examples.py", "tests/unit/agreements/test_scenarios.py"],
    ["tests/unit/agreements/test_properties.py", "tests/properties", "--hypothesis-profile=mutants"],
)


def main() -> int:
    """1 as soon as a test is red, 0 when none is."""
    for case in _rule_cases():
        case()  # whatever it raises ends the process with 1
    for paths in SLOWER:
        if pytest.main(["-x", "-q", "-p", "no:cacheprovider", *paths]):
            return 1
    return 0


def _rule_cases() -> Iterator[FunctionType]:
    for module in map(importlib.import_module, CASES):
        for name, case in inspect.getmembers(module, inspect.isfunction):
            if name.startswith("test_") and case.__module__ == module.__name__:
                yield case


if __name__ == "__main__":
    sys.exit(main())
