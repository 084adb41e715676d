"""Fixtures of all levels: the engines start only for the tests that ask for them.

Properties take a few examples each, so that the unit level stays within seconds, and the same ones each time, so that
`make check` says the same twice. `--hypothesis-profile=nightly` (`make properties`) looks much harder, and elsewhere.

`make test` shares the files out to two processes, each with engines of its own. Files that need engines go first: what
is left at the end is short, so that neither process waits long for the other.
"""

import gc
from collections import Counter, defaultdict
from pathlib import Path

import pytest
from hypothesis import Phase, settings

pytest_plugins = ["tests.support.stack"]

settings.register_profile("quick", max_examples=10, deadline=None, derandomize=True)
settings.register_profile("nightly", max_examples=10_000, deadline=None)
# The same examples for each change of the source; which of them is the smallest is of no interest.
_LOOKING = (Phase.explicit, Phase.generate)
settings.register_profile("mutants", max_examples=10, deadline=None, database=None, derandomize=True, phases=_LOOKING)
settings.load_profile("quick")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files with tests that need engines first, else in order."""
    with_engines = {item.path for item in items if item.get_closest_marker("stack")}
    items.sort(key=lambda item: item.path not in with_engines)


def pytest_collection_finish() -> None:
    """What collecting has made stays to the end: no later round of the garbage collector looks at it again."""
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many tests each level has, and how many seconds they took in their process."""
    count, seconds = Counter[str](), defaultdict[str, float](float)
    reports = (report for those in terminalreporter.stats.values() for report in those)
    for report in (report for report in reports if isinstance(report, pytest.TestReport)):
        level = Path(report.nodeid).parts[1]
        count[level] += report.when == "call"
        seconds[level] += report.duration
    if len(count) > 1:
        terminalreporter.section("levels")
        for level in sorted(count, key=lambda level: -seconds[level]):
            terminalreporter.line(f"{level:<13}{count[level]:>5} tests{seconds[level]:>8.1f} s")
