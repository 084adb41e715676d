"""How long one decision takes on a large graph: by any body, and by the hub with its three agreements in ten.

In CPU time of the deciding thread: a clock would measure what else the machine does.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from random import Random  # noqa: TID251 - which bodies are asked is drawn once, by a number
from typing import Any

import psutil

from deploy.bench.graphs import HUB
from deploy.bench.rows import Row
from services.registry.adapters.seed_files import read_objects
from services.router.domain.policy import Judge
from shared.agreements import Facts, facts_of
from shared.agreements.fast import Decider
from shared.canonical import canonical

BODIES = 60
MEMO_BYTES = 64_000_000
WRITTEN = 12
"""How many decisions are written out: the first time, everything is read of whoever is told and might tell on."""
P50_US, P99_US, EXPLAINED_US = 25, 1500, 1000
Figures = dict[str, float]


def figures_of(decider: Decider) -> Figures:
    """The concerns of the seed's examples, received in one month, each said by every body that is asked."""
    before, began = _memory_mb(), time.thread_time()
    decider.slice_of(HUB)
    figures = {"hub_slice_seconds": time.thread_time() - began}
    names = sorted(decider.snapshot.graph.organisations)
    bodies = Random(1).sample(names, min(BODIES, len(names)))  # noqa: S311 - no secret is made here
    for body in bodies:
        decider.slice_of(body)
    gc.collect()
    figures["slices_mb"] = _memory_mb() - before
    figures |= _timed("decision", decider, list(_asked(bodies)))
    figures |= _timed("hub", decider, list(_asked([HUB])))
    figures |= _naming(decider, list(_asked([HUB])), names)
    figures |= _remembered(decider, list(_asked(bodies[:8])))
    return figures


def decision_rows(figures: Figures) -> Iterator[Row]:
    """The figures beside their budgets."""
    yield Row("graph: the hub's slice, read once", figures["hub_slice_seconds"], "s")
    yield Row("graph: memory of the hub's and 60 slices", figures["slices_mb"], "MB")
    for name, words in (("decision", "a decision"), ("hub", "a decision by the hub")):
        yield Row(f"graph: {words}, p50", figures[f"{name}_p50"], "us", P50_US)
        yield Row(f"graph: {words}, p99", figures[f"{name}_p99"], "us", P99_US)
        yield Row(f"graph: {words}, every body explained, p99", figures[f"{name}_explained_p99"], "us", EXPLAINED_US)
        yield Row(f"graph: {words}, as canonical JSON, p50", figures[f"{name}_json_p50"], "us")
    yield Row("graph: the hub names others than before", figures["named_first_ms"], "ms")
    yield Row("graph: the hub names the same again, p50", figures["named_p50"], "us", P99_US)
    yield Row("graph: a concern of the hub's waits whole", figures["held_ms"], "ms")
    yield Row("graph: a decision that is remembered, p50", figures["remembered_p50"], "us", P50_US)
    yield Row("graph: a decision that is remembered, p99", figures["remembered_p99"], "us", P99_US)


def _naming(decider: Decider, asked: Sequence[Facts], names: Sequence[str]) -> Figures:
    """The hub names two bodies under clauses that let it: others each time, and the same again. And concerns of the
    hub's that wait as a whole."""
    few = asked[:5]
    naming = [replace(facts, named_recipients=frozenset(names[at : at + 2])) for at, facts in enumerate(few)]
    held = [replace(facts, nation="unheard-of") for facts in few]
    first = [_microseconds(partial(_decided, decider, facts)) for facts in naming]
    again = [_microseconds(partial(_decided, decider, facts)) for facts in naming]
    waiting = [_microseconds(partial(_decided, decider, facts)) for facts in held]
    return {
        "named_first_ms": _at(first, 0.5) / 1000,
        "named_p50": _at(again, 0.5),
        "held_ms": _at(waiting, 0.5) / 1000,
    }


def asked_by_the_hub() -> Facts:
    """One concern of the hub's."""
    return next(_asked([HUB]))


def _asked(bodies: Iterable[str]) -> Iterator[Facts]:
    examples = [example["concern"] for row in read_objects() for example in row.get("examples", ())]
    for body in bodies:
        for number, concern in enumerate(examples):
            yield facts_of(_this_month(concern, body, number))


def _this_month(concern: Mapping[str, Any], body: str, number: int) -> dict[str, Any]:
    return {**concern, "originator": body, "received_at": f"2026-11-{1 + number % 28:02}T10:00:00Z"}


def _timed(name: str, decider: Decider, asked: Sequence[Facts]) -> Figures:
    """Nothing of a decision is remembered; each is taken once before, so that the days are known."""
    for facts in asked:
        decider.decide(facts)
    plain = [_microseconds(partial(_decided, decider, facts)) for facts in asked]
    explained = [_microseconds(partial(_explained, decider, facts)) for facts in asked]
    few = asked[:: max(1, len(asked) // WRITTEN)]
    for facts in few:
        _written(decider, facts)
    written = [_microseconds(partial(_written, decider, facts)) for facts in few]
    return {
        f"{name}_p50": _at(plain, 0.5),
        f"{name}_p99": _at(plain, 0.99),
        f"{name}_explained_p99": _at(explained, 0.99),
        f"{name}_json_p50": _at(written, 0.5),
    }


def _decided(decider: Decider, facts: Facts) -> object:
    """Every body in its class; the evidence of each gate is there, and no row is written."""
    return decider.decide(facts).totals()


def _explained(decider: Decider, facts: Facts) -> object:
    """The reason of every body besides."""
    return decider.decide(facts).reasons()


def _written(decider: Decider, facts: Facts) -> bytes:
    """Every row, payloads, hints and the names of all bodies: what the router stores."""
    return canonical(decider.decide(facts).to_json())


def _remembered(decider: Decider, asked: Sequence[Facts]) -> Figures:
    """What the router's judge does of facts that it has met."""
    judge = Judge(decider.snapshot, canonical, memo_bytes_max=MEMO_BYTES, decider=decider)
    few = asked[:200]
    for facts in few:
        judge.verdict(facts)
    times = [_microseconds(partial(judge.verdict, facts)) for facts in few]
    return {"remembered_p50": _at(times, 0.5), "remembered_p99": _at(times, 0.99)}


def _microseconds(work: Callable[[], object]) -> float:
    began = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - began) / 1000


def _at(values: Sequence[float], share: float) -> float:
    return sorted(values)[int((len(values) - 1) * share)]


def _memory_mb() -> float:
    return float(psutil.Process().memory_info().rss) / 2**20
