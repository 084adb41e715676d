"""The walls between the parts: they hold, and each of them catches who climbs over it."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

from importlinter.cli import lint_imports

from tests.architecture.sources import ROOT

CONTRACTS: list[str] = [
    contract["name"]
    for contract in tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
]
TRESPASSES = {
    "Services know shared; shared knows no service": ("shared/clock.py", "import services.registry.config"),
    "Services never import each other": ("services/router/ports.py", "import services.registry.config"),
    "Inside a service, arrows point inward": ("services/registry/domain/model.py", "import services.registry.ports"),
    "Domain and use cases are free of frameworks": ("services/registry/usecases/commit.py", "import sqlalchemy"),
    "Domain knows nothing but itself": ("services/registry/domain/policy.py", "import pydantic"),
    "The parts of shared do not know each other": ("shared/contracts/topics.py", "import shared.db.engine"),
    "The agreement core needs the standard library only": ("shared/agreements/days.py", "import orjson"),
    "No circles between the parts of shared": ("shared/clock.py", "import shared.telemetry"),
}


def test_the_walls_hold() -> None:
    assert lint_imports(no_cache=True, no_logo=True) == 0


def test_each_wall_is_tried() -> None:
    assert set(TRESPASSES) == set(CONTRACTS)


def test_each_wall_catches_who_climbs_over_it(tmp_path: Path) -> None:
    for name in ("deploy", "services", "shared"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__", "seed"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for file, line in TRESPASSES.values():
        with (tmp_path / file).open("a") as trespasser:
            trespasser.write(f"\n{line}\n")
    command = [sys.executable, "-c", "from importlinter.cli import lint_imports; lint_imports(no_cache=True)"]
    said = subprocess.run(  # noqa: S603 - this very interpreter, on a copy of this very tree
        command, cwd=tmp_path, check=False, capture_output=True, text=True
    ).stdout
    assert set(re.findall(r"^(.+) BROKEN$", said, flags=re.MULTILINE)) == set(CONTRACTS)
