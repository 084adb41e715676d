"""Which functions of the core each test calls: what a test never calls, it cannot notice a change of.

What is called while modules are imported counts for every test, what a fixture calls for every test of its file. What
is remembered from one test to the next is forgotten in between, or only the first that asked would be seen to call it.
"""

from __future__ import annotations

import ast
import functools
import sys
import threading
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

IMPORT = ""

# By path and first line of the function: the tests, or files of tests, that call it.
Calls = Mapping[str, Mapping[str, Sequence[str]]]


@dataclass(slots=True)
class Watched:
    """Notes who calls what of the core under this tree; only in a fork of its own, since it never stops."""

    tree: Path
    core: str
    now: str = IMPORT
    _seen: dict[str, dict[int, set[str]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(set)))
    _forget: list[Callable[[], None]] = field(default_factory=list)

    def begin(self) -> None:
        """From here on every call counts. Before anything of ours is imported."""
        self._note_what_is_remembered()
        threading.settrace(self._called)
        sys.settrace(self._called)

    @contextmanager
    def by(self, name: str) -> Iterator[None]:
        """What is called meanwhile, this one calls, with nothing remembered."""
        for forget in self._forget:
            forget()
        before, self.now = self.now, name
        try:
            yield
        finally:
            self.now = before

    def said(self) -> Calls:
        """See `Calls`."""
        return {path: {str(at): sorted(who) for at, who in lines.items()} for path, lines in self._seen.items()}

    def _called(self, frame: FrameType, event: str, _: object) -> None:
        code = frame.f_code
        if event == "call" and code.co_filename.startswith(f"{self.tree}/{self.core}/"):
            path = code.co_filename.removeprefix(f"{self.tree}/")
            self._seen[path][code.co_firstlineno].add(self.now)

    def _note_what_is_remembered(self) -> None:
        """`functools.cache` goes through `functools.lru_cache`."""
        plain: Callable[..., Any] = functools.lru_cache

        def noted(*args: Any, **options: Any) -> Any:
            made = plain(*args, **options)
            return kept(made) if hasattr(made, "cache_clear") else lambda function: kept(made(function))

        def kept(remembering: Any) -> Any:
            self._forget.append(remembering.cache_clear)
            return remembering

        functools.lru_cache = noted


def breadth(calls: Calls) -> Counter[str]:
    """How many functions of the core each test calls."""
    return Counter(who for lines in calls.values() for whose in lines.values() for who in whose)


def callers(calls: Calls, path: str, text: str, line: int) -> frozenset[str] | None:
    """The tests, or files of tests, that call the outermost function with this line; None where any may notice."""
    if path not in calls:
        return None
    for first, last in _functions(ast.parse(text).body):
        if first <= line <= last:
            found = frozenset(who for at, whose in calls[path].items() if first <= int(at) <= last for who in whose)
            return None if IMPORT in found else found
    return None


def _functions(body: Sequence[ast.stmt]) -> Iterator[tuple[int, int]]:
    """First and last line of each function and method, decorators included."""
    for node in body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield min([node.lineno, *(each.lineno for each in node.decorator_list)]), node.end_lineno or node.lineno
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node.body)
