"""Routes one concern in a process of its own, which a fail point may end: `route_one.py DATABASE_URL FAIL_POINT`."""

import asyncio
import sys

from services.router.bootstrap import assemble
from services.router.config import RouterSettings
from services.router.usecases import route_concerns
from shared.records import Batch, Span
from tests.support.clock import FrozenClock
from tests.support.router_fakes import a_concern, judging


async def main(database_url: str, fail_point: str) -> None:
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
    await route_concerns(batch, current=judging(), ledger=parts.store, clock=FrozenClock())
    await parts.foundation.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
