"""A process in which all of ours is imported and every test collected: what a change within functions does is seen in
a fork of it, for the price of the tests alone. For what is done on import all is imported anew: see `judge`.
"""

from __future__ import annotations

import ast
import gc
import os
from collections.abc import Callable, Iterator
from functools import partial
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tests.mutants.calls import Calls, callers
from tests.mutants.inplace import Functions
from tests.mutants.judge import NotJudged, Source, Verdict, bounded, in_fork, judged
from tests.mutants.trial import Known, Noticed, Run, collected


class Ready:
    """Judges changes, the quicker way where that can be. From a process that has imported nothing of ours."""

    def __init__(self, core: str) -> None:
        self._line, theirs = Pipe()
        if not os.fork():
            self._line.close()
            _serve(theirs, Path.cwd() / core)
        theirs.close()

    def judged(self, source: Source, before: str, known: Known) -> Verdict:
        """Runs the tests that are worth it on the tree with this source. Raises NotJudged."""
        if known.among is None:
            return judged(source, known)
        self._line.send((source, before, known))
        said = self._line.recv()
        if isinstance(said, NotJudged):
            raise said
        return Verdict(**said) if said else judged(source, known)


def planted(path: str, text: str, calls: Calls) -> Iterator[tuple[Source, frozenset[str], bool]]:
    """Changes in the first function that only tests call, by whom it is called, and whether one of them notices."""
    for node in ast.parse(text).body:
        among = callers(calls, path, text, node.lineno) if isinstance(node, ast.FunctionDef) else None
        if among and isinstance(node, ast.FunctionDef):
            at = sum(len(line) for line in text.splitlines(keepends=True)[: node.body[-1].lineno - 1])
            for statement, noticed in (("raise ArithmeticError", True), ("(lambda: 0)()", False)):
                yield Source(path, f"{text[:at]}    {statement}\n{text[at:]}"), among, noticed
            return


def _serve(line: Connection, core: Path) -> None:
    try:
        collected(lambda run: _answer(line, Functions(core), run))
    finally:
        os._exit(0)


def _answer(line: Connection, functions: Functions, run: Run) -> None:
    gc.collect()
    gc.freeze()
    while True:
        try:
            asked = line.recv()
        except EOFError:
            return
        try:
            line.send(in_fork(partial(_judge, functions, run, *asked)))
        except NotJudged as fault:
            line.send(fault)


def _judge(
    functions: Functions, run: Run, source: Source, before: str, known: Known, say: Callable[[Any], None]
) -> None:
    """Says None where functions alone do not make the change."""
    bounded()
    if not functions.change(Path.cwd() / source.path, before, source.text):
        say(None)
        return
    try:
        run(known, lambda name: say({"noticed_by": name, "seconds": {}}))
    except Noticed as red:
        say({"noticed_by": str(red), "seconds": {}})
    else:
        say({"noticed_by": None, "seconds": {}})
