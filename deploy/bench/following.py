"""What a commit costs a router that knows what the hub may say, when it touches one of the hub's agreements.

In CPU time of the thread that does it.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Iterator
from itertools import islice
from typing import Any

from deploy.bench.graphs import HUB
from deploy.bench.rows import Row
from services.router.adapters.judges import JudgeMaker
from services.router.domain.model import Head
from services.router.domain.replica import Replica
from services.router.usecases.graph import put_in
from shared.agreements import Facts
from shared.canonical import canonical
from shared.graphroot import object_key

COMMITS = 15
COMMIT_MS = 100
Figures = dict[str, float]


def following_figures(replica: Replica, maker: JudgeMaker, facts: Facts) -> Figures:
    """Commits one after the other on the hub's agreements, each followed by a decision of the hub's."""
    times = list(_followed(replica, maker, facts))
    whole, slices, first = zip(*times, strict=True)
    return {
        "hub_commit_ms": statistics.median(whole),
        "hub_slice_ms": statistics.median(slices),
        "hub_first_ms": statistics.median(first),
    }


def following_rows(figures: Figures) -> Iterator[Row]:
    """The figures beside their budget."""
    yield Row("graph: a commit on the hub's agreements, whole", figures["hub_commit_ms"], "ms")
    yield Row("graph: the hub's slice after a commit", figures["hub_slice_ms"], "ms", COMMIT_MS)
    yield Row("graph: the hub's first decision on it", figures["hub_first_ms"], "ms", COMMIT_MS)


def _followed(replica: Replica, maker: JudgeMaker, facts: Facts) -> Iterator[tuple[float, float, float]]:
    """Of each commit: from its bytes to a judge; of that, the slice; and the first decision by that judge."""
    judge = maker(replica)
    judge.decider.decide(facts)
    for row in list(islice(_on_the_hub(replica), COMMITS)):
        before, began = judge.decider, time.thread_time()
        bodies, root = put_in(replica.bodies, {object_key(row): canonical(row)})
        replica = Replica(Head(replica.head.version + 1, root), bodies)
        judge = maker(replica)
        made = time.thread_time()
        before.after(judge.snapshot, [row])
        sliced = time.thread_time()
        judge.decider.decide(facts).totals()
        yield (made - began) * 1000, (sliced - made) * 1000, (time.thread_time() - sliced) * 1000


def _on_the_hub(replica: Replica) -> Iterator[dict[str, Any]]:
    """Agreements of the hub's, each with another day on which it begins."""
    for (kind, _), body in replica.bodies.items():
        row: dict[str, Any] = json.loads(body) if kind == "agreement" else {"parties": []}
        if any(party["org"] == HUB for party in row["parties"]) and "supersedes" not in row:
            yield {**row, "in_force": {"from": "2007-01-01", "to": row["in_force"]["to"]}}
