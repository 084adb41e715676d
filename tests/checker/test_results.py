"""What was proven stays proven: for the same question and the same code, and for nothing else."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from tests.checker.__main__ import Wanted, main
from tests.checker.results import Results, code_digest

ASKED = {"seed": 1, "faults": ["kill-router"]}
COUNTS = dict.fromkeys(
    ("accepted", "refused", "unknown", "stored", "owed", "received", "pending", "parked", "receipts"), 2
)


def a_run(number: int, *, differences: tuple[str, ...] = ()) -> dict[str, Any]:
    recovery = {"name": "kill-router", "away_seconds": number, "caught_up_seconds": 0.5}
    found = [{"name": name, "about": "", "seen": ""} for name in differences]
    return {"run": number, "counts": COUNTS, "differences": found, "repeats": [], "recoveries": [recovery]}


def proven(file: Path, asked: Mapping[str, object] = ASKED, runs_max: int = 9) -> list[int]:
    return list(Results.of(asked, file, runs_max=runs_max).documents)


def test_a_run_that_was_kept_is_not_asked_for_again_and_a_line_that_was_cut_off_is(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "results.jsonl"
    results = Results.of(ASKED, file, runs_max=9)
    for number in (1, 2, 3):
        results.keep(a_run(number))
    assert proven(file) == [1, 2, 3]
    assert proven(file, runs_max=2) == [1, 2]
    file.write_bytes(file.read_bytes()[:-9])
    assert proven(file) == [1, 2]


def test_a_run_that_did_not_add_up_is_done_again_and_its_last_time_stands(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    results = Results.of(ASKED, file, runs_max=9)
    results.keep(a_run(1, differences=("accepted and lost",)))
    results.keep(a_run(2))
    assert proven(file) == [2]
    results.keep(a_run(1))
    results.keep(a_run(2, differences=("accepted and lost",)))
    assert proven(file) == [1]


@pytest.mark.parametrize("other", [{**ASKED, "seed": 2}, {**ASKED, "faults": []}, {**ASKED, "rate": 5}])
def test_what_was_proven_of_one_question_says_nothing_of_another(tmp_path: Path, other: Mapping[str, object]) -> None:
    Results.of(ASKED, tmp_path / "results", runs_max=9).keep(a_run(1))
    assert proven(tmp_path / "results", other) == []


def test_another_byte_of_the_product_is_other_code(tmp_path: Path) -> None:
    source = tmp_path / "services" / "router" / "domain.py"
    source.parent.mkdir(parents=True)
    source.write_text("ONE = 1\n")
    before = code_digest(tmp_path)
    assert code_digest(tmp_path) == before
    source.write_text("ONE = 2\n")
    assert code_digest(tmp_path) != before


def test_where_all_is_proven_nothing_is_started_and_the_figures_are_those_of_all_runs(tmp_path: Path) -> None:
    wanted = Wanted(
        runs=3, seed=7, rate=200.0, seconds=10.0, faults=("kill-router",), faults_max=3, unruly=0.0,
        pause_seconds=10.0, as_json=True,
    )  # fmt: skip
    results = Results.of(wanted.asked(), tmp_path / "kept", runs_max=3)
    for number in (1, 2, 3):
        results.keep(a_run(number))
    options = ("--runs", "3", "--seed", "7", "--rate", "200", "--faults", "kill-router")
    said = CliRunner().invoke(main, [*options, "--results", str(tmp_path / "kept"), "--json"])
    assert said.exit_code == 0, said.output
    found = json.loads(said.output)
    assert (found["runs"], found["totals"]["accepted"], found["differences"]) == (3, 6, 0)
    assert found["away_seconds"] == {"median": 2, "p95": 3, "max": 3}
