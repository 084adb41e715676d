"""Routes one concern in a process of its own, which a fail point may end: `route_one.py DATABASE_URL FAIL_POINT GRAPH`.

On graph 1 beta is told, on graph 2 gamma as well.
"""

import asyncio
import sys

from services.router.bootstrap import assemble
from services.router.config import RouterSettings
from services.router.domain.policy import CurrentJudge
from services.router.usecases import route_concerns
from shared.records import Batch, Span
from tests.rules import small
from tests.support.clock import FrozenClock
from tests.support.router_fakes import a_concern, graph_objects, judge_of, replica_of

BOTH = small.pact(small.clause(to=["beta", "gamma"]))
CHANGED = {"1": (), "2": (BOTH, small.org("gamma", small.remit()))}


async def main(database_url: str, fail_point: str, graph: str) -> None:
    settings = RouterSettings(
        database_url=database_url,
        kafka_bootstrap_servers="127.0.0.1:1",
        http_port=1,
        token_issuers=[],
        registry_url="http://127.0.0.1:1",
        fail_point=fail_point,
    )
    parts = assemble(settings)
    stored = (await parts.foundation.positions.read("router", "t")).get(0)
    at = stored.next_offset if stored else None
    if at is None:
        await parts.foundation.positions.set("router", "t", 0, at := 0)
    batch = Batch((a_concern(),), (Span("router", "t", 0, at, at),))
    current = CurrentJudge()
    current.swap(judge_of(replica_of(graph_objects(*CHANGED[graph]), int(graph))))
    await route_concerns(batch, current=current, ledger=parts.store, clock=FrozenClock())
    await parts.foundation.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
