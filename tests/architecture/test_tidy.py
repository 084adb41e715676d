"""The house's numbers. They only ever get stricter."""

import ast
import io
import re
import statistics
import tokenize
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from tests.architecture.sources import Function, Source, prose, python

FUNCTION_LINES_MEDIAN_MAX = 8
FUNCTION_LINES_P95_MAX = 30
FUNCTION_LINES_MAX = 50
FILE_LINES_P95_MAX = {"product": 250, "tests": 300}
FILE_LINES_MAX = 400
NAMES_WITHOUT_MEANING = {"utils", "helpers", "common", "misc", "base", "manager", "core"}
MODULES_OF_A_SERVICE = {"__main__", "bootstrap", "config", "usecases", "ports", "domain", "entrypoints", "adapters"}

WAITING = Path("tests/support/waiting.py")
BOTH = pytest.mark.parametrize("part", ["product", "tests"])
_MUTE = re.compile(r"#\s*(?:noqa|type:\s*ignore)")
_CODES = re.compile(r"(?:noqa:\s*|ignore\[)([A-Za-z0-9, -]+?)(?:\]|\s+-\s|\s*$)")
_REASON = re.compile(r"(?:noqa: [A-Z0-9, ]+ - |type: ignore\[[a-z, -]+\] {1,2}# )\S")


def of(part: str) -> tuple[Source, ...]:
    return python(tests=part == "tests")


def p95(numbers: Sequence[int]) -> int:
    return sorted(numbers)[int(len(numbers) * 0.95)]


def length(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


@BOTH
def test_functions_are_short(part: str) -> None:
    lengths = [length(function) for source in of(part) for function in source.functions()]
    assert statistics.median(lengths) <= FUNCTION_LINES_MEDIAN_MAX
    assert p95(lengths) <= FUNCTION_LINES_P95_MAX


@BOTH
def test_no_function_is_long(part: str) -> None:
    long = [f"{s.path}:{f.lineno} {f.name}" for s in of(part) for f in s.functions() if length(f) > FUNCTION_LINES_MAX]
    assert long == []


@BOTH
def test_files_are_short(part: str) -> None:
    assert p95([source.line_count for source in of(part)]) <= FILE_LINES_P95_MAX[part]


@BOTH
def test_no_file_is_long(part: str) -> None:
    assert [f"{s.path}: {s.line_count}" for s in of(part) if s.line_count > FILE_LINES_MAX] == []


@BOTH
def test_every_module_has_a_name_that_says_something(part: str) -> None:
    names = ((s.path, {s.path.stem, s.path.parent.name}) for s in of(part))
    assert [str(path) for path, name in names if name & NAMES_WITHOUT_MEANING] == []


@pytest.mark.parametrize("service", ["intake", "notifier", "registry", "router"])
def test_each_service_has_the_same_modules(service: str) -> None:
    paths = [s.path.parts for s in of("product") if s.path.parts[:2] == ("services", service)]
    names = {parts[2].removesuffix(".py") for parts in paths if len(parts) > 2}
    assert names >= MODULES_OF_A_SERVICE


@BOTH
def test_every_rule_that_is_switched_off_has_its_reason_beside_it(part: str) -> None:
    """Once a file has given the reason for a code, the same code needs none again in that file."""
    assert [place for source in of(part) for place in _without_reason(source)] == []


def _without_reason(source: Source) -> Iterator[str]:
    explained: set[str] = set()
    for token in tokenize.generate_tokens(io.StringIO(source.text).readline):
        if token.type != tokenize.COMMENT or not _MUTE.search(token.string):
            continue
        codes = {code.strip() for found in _CODES.findall(token.string) for code in found.split(",")}
        if _REASON.search(token.string):
            explained |= codes
        elif not codes or codes - explained:
            yield f"{source.path}:{token.start[0]} {token.string}"


def test_no_test_waits_for_time_to_pass() -> None:
    """One helper sleeps, between two looks at a condition with a deadline; `sleep(0)` only lets others run."""
    assert [place for source in of("tests") if source.path != WAITING for place in _sleeps(source)] == []


@pytest.mark.parametrize("text", [
    "import time\nfor _ in range(3):\n    time.sleep(1)",
    "import asyncio\nwhile True:\n    asyncio.sleep(0.1)",
    "from time import sleep\nsleep(2)",
    "from asyncio import sleep as nap\nnap(2)",
    "from tests.support.waiting import dawdle\nasync def test_x():\n    await dawdle(1)",
])  # fmt: skip
def test_a_sleep_is_seen_wherever_it_stands(text: str) -> None:
    assert list(_sleeps(Source(Path("x.py"), text)))
    assert not list(_sleeps(Source(Path("x.py"), "import asyncio\nasyncio.sleep(0)")))


def _sleeps(source: Source) -> Iterator[str]:
    """Calls of a sleep by any name, and a test function that dawdles itself instead of having a peer do so."""
    tree = source.tree
    tests = [node for node in ast.walk(tree) if isinstance(node, Function) and node.name.startswith("test_")]
    own = {id(node) for test in tests for node in _without_inner_functions(test)}
    names = {"sleep", *(alias.asname for alias in _aliases(tree) if alias.name == "sleep" and alias.asname)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if (name in names and ast.unparse(node.args[0]) != "0") or (name == "dawdle" and id(node) in own):
            yield f"{source.path}:{node.lineno}"


def _aliases(tree: ast.Module) -> Iterator[ast.alias]:
    yield from (alias for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) for alias in node.names)


def _without_inner_functions(node: ast.AST) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if not isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            yield child
            yield from _without_inner_functions(child)


@BOTH
def test_every_open_end_has_an_issue_number(part: str) -> None:
    open_end = re.compile(r"# ?(TODO|FIXME|XXX)\b(?!\(#\d+\))")
    assert [str(s.path) for s in of(part) if open_end.search(s.text)] == []


def test_prose_uses_plain_punctuation() -> None:
    assert [str(s.path) for s in prose() if re.search("[\u2014\u201c\u201d\u2019]", s.text)] == []
