"""The command: what a seed decides, what is refused, and a run against the real system."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from tests.checker import face
from tests.checker.__main__ import KILLS, Wanted, main, plan_of
from tests.checker.concerns import RECIPIENTS
from tests.checker.machinery import NAMES

ROOT = Path(__file__).resolve().parents[2]
EVERYTHING = tuple(NAMES)
RUN_SECONDS = 400
URLS, NOBODY = ("registry", "intake", "router", "notifier"), "http://127.0.0.1:9"
SOAK_RUNS, SOAK_SECONDS = 20, 3_600


def wanted(seed: int, *, faults: tuple[str, ...] = EVERYTHING) -> Wanted:
    return Wanted(
        runs=1, seed=seed, rate=20, seconds=10, faults=faults, faults_max=3, unruly=0, pause_seconds=1, as_json=True
    )


@given(st.integers(), st.integers(1, 10_000))
def test_the_seed_and_the_number_of_a_run_decide_what_is_broken_when(seed: int, run: int) -> None:
    plan = plan_of(wanted(seed), run, "p")
    assert plan == plan_of(wanted(seed), run, "p")
    assert 1 <= len(plan.faults) <= 3
    assert all(0 < fault.after_seconds < plan.seconds for fault in plan.faults)
    broken = [fault.name.partition("-")[2] for fault in plan.faults]
    assert len(set(broken)) == len(broken)


def test_every_process_and_every_order_of_them_gets_its_turn() -> None:
    kills = tuple(KILLS.split(","))
    orders = {tuple(f.name for f in plan_of(wanted(1, faults=kills), run, "p").faults) for run in range(1, 101)}
    assert {order[:1] for order in orders} == {(name,) for name in kills}
    assert sum(len(order) == 3 for order in orders) == 6


def test_a_fault_that_there_is_not_is_refused_with_those_there_are() -> None:
    said = CliRunner().invoke(main, ["--faults", "kill-everything"])
    assert said.exit_code == 2
    assert "kill-notifier" in said.output


def test_a_folder_in_which_nothing_runs_is_refused_with_what_starts_it(tmp_path: Path) -> None:
    said = CliRunner().invoke(main, ["--data-dir", str(tmp_path)])
    assert said.exit_code == 2
    assert "concordat up" in said.output


def test_what_does_not_come_back_is_said_in_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(face, "READ_SECONDS", 0.1)
    (tmp_path / "run.json").write_text(json.dumps({"data_dir": str(tmp_path), "urls": dict.fromkeys(URLS, NOBODY)}))
    clients = {org: {"org": org, "client_id": org, "secret": ""} for org in (*RECIPIENTS, "operator")}
    (tmp_path / "credentials.json").write_text(json.dumps(clients))
    said = CliRunner().invoke(main, ["--data-dir", str(tmp_path)])
    assert said.exit_code == 1
    assert said.output.splitlines()[-1].startswith("seed 1, run 0: it does not recover by itself: not within 0.1 s")


def checked(*arguments: str, seconds: int) -> dict[str, object]:
    """The summary of runs against a system of its own; fails with all that was printed if they do not add up."""
    command = [sys.executable, "-m", "tests.checker", "--json", *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds, check=False)  # noqa: S603 - this very interpreter
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-3_000:]
    found: dict[str, object] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.mark.stack
def test_the_real_system_adds_up_after_random_kills_under_load() -> None:
    found = checked("--rate", "20", "--seconds", "3", "--seed", "2", "--faults-max", "3", seconds=RUN_SECONDS)
    assert found["differences"] == 0
    assert found["totals"]["accepted"] == found["totals"]["stored"] > 50  # type: ignore[index]  # JSON
    assert found["totals"]["owed"] == found["totals"]["received"] > 50  # type: ignore[index]
    assert found["faults"] == 3


@pytest.mark.soak
def test_the_real_system_adds_up_after_every_kind_of_fault_and_with_unruly_receivers() -> None:
    faults = [name for name in NAMES if name not in ("pause-intake", "pause-router")]
    runs = ("--runs", str(SOAK_RUNS), "--rate", "50", "--seconds", "10", "--unruly", "0.02")
    found = checked(*runs, "--faults", ",".join(faults), seconds=SOAK_SECONDS)
    assert found["runs"] == SOAK_RUNS
    assert found["differences"] == 0
