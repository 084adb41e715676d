"""`python -m tests.support.decided COUNT`: one digest over decisions on COUNT generated graphs, four concerns each."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Iterator
from itertools import islice

from shared.agreements import Decision, decide, facts_of
from tests.support.concerns import CONCERN_BYTES, routing_of
from tests.support.dice import stream
from tests.support.graphs import GRAPH_BYTES, graph_rows, snapshot_of
from tests.support.laws import encoded

CONCERNS_EACH = 4


def decisions(count: int) -> Iterator[Decision]:
    """The same decisions wherever this runs."""
    concerns = stream("concerns", CONCERN_BYTES)
    for data in islice(stream("graphs", GRAPH_BYTES), count):
        snapshot = snapshot_of(graph_rows(data))
        for concern in islice(concerns, CONCERNS_EACH):
            yield decide(snapshot, facts_of(routing_of(concern)))


def main() -> None:
    total = hashlib.sha256()
    for decision in decisions(int(sys.argv[1])):
        total.update(encoded(decision))
    sys.stdout.write(total.hexdigest() + "\n")


if __name__ == "__main__":
    main()
