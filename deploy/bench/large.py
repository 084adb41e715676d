"""A graph of 10,000 organisations and 100,000 agreements in a router: how long, and how much memory.

`python -m deploy.bench.large` measures in a process of its own, so that the memory is this graph's alone, and prints
the figures as JSON. `concordat bench --graph` shows them as rows.
"""

from __future__ import annotations

import asyncio
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil

from deploy.bench.coverage import COVERAGE_BUDGET_SECONDS, coverage_rows
from deploy.bench.decisions import asked_by_the_hub, decision_rows, figures_of
from deploy.bench.following import following_figures, following_rows
from deploy.bench.graphs import LARGE, Size, synthetic
from deploy.bench.rows import Row
from services.registry.domain.model import Commit, GraphObject
from services.registry.domain.packed import PackedObjects
from services.registry.domain.policy import defects, defects_of
from services.registry.entrypoints.lines import Framed
from services.registry.usecases import as_object
from services.registry.usecases.graph import Graph
from services.router.adapters.judges import JudgeMaker
from services.router.adapters.registry import replica_of
from services.router.domain.model import Head
from services.router.domain.replica import Replica
from services.router.usecases.graph import put_in
from shared.agreements import Snapshot, load
from shared.canonical import canonical
from shared.clock import SystemClock
from shared.graphcopy import GraphCopy
from shared.graphroot import object_key
from shared.service import GC_THRESHOLDS

ROUNDS = 5
COMMITS = 15
PIECE_BYTES = 1_000_000
SNAPSHOT_SECONDS, SNAPSHOT_MB, COMMIT_MS, IMPORT_SECONDS = 3, 200, 100, 60
Figures = dict[str, float]


