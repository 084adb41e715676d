"""Takes one rule out of the evaluator's source, imports the rest afresh, and runs the cases against it."""

from __future__ import annotations

import ast
import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

CORE = "shared.agreements"
HERE = Path(__file__).resolve().parent
CASES = tuple(f"tests.rules.{path.stem}" for path in sorted(HERE.glob("test_*.py")))


class NoSuchRule(LookupError):
    """The catalogue names something that the source does not hold (or holds twice)."""


@dataclass(frozen=True, slots=True)
class Drop:
    """Leave one element out of a tuple of rules that the module defines."""

    rules: str
    element: str

    def apply(self, source: str) -> ast.Module:
        tree = ast.parse(source)
        for node in tree.body:
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == self.rules:
                assert isinstance(node.value, ast.Tuple)
                kept = [item for item in node.value.elts if ast.unparse(item) != self.element]
                if len(kept) == len(node.value.elts) - 1:
                    node.value.elts = kept
                    return tree
        raise NoSuchRule(f"{self.element} in {self.rules}")


@dataclass(frozen=True, slots=True)
class Instead:
    """Let a function (or `Class.method`) answer this expression and nothing else."""

    function: str
    answer: str

    def apply(self, source: str) -> ast.Module:
        tree = ast.parse(source)
        scope: Sequence[ast.stmt] = tree.body
        for name in self.function.split("."):
            found = _named(scope, name)
            scope = found.body
        if not isinstance(found, ast.FunctionDef):
            raise NoSuchRule(self.function)
        found.body = [ast.Return(ast.parse(self.answer, mode="eval").body)]
        return ast.fix_missing_locations(tree)


def _named(scope: Sequence[ast.stmt], name: str) -> ast.FunctionDef | ast.ClassDef:
    for node in scope:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name == name:
            return node
    raise NoSuchRule(name)


@dataclass(frozen=True, slots=True)
class Swap:
    """Put other words in the place of these, which stand in the source once."""

    old: str
    new: str

    def apply(self, source: str) -> ast.Module:
        if source.count(self.old) != 1:
            raise NoSuchRule(f"{source.count(self.old)} times: {self.old}")
        return ast.parse(source.replace(self.old, self.new))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule by the name that a reader knows it by, and how to take it out of its module."""

    name: str
    module: str
    change: Drop | Instead | Swap


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of the cases without the rule.

    Red are those whose statement turned out false. A case that any other exception ends proves nothing: the removal
    took out a piece of the program that the evaluator stumbles over, and the case says only that it stumbled.
    """

    rule: str
    red: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()
    total: int = field(default=0)

    @property
    def holds(self) -> bool:
        """Some case states the rule, and the removal took out one rule rather than the evaluator."""
        return bool(self.red) and len(self.red) + len(self.broken) <= self.total // 2


def without(rule: Rule) -> Outcome:
    """Run every case without the rule. Raises NoSuchRule when the catalogue and the source have parted."""
    with _fresh_imports(_Mutant(f"{CORE}.{rule.module}", rule.change)):
        return _run(rule.name)


def as_it_stands() -> Outcome:
    """Run every case on the whole evaluator: all must be green before a removal can say anything."""
    with _fresh_imports(None):
        return _run("(nothing removed)")


class _Mutant(MetaPathFinder, Loader):
    """Serves one module from changed source; every other module is imported as it is."""

    def __init__(self, module: str, change: Drop | Instead | Swap) -> None:
        self._module = module
        spec = importlib.util.find_spec(module)
        if spec is None or spec.origin is None:
            raise NoSuchRule(module)
        self._origin = spec.origin
        self._tree = change.apply(Path(spec.origin).read_text(encoding="utf-8"))

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        return importlib.util.spec_from_loader(fullname, self) if fullname == self._module else None

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self._tree, self._origin, "exec"), module.__dict__)  # noqa: S102 - our own source


@contextmanager
def _fresh_imports(mutant: _Mutant | None) -> Iterator[None]:
    kept = {name: module for name, module in sys.modules.items() if _ours(name)}
    _forget()
    if mutant:
        sys.meta_path.insert(0, mutant)
    try:
        yield
    finally:
        if mutant:
            sys.meta_path.remove(mutant)
        _forget()
        sys.modules.update(kept)


def _forget() -> None:
    for name in [name for name in sys.modules if _ours(name)]:
        del sys.modules[name]


def _ours(name: str) -> bool:
    return name == CORE or name.startswith((f"{CORE}.", "tests.rules.small", "tests.rules.test_"))


def _run(rule: str) -> Outcome:
    red, broken, total = [], [], 0
    for module in map(importlib.import_module, CASES):
        for name, case in inspect.getmembers(module, inspect.isfunction):
            if not name.startswith("test_") or case.__module__ != module.__name__:
                continue
            total += 1
            try:
                case()
            except AssertionError:
                red.append(name)
            except Exception:  # noqa: BLE001 - whatever a crippled evaluator stumbles over
                broken.append(name)
    return Outcome(rule, tuple(red), tuple(broken), total)
