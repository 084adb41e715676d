"""`python -m tests.mutants [--quick] [--sample=PERCENT] [MODULE…]`: changes the source operator by operator.

Cosmic Ray makes the mutants; each is judged by the tests that call what was changed, on a copy of the tree, in a fork
of a process in which all is collected, or where more than a function differs, of a warm one. A run that is broken off
goes on where it was: `build/mutants` keeps what was judged, by module and by what the module says, and what no test
noticed is tried again. `--quick`: by the quick tests alone, which can only lower the score. `--sample`: so many in a
hundred of each module, always the same ones, for an estimate. Prints the score, and each mutant that no test notices
with its place; those of `justified` change nothing that can be seen. Fails below the score that the house asks for.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from tests.mutants.calls import Calls, breadth
from tests.mutants.judge import calls, judged, planted, warm
from tests.mutants.ready import Ready
from tests.mutants.ready import planted as planted_inside
from tests.mutants.session import Mutant, Session
from tests.mutants.trial import Known

ROOT = Path(__file__).resolve().parents[2]
CORE = "shared/agreements"
KEPT = ROOT / "build/mutants"
SCORE_MIN_PERCENT = 95
WORKERS = min(2, os.cpu_count() or 1)
PARTS = ("shared", "services", "deploy", "tests", "docs", "pyproject.toml", "Makefile", "README.md")
SAY_EACH = 20
QUICK, QUICK_SECONDS = "--quick", 0.15
SAMPLE = "--sample="


def main(argv: Sequence[str]) -> int:
    """0 when the score is reached, else 1."""
    modules = [name for name in argv if not name.startswith("--")]
    percent = next((int(name.removeprefix(SAMPLE)) for name in argv if name.startswith(SAMPLE)), 100)
    KEPT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder).resolve()
        _copy(tree)
        os.chdir(tree)
        sys.path.insert(0, str(tree))
        sessions = sorted((Session(tree, path, KEPT) for path in modules or _all_modules()), key=_length, reverse=True)
        warm()
        known = _as_it_stands(sessions[0])
        asked = replace(known, patience=QUICK_SECONDS) if QUICK in argv else known
        called = _calls(tree)
        _work(sessions, replace(asked, breadth=breadth(called)), called, percent)
        return _report(sessions, percent)


def _all_modules() -> list[str]:
    return sorted(str(path.relative_to(ROOT)) for path in (ROOT / CORE).rglob("*.py"))


def _length(session: Session) -> int:
    """So that the workers have about as much to do."""
    return len(session.text)


def _copy(tree: Path) -> None:
    """What a run reads does not change under it."""
    ignored = shutil.ignore_patterns("__pycache__", "*.sqlite", "node_modules")
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, tree / part, ignore=ignored)
        else:
            shutil.copy(ROOT / part, tree / part)


def _calls(tree: Path) -> Calls:
    """As long as no source is another, they are those of the last time."""
    found = sorted(path for part in ("shared", "services", "tests") for path in (tree / part).rglob("*.py"))
    sources = [path for path in found if path.parent.name != "mutants"]
    digest = hashlib.sha256(b"".join(str(path.relative_to(tree)).encode() + path.read_bytes() for path in sources))
    file = KEPT / f"calls.{digest.hexdigest()[:12]}.json"
    if not file.exists():
        file.write_text(json.dumps(calls(CORE)), encoding="utf-8")
    said: Calls = json.loads(file.read_text(encoding="utf-8"))
    return said


def _as_it_stands(session: Session) -> Known:
    """How long each test takes. Before anything is judged, the judge is: by changes of which the verdict is known."""
    plain = judged(None, Known())
    assert plain.noticed_by is None, f"red without a change: {plain.noticed_by}"
    known = Known(plain.seconds)
    for name, source, noticed in planted(session.path, session.text):
        verdict = judged(source, known)
        assert (verdict.noticed_by is not None) is noticed, f"{name}: {verdict.noticed_by}"
    (KEPT / "seconds.json").write_text(json.dumps(known.seconds, indent=1), encoding="utf-8")
    sys.stdout.write(f"{len(known.seconds)} tests, {sum(known.seconds.values()):.0f} s; the judge judges aright\n")
    sys.stdout.flush()
    return known


def _work(sessions: Sequence[Session], known: Known, called: Calls, percent: int) -> None:
    """Each worker takes every so many-th module; all of them fork from this warm process."""
    workers = []
    for number in range(WORKERS):
        if worker := os.fork():
            workers.append(worker)
            continue
        ready = Ready(CORE)
        try:
            _assert_aright(ready, sessions, known, called)
            for session in sessions[number::WORKERS]:
                _try(ready, session, known, called, percent)
        except KeyboardInterrupt:
            pass
        finally:
            sys.stdout.flush()
            os._exit(0)
    for worker in workers:
        os.waitpid(worker, 0)


def _assert_aright(ready: Ready, sessions: Sequence[Session], known: Known, called: Calls) -> None:
    """The quicker judge is judged as well."""
    for session in sessions:
        for source, among, noticed in planted_inside(session.path, session.text, called):
            verdict = ready.judged(source, session.text, replace(known, among=among))
            assert (verdict.noticed_by is not None) is noticed, f"{source.path}: {verdict.noticed_by}"
            if not noticed:
                return


def _try(ready: Ready, session: Session, known: Known, called: Calls, percent: int) -> None:
    began, left = time.monotonic(), session.pending(percent)
    for number, mutant in enumerate(session.try_pending(ready, known, called, percent), 1):
        if not mutant.noticed_by and not mutant.justified:
            sys.stdout.write(f"  {_line(mutant)}\n")
        if number % SAY_EACH == 0:
            each = (time.monotonic() - began) / number
            sys.stdout.write(f"{session.path} {number} of about {left}, {each * (left - number):.0f} s to go\n")
        sys.stdout.flush()


def _line(mutant: Mutant) -> str:
    return f"{mutant.path}:{mutant.line} {mutant.change}"


def _report(sessions: Sequence[Session], percent: int) -> int:
    everything: list[Mutant] = []
    for session in sessions:
        mutants = session.mutants(percent)
        everything += mutants
        sys.stdout.write(f"{session.path:40} {_score(mutants)}\n")
        if left := session.pending(percent):
            sys.stdout.write(f"  {left} not judged yet\n")
    unseen = [mutant for mutant in everything if not mutant.noticed_by]
    for mutant in unseen:
        sys.stdout.write(f"{_line(mutant)}\n  {mutant.justified or 'NO TEST NOTICES'}\n")
    sys.stdout.write(f"{_score(everything)}\n")
    open_ones = [mutant for mutant in unseen if not mutant.justified]
    return 1 if open_ones or len(everything) - len(unseen) < SCORE_MIN_PERCENT / 100 * len(everything) else 0


def _score(mutants: Sequence[Mutant]) -> str:
    unseen = [mutant for mutant in mutants if not mutant.noticed_by]
    justified = sum(1 for mutant in unseen if mutant.justified)
    score = 100 * (len(mutants) - len(unseen)) / max(1, len(mutants))
    return f"{len(mutants)} mutants, {len(unseen)} not noticed ({justified} justified), score {score:.1f} %"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