def measure(size: Size) -> Figures:
    """The figures of a graph of that size. Makes it in another process, so that nothing of the making is left."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "graph.gz"
        asyncio.run(_make(size, file))
        return {**_in_router(file), **_in_registry(file), **_coverage(file)}


async def measured(size: Size = LARGE) -> Figures:
    """The same, in a process of its own."""
    arguments = ["-m", "deploy.bench.large", str(size.organisations), str(size.agreements)]
    child = await asyncio.create_subprocess_exec(sys.executable, *arguments, stdout=asyncio.subprocess.PIPE)
    out, _ = await child.communicate()
    if child.returncode:
        raise RuntimeError(f"the graph could not be measured: exit code {child.returncode}")
    figures: Figures = json.loads(out)
    return figures


def graph_rows(figures: Figures) -> Iterator[Row]:
    """The figures beside their budgets."""
    yield Row("graph: objects", figures["objects"], "objects")
    yield Row("graph: lines to a judge", figures["snapshot_seconds"], "s", SNAPSHOT_SECONDS)
    yield Row("graph: memory of the snapshot", figures["snapshot_mb"], "MB", SNAPSHOT_MB)
    yield Row("graph: a commit in a router", figures["commit_ms"], "ms", COMMIT_MS)
    yield from decision_rows(figures)
    yield from following_rows(figures)
    yield Row("graph: a commit checked, rooted", figures["registry_commit_ms"], "ms", COMMIT_MS)
    yield Row("graph: everything checked", figures["check_seconds"], "s", IMPORT_SECONDS)
    yield Row("coverage: the whole graph", figures["coverage_seconds"], "s", COVERAGE_BUDGET_SECONDS)
    yield Row("coverage: bodies and categories", figures["coverage_cells"], "cells")
    yield Row("coverage: who cannot be told", figures["coverage_gaps"], "gaps")


def _in_router(file: Path) -> Figures:
    """From the bytes of `GET /v1/graph` to a judge; then commits, one after the other."""
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)  # as in every service
    pieces = _pieces(file)
    before = _memory_mb()
    replica = replica_of(pieces)
    maker = JudgeMaker(memo_bytes_max=0)
    maker(replica)
    gc.collect()
    held = _memory_mb() - before
    times = [_seconds(lambda: JudgeMaker(memo_bytes_max=0)(_sound(replica_of(pieces)))) for _ in range(ROUNDS)]
    decisions = figures_of(maker(replica).decider)
    following = following_figures(replica, maker, asked_by_the_hub())
    commits = list(_commits(replica, maker))
    return {
        **decisions,
        **following,
        "objects": len(replica.bodies),
        "snapshot_seconds": statistics.median(times),
        "snapshot_mb": held,
        "commit_ms": statistics.median(commits) * 1000,
    }


def _commits(replica: Replica, maker: JudgeMaker) -> Iterator[float]:
    """Half of them change an agreement, half add one."""
    for number in range(COMMITS):
        row = _changed(replica, number)
        began = time.perf_counter()
        bodies, root = put_in(replica.bodies, {object_key(row): canonical(row)})
        replica = Replica(Head(replica.head.version + 1, root), bodies)
        maker(replica)
        yield time.perf_counter() - began


def _in_registry(file: Path) -> Figures:
    replica = replica_of(_pieces(file))
    copy = replica.bodies
    assert isinstance(copy, GraphCopy)  # noqa: S101 - what the adapter gives
    packed = PackedObjects(copy)
    check_seconds = _check_seconds(packed)
    _ = packed.known
    items = [as_object(_changed(replica, number)) for number in range(COMMITS)]
    times = [_seconds(partial(_commit, packed, item)) for item in items]
    return {"check_seconds": check_seconds, "registry_commit_ms": statistics.median(times) * 1000}


def _coverage(file: Path) -> Figures:
    """Every originator and category, after the graph has been read; reading it is no part of the figure."""
    bodies = replica_of(_pieces(file)).bodies
    seconds, cells, gaps = coverage_rows(Snapshot(load([json.loads(body) for body in bodies.values()]), 1, ""))
    return {"coverage_seconds": seconds.value, "coverage_cells": cells.value, "coverage_gaps": gaps.value}


def _commit(packed: PackedObjects, item: GraphObject) -> str:
    """What the registry does of a commit before it stores it."""
    found = defects_of(packed, [item])
    return packed.with_objects([item]).root if not found else ""


def _check_seconds(packed: PackedObjects) -> float:
    rows = [item.row() for item in packed]
    return _seconds(lambda: defects(rows, ()))


def _changed(replica: Replica, number: int) -> dict[str, Any]:
    key = ("agreement", f"pact-{number * 7:06}")
    row: dict[str, Any] = json.loads(replica.bodies[key])
    if number % 2:
        return {**row, "title": f"Changed {number}"}
    alone = {name: value for name, value in row.items() if name not in ("supersedes", "supports")}
    return {**alone, "id": f"added-{number}", "lineage": f"added-{number}"}


def _sound(replica: Replica) -> Replica:
    assert isinstance(replica.bodies, GraphCopy)  # noqa: S101 - what the adapter gives
    if replica.bodies.root != replica.head.root:
        raise RuntimeError("the graph has not the root that it states")
    return replica


async def _make(size: Size, file: Path) -> None:
    program = f"from deploy.bench.large import write; write({size.organisations}, {size.agreements}, {str(file)!r})"
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    if await child.wait():
        raise RuntimeError("the graph could not be made")


def write(organisations: int, agreements: int, file: str) -> None:
    """Write a synthetic graph as `GET /v1/graph` sends it."""
    objects = PackedObjects(
        GraphCopy.of({object_key(row): canonical(row) for row in synthetic(Size(organisations, agreements))})
    )
    at = SystemClock().now()
    asyncio.run(_send(Framed.of(Graph(Commit(1, "", objects.root, at, "", "", "IMPORTED"), objects)), Path(file)))


async def _send(framed: Framed, file: Path) -> None:
    with file.open("wb") as out:
        async for piece in framed.pieces():
            out.write(piece)


def _pieces(file: Path) -> list[bytes]:
    raw = file.read_bytes()
    return [raw[start : start + PIECE_BYTES] for start in range(0, len(raw), PIECE_BYTES)]


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def _memory_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 2**20


if __name__ == "__main__":
    print(json.dumps(measure(Size(int(sys.argv[1]), int(sys.argv[2])))))
