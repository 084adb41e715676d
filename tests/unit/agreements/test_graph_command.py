"""`concordat graph test`, as a person runs it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.cli.graph import graph
from deploy.demo.cases import SCENARIOS
from services.registry.adapters.seed_files import SEED_DIR
from tests.unit.agreements.seeds import objects

CASE = """
format: concordat.scenarios/1
scenarios:
  - id: X
    title: a feed tells nobody
    cases:
      - case: a
        assumed_clauses: false
        concern:
          originator: gmc
          received_at: '2025-03-03T10:00:00Z'
          categories: [sanction-decision]
          nation: england
        expected: {told: [{org: cqc, reason: PERMITTED, because: [jwp-cqc-gmc/c5], mark: derived}]}
"""


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(graph, ["test", *arguments])


def test_the_packaged_graph_passes_the_worked_scenarios() -> None:
    result = _run(str(SCENARIOS))
    assert result.exit_code == 0, result.output
    assert "28 cases, 0 with differences" in result.output


@pytest.fixture
def read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The packaged graph as it was read for all tests of this folder."""
    monkeypatch.setattr("deploy.cli.graph_cases.read_objects", {SEED_DIR: objects()}.__getitem__)


@pytest.mark.usefixtures("read_once")
def test_a_difference_is_named_and_fails(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(CASE, encoding="utf-8")
    result = _run(str(path))
    assert result.exit_code == 1
    assert "x.yaml: X a: told: cqc is missing" in result.output


@pytest.mark.usefixtures("read_once")
def test_differences_come_as_json_too(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(CASE, encoding="utf-8")
    result = _run(str(path), "--json")
    assert result.exit_code == 1
    assert json.loads(result.output)["cases"][0]["differences"] == ["told: cqc is missing"]


@pytest.mark.usefixtures("read_once")
def test_a_malformed_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    for text in (
        "format: [",
        "format: other",
        "format: concordat.scenarios/1\nscenarios: 3",
        CASE.replace("2025-", ""),
    ):
        path.write_text(text, encoding="utf-8")
        result = _run(str(path))
        assert result.exit_code == 2
        assert "x.yaml" in result.output


def test_a_missing_file_and_a_folder_that_is_no_graph_are_named(tmp_path: Path) -> None:
    missing = _run(str(tmp_path / "none.yaml"))
    assert (missing.exit_code, "none.yaml" in missing.output) == (2, True)
    empty = _run(str(SCENARIOS), "--graph", str(tmp_path))
    assert (empty.exit_code, "categories.yaml" in empty.output) == (2, True)
