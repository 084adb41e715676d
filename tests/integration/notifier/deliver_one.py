"""Delivers one notice in a process that a fail point may end: `deliver_one.py DATABASE_URL URL FAIL_POINT`."""

import asyncio
import base64
import sys
import tempfile
from contextlib import suppress
from ipaddress import ip_network
from pathlib import Path

from services.notifier.adapters.records import PostgresRecords
from services.notifier.bootstrap import flows_of, make_adapters
from services.notifier.config import NotifierSettings
from services.notifier.domain.errors import EndpointExists
from services.notifier.domain.model import Endpoint, EndpointId, EndpointState
from services.notifier.entrypoints.engine import Engine
from services.notifier.entrypoints.lanes import ALL_LANES, LaneLimits, OwnedLanes
from services.notifier.ports import Listing
from services.notifier.usecases import register_notices
from shared.records import Batch
from shared.service import lay_foundation
from tests.support.clock import NOON
from tests.support.notifier_fakes import KEYS, SEALING, TOKENS, a_notice
from tests.support.notifier_rig import QuietTelemetry
from tests.support.waiting import until

CONCERN_ID = f"con_{1:032x}"


def settings_of(database_url: str, fail_point: str, folder: Path) -> NotifierSettings:
    for name, key in (("sealing", SEALING), ("secrets", TOKENS)):
        (folder / name).write_text(base64.b64encode(key.value).decode())
    return NotifierSettings(
        database_url=database_url,
        kafka_bootstrap_servers="127.0.0.1:1",
        http_port=1,
        token_issuers=[],
        sealing_key_file=folder / "sealing",
        secrets_key_file=folder / "secrets",
        allow_http=True,
        allowed_networks=[ip_network("127.0.0.0/8")],
        lease_seconds=2.5,
        fail_point=fail_point,
    )


async def main(database_url: str, url: str, fail_point: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = settings_of(database_url, fail_point, Path(folder))
        foundation = lay_foundation("notifier", settings)
        adapters = make_adapters(foundation, settings)
    with suppress(EndpointExists):
        await adapters.endpoints.add(
            Endpoint(EndpointId("end_1"), "gmc", url, "", EndpointState.ACTIVE, "", NOON), KEYS
        )
    engine = Engine(
        flows_of(adapters.store, adapters.endpoints, adapters.wire, foundation.clock),
        LaneLimits(64, 8, lease_seconds=6),
        owned=OwnedLanes(lambda: ALL_LANES),
        telemetry=QuietTelemetry(),
        health=foundation.health,
    )
    engine.lanes.aim({t.lane_name: t for t in await adapters.endpoints.targets(now=foundation.clock.now())})
    tasks = [asyncio.ensure_future(loop()) for loop in engine.loops().values()]
    await register_notices(
        Batch((a_notice("gmc", concern_id=CONCERN_ID),), ()),
        opener=adapters.opener,
        clock=foundation.clock,
        lanes=engine.lanes,
        store=adapters.store,
    )

    records = PostgresRecords(foundation.engine)

    async def delivered() -> bool:
        (notice,) = await records.notices(Listing(None, CONCERN_ID, None, None, 1))
        return bool(notice["state"] == "delivered")

    await until(delivered)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
