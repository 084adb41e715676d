"""`make` on a machine that lacks what it needs says so in one sentence, with what to type instead."""

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT

TOO_OLD = "#!/bin/sh\nexit 1\n"
WITHOUT_VENV = '#!/bin/sh\ncase "$*" in *ensurepip*) exit 1;; esac\n'


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """As much of the repository as `make setup` reads."""
    for name in ("Makefile", "pyproject.toml", "requirements/dev.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(("python", "said"), [
    (TOO_OLD, "make PYTHON=python3.11 demo"), (WITHOUT_VENV, "has no venv"), (None, "make PYTHON=python3.11 demo"),
])  # fmt: skip
def test_a_python_that_will_not_do_gets_one_clear_sentence(checkout: Path, python: str | None, said: str) -> None:
    named = checkout / "some-python"
    if python:
        named.write_text(python)
        named.chmod(0o755)
    argv = ["make", "--no-print-directory", f"PYTHON={named}", "demo"]
    made = subprocess.run(argv, cwd=checkout, capture_output=True, text=True, check=False)  # noqa: S603 - make, on a copy
    assert made.returncode != 0
    assert len(made.stdout.splitlines()) == 1
    assert said in made.stdout
    assert not (checkout / ".venv").exists()


def test_a_machine_without_node_is_told_what_to_install(checkout: Path) -> None:
    (checkout / "sh").symlink_to("/bin/sh")
    argv = [str(shutil.which("make")), "--no-print-directory", "-o", ".venv/.interop", "check-interop"]
    made = subprocess.run(argv, cwd=checkout, env={"PATH": str(checkout)}, capture_output=True, text=True, check=False)  # noqa: S603 - make, on a copy
    assert made.returncode != 0
    (said,) = made.stdout.splitlines()
    assert said.startswith("There is no npm; install")
    assert said.endswith("make check-interop")
