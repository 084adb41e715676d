"""The checker is itself tested: it finds each planted bug by its name, and has nothing to say of an honest system."""

import asyncio
import itertools
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web

from tests.checker.__main__ import register
from tests.checker.concerns import RECIPIENTS
from tests.checker.face import Client, Face
from tests.checker.imitation import Front, Imitation
from tests.checker.ledger import Ledger
from tests.checker.planted import FINDS
from tests.checker.receivers import RESET, TAKEN, Receivers
from tests.checker.run import Outcome, Plan, Planned, Runner

SCRIPT = (TAKEN, TAKEN, "503", TAKEN, TAKEN, TAKEN, RESET)
PLAN = Plan(
    run=1,
    prefix="test",
    rate_per_second=200,
    seconds=0.2,
    faults=[Planned("kill-notifier", 0.08), Planned("kill-intake", 0.1)],
    drain_seconds=0.3,
    quiet_seconds=0.1,
    settle_seconds=0.05,
    answer_seconds_max=1.0,
)
PATIENT = replace(PLAN, drain_seconds=5, quiet_seconds=2, settle_seconds=1)
BUGS_MIN = 20
AT_ONCE = 4
WITHOUT_BUG = {"late receipt"}
"""Takes two runs: test_reconcile.py has it."""


@asynccontextmanager
async def facing(inner: Imitation) -> AsyncIterator[Face]:
    app = web.Application()
    app.add_routes(Front(inner).routes())
    server = web.AppRunner(app)
    await server.setup()
    site = web.TCPSite(server, "127.0.0.1", 0)
    await site.start()
    url = f"http://127.0.0.1:{server.addresses[0][1]}"
    clients = {org: Client(org, "") for org in (*RECIPIENTS, "operator")}
    try:
        async with aiohttp.ClientSession() as session:
            yield Face(dict.fromkeys(("intake", "router", "notifier", "registry"), url), clients, session)
    finally:
        await inner.close()
        await server.cleanup()


async def judged(inner: Imitation, file: Path, plan: Plan = PLAN) -> Outcome:
    answers = itertools.cycle(SCRIPT)
    ledger = Ledger(file)
    receivers = Receivers(ledger, lambda: next(answers))
    await receivers.start()
    try:
        async with facing(inner) as face:
            await register(face, receivers)
            return await Runner(face, ledger, inner, plan).run()
    finally:
        await receivers.stop()
        ledger.close()


async def test_an_honest_system_under_kills_and_unruly_receivers_adds_up(tmp_path: Path) -> None:
    outcome = await judged(Imitation(), tmp_path / "ledger", replace(PLAN, drain_seconds=20, settle_seconds=10))
    assert outcome.verdict.differences == ()
    counts = outcome.verdict.counts
    assert counts.accepted == counts.stored == outcome.read_whole > 30
    assert counts.owed == counts.received > counts.accepted
    assert counts.refused > 0
    assert [one.name for one in outcome.recoveries] == ["kill-notifier", "kill-intake"]
    assert counts.receipts == counts.received + len(outcome.verdict.explained) > counts.received


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def found(tmp_path_factory: pytest.TempPathFactory) -> dict[type[Imitation], set[str]]:
    """What the checker says of each system with a bug; a few at a time, since most of a run is waiting.

    On a busy machine a run of a second may be over before its bug came to anything: such a bug gets a longer one.
    """
    folder, few = tmp_path_factory.mktemp("planted"), asyncio.Semaphore(AT_ONCE)

    async def names(bug: type[Imitation], plan: Plan) -> set[str]:
        async with few:
            outcome = await judged(bug(), folder / f"{bug.__name__}-{plan.drain_seconds}", plan)
        return {difference.name for difference in outcome.verdict.differences}

    async def found_in(bug: type[Imitation]) -> set[str]:
        said = await names(bug, PLAN)
        return said if FINDS[bug] in said else await names(bug, PATIENT)

    return dict(zip(FINDS, await asyncio.gather(*map(found_in, FINDS)), strict=True))


@pytest.mark.parametrize("bug", FINDS, ids=lambda bug: bug.__name__)
def test_each_planted_bug_is_found_by_its_name(bug: type[Imitation], found: dict[type[Imitation], set[str]]) -> None:
    assert FINDS[bug] in found[bug]


def test_there_are_enough_bugs_and_every_difference_has_one() -> None:
    assert len(FINDS) >= BUGS_MIN
    source = (Path(__file__).parent / "reconcile.py").read_text()
    assert set(re.findall(r'Difference\("([^"]+)"', source)) - WITHOUT_BUG == set(FINDS.values())
