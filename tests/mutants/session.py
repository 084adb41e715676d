"""The mutants of one module: Cosmic Ray makes them and keeps what became of each, so that a run may be broken off."""

from __future__ import annotations

import ast
import hashlib
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from difflib import unified_diff
from pathlib import Path

from cosmic_ray.commands.init import init
from cosmic_ray.mutating import mutate_code
from cosmic_ray.plugins import get_operator
from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import MutationSpec, TestOutcome, WorkerOutcome, WorkItem, WorkResult

from tests.mutants.calls import Calls, callers
from tests.mutants.judge import NotJudged, Source
from tests.mutants.justified import reason_for
from tests.mutants.ready import Ready
from tests.mutants.trial import Known

# No mutant: starred arguments (`*`), arithmetic on sets, which Python refuses anyway, and `is` for `==` or the reverse,
# which are one for members of enumerations and for interned words. Nor is another annotation (`|`): see `_plain`.
NOT_TRIED = re.compile(
    r"core/(ReplaceComparisonOperator_(Is_Eq|IsNot_NotEq|Eq_Is|NotEq_IsNot)"
    r"|ReplaceBinaryOperator_Mul_.*"
    r"|ReplaceBinaryOperator_Bit(And|Or)_(Add|Div|FloorDiv|LShift|RShift|Mod|Mul|Pow|Sub)"
    r"|RemoveDecorator)"
)


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change of one line; `noticed_by` is None where no test is red."""

    path: str
    line: int
    change: str
    noticed_by: str | None

    @property
    def justified(self) -> str | None:
        """By file and change, not by line: lines move."""
        return reason_for(self.path, self.change)


@dataclass(frozen=True, slots=True)
class Session:
    """A module of the copied tree, and the file in which its mutants are kept."""

    tree: Path
    path: str
    folder: Path

    @property
    def text(self) -> str:
        return (self.tree / self.path).read_text(encoding="utf-8")

    @property
    def file(self) -> Path:
        """Another one as soon as the source is another."""
        digest = hashlib.sha256(self.text.encode()).hexdigest()[:12]
        return self.folder / f"{self.path.replace('/', '.')}.{digest}.sqlite"

    def try_pending(self, ready: Ready, known: Known, calls: Calls, percent: int = 100) -> Iterator[Mutant]:
        """Judges what is not judged yet or goes unnoticed without a reason, of a sample; keeps each verdict at once."""
        known = replace(known, noticed=Counter())
        with self._open() as db:
            for _, result in db.completed_work_items:
                known.noticed.update([result.output] if result.output else [])
            retried = [item for item, result in db.completed_work_items if self._is_open(result)]
            for item in (*db.pending_work_items, *retried):
                if not _is_of(item, percent):
                    continue
                spec = item.mutations[0]
                among = callers(calls, self.path, self.text, spec.start_pos[0])
                result = _tried(ready, self.path, self.text, spec, replace(known, among=among))
                db.set_result(item.job_id, result)
                if result.worker_outcome == WorkerOutcome.NORMAL:
                    known.noticed.update([result.output] if result.output else [])
                    yield _mutant(self.path, spec, result)

    def _is_open(self, result: WorkResult) -> bool:
        """Whether no test noticed what has no reason to go unnoticed."""
        survived = result.worker_outcome == WorkerOutcome.ABNORMAL or bool(result.test_outcome == TestOutcome.SURVIVED)
        return survived and reason_for(self.path, result.diff or "") is None

    def mutants(self, percent: int = 100) -> list[Mutant]:
        """What has been judged so far, by line; of a sample."""
        with self._open() as db:
            done = [
                _mutant(self.path, item.mutations[0], result)
                for item, result in db.completed_work_items
                if result.worker_outcome == WorkerOutcome.NORMAL and _is_of(item, percent)
            ]
        return sorted(done, key=lambda mutant: (mutant.line, mutant.change))

    def pending(self, percent: int = 100) -> int:
        with self._open() as db:
            return sum(_is_of(item, percent) for item in db.pending_work_items)

    @contextmanager
    def _open(self) -> Iterator[WorkDB]:
        """The session as it was left, or a new one."""
        new = not self.file.exists()
        with use_db(str(self.file), WorkDB.Mode.create) as db:
            if new:
                init([self.tree / self.path], db, {})
                others = [row.job_id for row in db.work_items if NOT_TRIED.match(row.mutations[0].operator_name)]
                db.set_multiple_results(others, WorkResult(worker_outcome=WorkerOutcome.SKIPPED))
            yield db


def _is_of(item: WorkItem, percent: int) -> bool:
    """Whether a mutant is of the sample of so many in a hundred."""
    spec = item.mutations[0]
    name = f"{spec.module_path.name} {spec.operator_name} {spec.occurrence}".encode()
    return int.from_bytes(hashlib.sha256(name).digest()[:4], "big") % 100 < percent


def _tried(ready: Ready, path: str, text: str, spec: MutationSpec, known: Known) -> WorkResult:
    changed = mutate_code(text, get_operator(spec.operator_name)(**spec.operator_args), spec.occurrence)
    if changed is None or _plain(changed) == _plain(text):
        return WorkResult(worker_outcome=WorkerOutcome.SKIPPED)
    diff = " ".join(_changed(text, changed))
    try:
        verdict = ready.judged(Source(path, changed), text, known)
    except NotJudged as fault:
        return WorkResult(WorkerOutcome.ABNORMAL, diff=f"{diff} {fault}")
    outcome = TestOutcome.KILLED if verdict.noticed_by else TestOutcome.SURVIVED
    return WorkResult(WorkerOutcome.NORMAL, output=verdict.noticed_by, test_outcome=outcome, diff=diff)


def _mutant(path: str, spec: MutationSpec, result: WorkResult) -> Mutant:
    return Mutant(path, spec.start_pos[0], result.diff or "", result.output)


def _changed(before: str, after: str) -> Iterator[str]:
    """The lines taken out and put in, without the heads of the files."""
    for row in unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm=""):
        if row[:1] in "+-" and row[:3] not in ("+++", "---"):
            yield " ".join(f"{row[0]} {row[1:]}".split())


class _WithoutAnnotations(ast.NodeTransformer):
    """Annotations are never evaluated here: what differs in them alone is the same program."""

    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)


def _plain(text: str) -> str:
    """The program without its annotations; what cannot be read is a program of its own."""
    try:
        return ast.dump(_WithoutAnnotations().visit(ast.parse(text)))
    except SyntaxError:
        return text
