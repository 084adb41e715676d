"""The files of the repository, as the architecture tests read them."""

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVICES = ("intake", "notifier", "registry", "router")
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its path below the root, and its text."""

    path: Path
    text: str

    @property
    def line_count(self) -> int:
        return len(self.text.splitlines())

    @property
    def tree(self) -> ast.Module:
        """Its syntax, parsed once for all tests."""
        return _parsed(self.text)

    def functions(self) -> tuple[Function, ...]:
        """Every function and method, nested ones too."""
        return _functions(self.text)


@cache
def _parsed(text: str) -> ast.Module:
    return ast.parse(text)


@cache
def _functions(text: str) -> tuple[Function, ...]:
    return tuple(node for node in ast.walk(_parsed(text)) if isinstance(node, Function))


@cache
def files() -> tuple[Path, ...]:
    """Every file that is in the repository or would be added to it."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git is named as needed in the README
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return tuple(path for path in map(Path, sorted(set(listed.stdout.splitlines()))) if (ROOT / path).is_file())


@cache
def sources(*suffixes: str) -> tuple[Source, ...]:
    """The text files with these endings."""
    wanted = (path for path in files() if path.suffix in suffixes)
    return tuple(Source(path, (ROOT / path).read_text(encoding="utf-8")) for path in wanted)


def python(*, tests: bool) -> tuple[Source, ...]:
    """The Python of the product, or of its tests; without migrations, which are lists of statements."""
    found = (s for s in sources(".py") if "versions" not in s.path.parts)
    return tuple(s for s in found if (s.path.parts[0] == "tests") is tests)


def prose() -> tuple[Source, ...]:
    """What people read, but for the seed's own texts and the licence."""
    return tuple(s for s in sources(".md") if "seed" not in s.path.parts)
