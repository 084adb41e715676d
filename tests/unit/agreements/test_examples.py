"""Every example of every seed agreement, exactly: one agreement by itself, assumed clauses on, no bars."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from shared.agreements import Class, Snapshot, alone, decide, facts_of
from tests.unit.agreements.seeds import seed_graph


def _examples() -> Iterator[tuple[str, Snapshot, Mapping[str, Any]]]:
    graph = seed_graph()
    for name, agreement in graph.agreements.items():
        snapshot = Snapshot(alone(graph, name), version=1, root="example")
        for example in agreement.record["examples"]:
            yield f"{name}: {example['name']}", snapshot, example


def _differences(snapshot: Snapshot, example: Mapping[str, Any]) -> Iterator[str]:
    decision, expected = decide(snapshot, facts_of(example["concern"])), example["expect"]
    for klass in (Class.TOLD, Class.AVAILABLE):
        found = [outcome.org for outcome in decision.of_class(klass)]
        if found != sorted(expected.get(klass.value, [])):
            yield f"{klass.value} is {found}"
    for row in expected.get("not_told", []):
        outcome = decision.of(row["org"])
        if outcome.told or outcome.reason != row["reason"]:
            yield f"{row['org']} is {outcome.klass.value} {outcome.reason}"


def test_every_example_of_the_seed_agreements_comes_out() -> None:
    examples = list(_examples())
    wrong = [f"{name}: {line}" for name, snapshot, row in examples for line in _differences(snapshot, row)]
    assert wrong == []
    assert len(examples) == 195
