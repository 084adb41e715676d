"""The checker judges the product from outside: nothing of the product is in it, by whatever way it could come in."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PRODUCT = {"services", "shared", "deploy"}
LENT = {"tests.support.waiting"}
"""The only module of the other tests that the checker uses; it imports the standard library alone."""


def imported(text: str) -> Iterator[str]:
    """Every module that a source names, inside functions too, also by the text of an import at run time."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, "relative imports hide where they lead"
            yield from {f"{node.module}.{alias.name}" for alias in node.names}
            yield str(node.module)


def sources() -> list[Path]:
    return sorted((ROOT / "tests" / "checker").glob("*.py"))


def test_no_source_of_the_checker_imports_the_product() -> None:
    found = {(path.name, name) for path in sources() for name in imported(path.read_text())}
    assert [one for one in found if one[1].partition(".")[0] in PRODUCT] == []
    borrowed = {name for _, name in found if name.startswith("tests.") and not name.startswith("tests.checker")}
    assert {name for name in borrowed if not any(name.startswith(lent) for lent in LENT)} == set()


def test_what_the_checker_loads_holds_nothing_of_the_product() -> None:
    names = [f"tests.checker.{path.stem}" for path in sources() if not path.stem.startswith("test_")]
    program = f"""
import importlib, sys
for name in {names}: importlib.import_module(name)
print(sorted(name for name in sys.modules if name.partition('.')[0] in {PRODUCT}))
"""
    command = [sys.executable, "-c", program]
    said = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)  # noqa: S603 - this very interpreter
    assert said.stdout.strip() == "[]"


@pytest.mark.parametrize("text", [
    "import services.intake.config",
    "from shared.clock import Clock",
    "def late():\n    from deploy.client import Concordat",
    "from deploy import client",
])  # fmt: skip
def test_an_import_of_the_product_is_seen_wherever_it_stands(text: str) -> None:
    assert {name.partition(".")[0] for name in imported(text)} & PRODUCT
