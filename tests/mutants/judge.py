"""Judges changed sources in forks of one warm process: libraries are imported once, our own code in each fork anew."""

from __future__ import annotations

import importlib
import json
import os
import resource
import sys
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from types import CodeType
from typing import Any

from tests.mutants.calls import Calls, Watched
from tests.mutants.trial import Known, Noticed, collect, noticing

OURS = ("shared", "services", "deploy", "tests")
MEMORY_MAX_BYTES = 6 << 30


@dataclass(frozen=True, slots=True)
class Source:
    """A module of the tree and the text it is to have."""

    path: str
    text: str

    @property
    def module(self) -> str:
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


@dataclass(frozen=True, slots=True)
class Verdict:
    """The test that noticed, or None; `seconds` of each test when none did."""

    noticed_by: str | None
    seconds: dict[str, float]


class NotJudged(Exception):
    """The process ended without a word."""


def warm() -> None:
    """Import here whatever the tests import that is not ours."""
    for name in in_fork(_libraries):
        try:
            importlib.import_module(name)
        except Exception:  # noqa: BLE001, S112 - the name of a part that only its parent can import
            continue
    assert not [name for name in sys.modules if name.startswith("shared.")]


def judged(source: Source | None, known: Known) -> Verdict:
    """Runs the tests on the tree with this source. Raises NotJudged."""
    return Verdict(**in_fork(lambda say: _judge(source, known, say)))


def calls(core: str) -> Calls:
    """Which tests call which functions of the core, on the tree as it is. A few minutes. Raises NotJudged."""
    said: Calls = in_fork(lambda say: _watch(core, say))
    return said


def _watch(core: str, say: Callable[[Any], None]) -> None:
    watched = Watched(Path.cwd(), core)
    watched.begin()
    for _ in noticing(Known(), say, watched):
        pass
    say(watched.said())


def _libraries(say: Callable[[Any], None]) -> None:
    collect()
    say([name for name in sys.modules if name.partition(".")[0] not in OURS])


def _judge(source: Source | None, known: Known, say: Callable[[Any], None]) -> None:
    bounded()
    if source:
        sys.meta_path.insert(0, _Changed(source))
    try:
        seconds = dict(noticing(known, lambda name: say({"noticed_by": name, "seconds": {}})))
    except Noticed as red:
        say({"noticed_by": str(red), "seconds": {}})
    else:
        _assert_own_tree()
        say({"noticed_by": None, "seconds": seconds})


def bounded() -> None:
    """A change may make a test ask for all memory there is."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_MAX_BYTES, MEMORY_MAX_BYTES))


def _assert_own_tree() -> None:
    """What was judged is the copy, and not a tree that is installed beside it."""
    shared = sys.modules["shared.agreements"].__file__
    assert Path(str(shared)).is_relative_to(Path.cwd()), shared


class _Changed(MetaPathFinder):
    """Serves one module with another text; every other module is imported as it is."""

    def __init__(self, source: Source) -> None:
        self._source, self._path = source, Path.cwd() / source.path

    def find_spec(self, fullname: str, *_: object) -> ModuleSpec | None:
        if fullname != self._source.module:
            return None
        inside = [str(self._path.parent)] if self._path.name == "__init__.py" else None
        loader = _Loader(fullname, str(self._path), self._source.text)
        return spec_from_file_location(fullname, self._path, loader=loader, submodule_search_locations=inside)


class _Loader(SourceFileLoader):
    """Finds beside the module what its file finds, but reads this text."""

    def __init__(self, fullname: str, path: str, text: str) -> None:
        super().__init__(fullname, path)
        self._text = text

    def get_code(self, fullname: str) -> CodeType:
        return compile(self._text, self.get_filename(fullname), "exec")


def in_fork(work: Callable[[Callable[[Any], None]], None]) -> Any:
    """What the work says in a fork of this process. Raises NotJudged."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        _work_and_end(work, reading, writing)
    os.close(writing)
    with open(reading, "rb") as pipe:
        said = pipe.read()
    _, status = os.waitpid(child, 0)
    if not said:
        raise NotJudged(f"ended with {os.waitstatus_to_exitcode(status)}")
    return json.loads(said)


def _work_and_end(work: Callable[[Callable[[Any], None]], None], reading: int, writing: int) -> None:
    os.close(reading)
    try:
        work(lambda said: _write(writing, said))
    except BaseException:  # noqa: BLE001 - nobody else would say it
        traceback.print_exc(file=sys.__stderr__)
    finally:
        os._exit(0)


def _write(pipe: int, said: Any) -> None:
    text = json.dumps(said).encode()
    while text:
        text = text[os.write(pipe, text) :]


def planted(path: str, text: str) -> Iterator[tuple[str, Source, bool]]:
    """Changes of which it is known whether a test notices, and whether."""
    yield "a name that nobody reads", Source(path, f"{text}\n_UNREAD = 1\n"), False
    yield "a module that does not come up", Source(path, f"{text}\nraise ArithmeticError\n"), True
