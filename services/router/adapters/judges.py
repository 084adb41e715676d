"""Judges over graphs that follow one another: what a commit does not touch is taken over from the judge before."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import orjson

from services.router.domain.policy import Judge
from services.router.domain.replica import Replica
from services.router.usecases.graph import packed
from shared.agreements import Snapshot
from shared.agreements.fast import Decider
from shared.agreements.load import Checked, check_change, read, reread, roster_of
from shared.canonical import canonical
from shared.graphcopy import GraphCopy
from shared.graphrows import GraphRows

REREAD_SHARE = 10
"""A graph of which more than one object in so many is another is read anew."""


class _Read(NamedTuple):
    copy: GraphCopy
    base: Checked
    snapshot: Snapshot
    decider: Decider


class JudgeMaker:
    """Reads a graph whose root is verified into a judge; the last one read is kept."""

    def __init__(self, *, memo_bytes_max: int) -> None:
        self._memo_bytes_max = memo_bytes_max
        self._last: _Read | None = None

    def __call__(self, replica: Replica) -> Judge:
        """The judge of a graph. Raises GraphInvalid with every problem of what is another than in the last one."""
        last, copy = self._last, packed(replica.bodies)
        changed = copy.since(last.copy) if last else {}
        if last and len(copy) >= len(last.copy) and len(changed) * REREAD_SHARE <= len(copy):
            self._last = made = _follow(last, copy, replica, [orjson.loads(body) for body in changed.values()])
        else:
            self._last = made = _begin(copy, replica, last.decider.spoken() if last else ())
        return Judge(made.snapshot, canonical, memo_bytes_max=self._memo_bytes_max, decider=made.decider)


def _begin(copy: GraphCopy, replica: Replica, expected: Iterable[str]) -> _Read:
    rows = GraphRows(copy)
    base = Checked(rows, roster_of(rows))
    snapshot = Snapshot(read(base), replica.head.version, replica.head.root)
    return _Read(copy, base, snapshot, Decider(snapshot, expected))


def _follow(last: _Read, copy: GraphCopy, replica: Replica, changed: list[dict[str, object]]) -> _Read:
    check_change(last.base, changed)
    base = last.base.after(GraphRows(copy), changed)
    graph = reread(last.snapshot.graph, base, changed)
    snapshot = last.snapshot.after(graph, replica.head.version, replica.head.root, changed)
    return _Read(copy, base, snapshot, last.decider.after(snapshot, changed))
