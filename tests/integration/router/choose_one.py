"""Makes an originator's choice in a process of its own, which a fail point may end: `choose_one.py URL FAIL_POINT`."""

import asyncio
import sys

from services.router.bootstrap import assemble
from services.router.config import RouterSettings
from services.router.domain.rounds import Act, Person
from services.router.usecases import Desk, choose_bodies
from tests.support.clock import FrozenClock
from tests.support.router_fakes import judging

ACT = Act("choice", Person("alpha-case", "alpha", "Sam"), "theirs", ("beta",), "r1", {"beta": "full"})


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
    desk = Desk(judging(), parts.store.begin, FrozenClock())
    await choose_bodies("con_1", ACT, asker=None, desk=desk)
    await parts.foundation.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
