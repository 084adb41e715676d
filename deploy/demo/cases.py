"""The worked cases that the demo publishes: concerns with what is expected of each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

SCENARIOS = Path(__file__).with_name("scenarios.yaml")


@dataclass(frozen=True, slots=True)
class Case:
    """One concern, whether assumed clauses are to be on, and what must come of it."""

    name: str
    title: str
    assumed: bool
    concern: Mapping[str, Any]
    expected: Mapping[str, Any]

    @property
    def originator(self) -> str:
        """The body that publishes it."""
        return str(self.concern["originator"])

    @property
    def bodies(self) -> set[str]:
        """Every body that the expectation names, told or not."""
        rows = [*self.expected["told"], *self.expected.get("not_told", ())]
        plain = [self.expected.get(key, ()) for key in ("available", "gap_includes", "hold_candidates")]
        return {row["org"] for row in rows} | {org for orgs in plain for org in orgs}

    @property
    def told(self) -> set[str]:
        """The bodies that must be told."""
        return {row["org"] for row in self.expected["told"]}


def read_cases(file: Path = SCENARIOS) -> Sequence[Case]:
    """Every case of a scenario file, in its order."""
    scenarios = yaml.safe_load(file.read_text(encoding="utf-8"))["scenarios"]
    return [
        Case(f"{s['id']}{c['case']}", s["title"], c["assumed_clauses"], c["concern"], c["expected"])
        for s in scenarios
        for c in s["cases"]
    ]
