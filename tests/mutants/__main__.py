"""`python -m tests.mutants [MODULE…]`: changes the decision's source one operator at a time and prints the score.

Runs Cosmic Ray on a copy of the tree. A mutant that no test notices is printed with its place and its change; those of
`JUSTIFIED` change nothing that can be seen. Fails below the score that the house asks for.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.mutants.justified import JUSTIFIED

ROOT = Path(__file__).resolve().parents[2]
CORE = "shared/agreements"
SCORE_MIN_PERCENT = 95
TIMEOUT_SECONDS = 180
PARTS = ("shared", "services", "deploy", "tests", "pyproject.toml")
# No mutant: types in annotations (`|`), starred arguments (`*`), arithmetic on sets, which Python refuses anyway, and
# `is` for `==` or the reverse, which are one for members of enumerations and for interned words.
NOT_TRIED = (
    "core/ReplaceComparisonOperator_(Is_Eq|IsNot_NotEq|Eq_Is|NotEq_IsNot)",
    "core/ReplaceBinaryOperator_(BitOr|Mul)_.*",
    "core/ReplaceBinaryOperator_BitAnd_(Add|Div|FloorDiv|LShift|RShift|Mod|Mul|Pow|Sub)",
    "core/RemoveDecorator",
)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one line, as the runner reports it."""

    place: str
    change: str
    noticed: bool

    @property
    def justified(self) -> str | None:
        """By file and change, not by line: lines move."""
        return JUSTIFIED.get((self.place.partition(":")[0], self.change))


def main(modules: Sequence[str]) -> int:
    """0 when the score is reached, else 1."""
    runner = shutil.which("cosmic-ray", path=str(Path(sys.executable).parent)) or shutil.which("cosmic-ray")
    if runner is None:
        sys.stderr.write("cosmic-ray is not installed: add it to requirements/dev.in, or put it on the path\n")
        return 1
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder)
        _copy(tree)
        mutants = _tried(Path(runner), tree, modules or _all_modules())
    return _report(mutants)


def _all_modules() -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / CORE).rglob("*.py") if path.name != "__init__.py")


def _copy(tree: Path) -> None:
    """The runner edits in place, so it works on a copy."""
    ignored = shutil.ignore_patterns("__pycache__", "*.sqlite")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, tree / part, ignore=ignored)
        else:
            shutil.copy(ROOT / part, tree / part)


def _tried(runner: Path, tree: Path, modules: Sequence[str]) -> list[Mutant]:
    (tree / "mutants.toml").write_text(_config(modules), encoding="utf-8")
    session = "mutants.sqlite"
    for argv in (
        [str(runner), "init", "mutants.toml", session],
        [str(runner.with_name("cr-filter-operators")), session, "mutants.toml"],
        [str(runner), "exec", "mutants.toml", session],
    ):
        subprocess.run(argv, cwd=tree, check=True)  # noqa: S603 - the runner, on a copy of our own tree
    argv = [str(runner), "dump", session]
    dumped = subprocess.run(argv, cwd=tree, check=True, capture_output=True, text=True)  # noqa: S603
    return [mutant for line in dumped.stdout.splitlines() if (mutant := _mutant(line))]


def _config(modules: Sequence[str]) -> str:
    return "\n".join((
        "[cosmic-ray]",
        f"module-path = {json.dumps(list(modules))}",
        f"timeout = {TIMEOUT_SECONDS}.0",
        "excluded-modules = []",
        f"test-command = {json.dumps(f'{sys.executable} -m tests.mutants.trial')}",
        "[cosmic-ray.distributor]",
        'name = "local"',
        "[cosmic-ray.filters.operators-filter]",
        f"exclude-operators = {json.dumps(NOT_TRIED)}",
        "",
    ))  # fmt: skip


def _mutant(line: str) -> Mutant | None:
    """A line of the runner's dump: the work, and its result. None for what was not tried."""
    work, result = json.loads(line)
    if not result or result["worker_outcome"] == "skipped":
        return None
    spec = work["mutations"][0]
    place = f"{Path(spec['module_path']).name}:{spec['start_pos'][0]}"
    noticed = result["worker_outcome"] != "normal" or result["test_outcome"] != "survived"
    return Mutant(place, _changed(result.get("diff") or ""), noticed)


def _changed(diff: str) -> str:
    """The lines taken out and put in, without the heads of the files."""
    rows = [row for row in diff.splitlines() if row[:1] in "+-" and row[:3] not in ("+++", "---")]
    return " ".join(" ".join(row.split()) for row in rows)


def _report(mutants: Sequence[Mutant]) -> int:
    unseen = [mutant for mutant in mutants if not mutant.noticed]
    open_ones = [mutant for mutant in unseen if not mutant.justified]
    for mutant in unseen:
        sys.stdout.write(f"{mutant.place} {mutant.change}\n  {mutant.justified or 'NO TEST NOTICES'}\n")
    score = 100 * (len(mutants) - len(unseen)) / max(1, len(mutants))
    sys.stdout.write(f"{len(mutants)} mutants, {len(unseen)} not noticed, score {score:.1f} %\n")
    return 1 if open_ones or score < SCORE_MIN_PERCENT else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
