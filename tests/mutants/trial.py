"""Whether any test that calls what was changed notices: the most telling first, then the quickest.

All of it runs in a fork of a process that has imported every library and nothing of ours, so what a mutant changes
when it is imported is changed as well, and a run costs the tests alone.
"""

from __future__ import annotations

import importlib
import inspect
import math
import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from types import FrameType

import pytest

from tests.mutants.calls import Watched

PATHS = (
    "tests/unit/agreements", "tests/properties", "tests/unit/registry", "tests/unit/router",
    "tests/seed/changes/test_change_of_a_graph.py",
)  # fmt: skip
OPTIONS = (
    "-x", "-q", "-m", "not stack", "-p", "no:cacheprovider", "--hypothesis-profile=mutants",
    "-W", "ignore::pytest.PytestAssertRewriteWarning",  # the warm process has imported the plugins
)  # fmt: skip
TELLING = 4
Say = Callable[[str], None]
# How much longer than with the source as it is: a test that takes more is one that notices.
TIMES_AS_LONG, SECONDS_MORE, SECONDS_UNKNOWN = 10, 4, 60


@dataclass(slots=True)
class Known:
    """What earlier runs said: seconds of each test on the source as it is, which noticed mutants of this module, and
    how many functions of the core each calls.

    A test that takes longer than `patience` is left out: what the others do not notice is tried again by all of them.
    `among`: the tests, or files of tests, that can notice this one at all; None where any may.
    """

    seconds: Mapping[str, float] = field(default_factory=dict)
    noticed: Counter[str] = field(default_factory=Counter)
    breadth: Mapping[str, int] = field(default_factory=dict)
    patience: float = math.inf
    among: frozenset[str] | None = None

    def limit(self, name: str) -> float:
        """Seconds. A test whose time is not known takes what it takes."""
        return TIMES_AS_LONG * self.seconds.get(name, SECONDS_UNKNOWN) + SECONDS_MORE

    def tried(self, name: str) -> bool:
        """Whether this test is worth its time."""
        calls = self.among is None or name in self.among or name.partition("::")[0] in self.among
        return calls and self.seconds.get(name, 0.0) <= self.patience

    def place(self, name: str) -> tuple[int, float]:
        """Telling ones first, then the quickest and those that are about little else."""
        return -self.noticed[name], self.seconds.get(name, 0.0) * (1 + self.breadth.get(name, 0))


class Noticed(Exception):
    """The name of the test that is red."""


# Runs the tests that are worth it, and tells one that never ends. Raises Noticed.
Run = Callable[[Known, Say], None]


def collect() -> None:
    """Imports all that the tests import."""
    list(_suite([*PATHS, "tests/rules", "--collect-only"], Known(), lambda _: None))


def collected(serve: Callable[[Run], None]) -> None:
    """Serves with everything imported and collected."""
    _case_functions()
    with _silence():
        pytest.main([*OPTIONS, *PATHS], plugins=[_Collected(serve)])


def noticing(known: Known, say: Say, watched: Watched | None = None) -> Iterator[tuple[str, float]]:
    """Each test that was run and its seconds. Raises Noticed; `say` is told a test that never ends."""
    yield from _cases(known, say, watched)
    if not known.seconds:
        yield from _suite(PATHS, known, say, watched)
        return
    worth = [name for name in known.seconds if "::" in name and known.tried(name)]
    # A test that has another name since is none: to ask for it would be red for every mutant.
    telling = [name for name, _ in known.noticed.most_common() if name in worth][:TELLING]
    for paths in (telling, sorted({name.partition("::")[0] for name in worth})):
        if paths:
            yield from _suite(paths, known, say)


def _cases(known: Known, say: Say, watched: Watched | None) -> Iterator[tuple[str, float]]:
    """Cases of one rule each are plain functions, and called as such."""
    found = _case_functions()
    for name in sorted(filter(known.tried, found), key=known.place):
        began = time.process_time()
        with _limited(name, known.limit(name), say), _telling(name), _seen_by(watched, name):
            found[name]()
        yield name, time.process_time() - began


def _case_functions() -> dict[str, Callable[[], None]]:
    """Ours, so imported after the fork."""
    from tests.rules.removal import CASES

    found = {}
    for module in CASES:
        with _telling(f"import of {module}"):
            found.update(_functions(module))
    return found


def _functions(module: str) -> dict[str, Callable[[], None]]:
    members = inspect.getmembers(importlib.import_module(module), inspect.isfunction)
    return {f"{module}.{name}": case for name, case in members if name[:5] == "test_" and case.__module__ == module}


@contextmanager
def _telling(name: str) -> Iterator[None]:
    try:
        yield
    except Exception as fault:
        raise Noticed(name) from fault


def _seen_by(watched: Watched | None, name: str) -> AbstractContextManager[None]:
    return watched.by(name) if watched else nullcontext()


def _suite(paths: Sequence[str], known: Known, say: Say, watched: Watched | None = None) -> Iterator[tuple[str, float]]:
    watch = _Watch(known, say, watched)
    with _silence():
        status = pytest.main([*OPTIONS, *paths], plugins=[watch])
    if status:
        raise Noticed(watch.red or "collection")
    yield from watch.seconds.items()


@contextmanager
def _silence() -> Iterator[None]:
    with open(os.devnull, "w", encoding="utf-8") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        yield


class _Collected:
    """Hands over in place of running what was collected."""

    def __init__(self, serve: Callable[[Run], None]) -> None:
        self._serve = serve

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        self._serve(lambda known, say: _run(session, known, say))
        return True


def _run(session: pytest.Session, known: Known, say: Say) -> None:
    for _ in _cases(known, say, None):
        pass
    watch = _Watch(known, say, None)
    session.config.pluginmanager.register(watch)
    items = list(session.items)
    watch.pytest_collection_modifyitems(items)
    for item, after in zip(items, [*items[1:], None], strict=True):
        session.config.hook.pytest_runtest_protocol(item=item, nextitem=after)
        if watch.red:
            raise Noticed(watch.red)


class _Watch:
    """Orders the tests, limits the time of each, and keeps the name of the red one."""

    def __init__(self, known: Known, say: Say, watched: Watched | None) -> None:
        self._known, self._say, self._watched = known, say, watched
        self._began = 0.0
        self.red = ""
        self.seconds: dict[str, float] = {}

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if self._known.tried(item.nodeid)]
        items.sort(key=lambda item: self._known.place(item.nodeid))

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        began = time.process_time()
        limited = _limited(item.nodeid, self._known.limit(item.nodeid), self._say)
        with limited, _seen_by(self._watched, item.nodeid):
            yield
        self.seconds[item.nodeid] = time.process_time() - began

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_setup(self, item: pytest.Item) -> Iterator[None]:
        with _seen_by(self._watched, item.nodeid.partition("::")[0]):
            yield

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.red = self.red or report.nodeid

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.red = self.red or f"import of {report.nodeid}"


@contextmanager
def _limited(name: str, seconds: float, say: Say) -> Iterator[None]:
    """Ends the process when the test takes more seconds of the processor, or waits for ever."""

    def over(_signal: int, _frame: FrameType | None) -> None:
        say(f"{name} (no end)")
        os._exit(0)

    for clock, number, most in (
        (signal.ITIMER_PROF, signal.SIGPROF, seconds),
        (signal.ITIMER_REAL, signal.SIGALRM, 30 * seconds),
    ):
        signal.signal(number, over)
        signal.setitimer(clock, most)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.setitimer(signal.ITIMER_REAL, 0)
