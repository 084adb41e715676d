"""The packaged graph and the worked scenarios, read once for all tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from deploy.demo.cases import SCENARIOS
from services.registry.adapters.seed_files import read_objects, read_yaml
from shared.agreements import Graph, Snapshot, assuming, load


@cache
def objects() -> tuple[Mapping[str, Any], ...]:
    return tuple(read_objects())


@cache
def seed_graph() -> Graph:
    return load(objects())


@cache
def seed(*, assumed: bool = False) -> Snapshot:
    return Snapshot(assuming(seed_graph(), on=assumed), version=1, root="seed")


@cache
def scenario_cases() -> tuple[tuple[str, Mapping[str, Any]], ...]:
    """Each case with its name, such as `T1 a`."""
    scenarios = read_yaml(SCENARIOS)["scenarios"]
    return tuple((f"{row['id']} {case['case']}", case) for row in scenarios for case in row["cases"])
