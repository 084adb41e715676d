"""The worked scenarios on the seed graph and the real Postgres: who is told is who is expected to be."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
import yaml

from deploy.demo.cases import SCENARIOS
from services.registry.adapters.seed_files import read_objects
from services.router.bootstrap import Parts, assemble
from services.router.config import RouterSettings
from services.router.domain.model import Concern, ItemQuery
from services.router.usecases import refresh_graph, route_concerns
from shared.agreements import decide, facts_of
from shared.canonical import canonical
from shared.records import Batch
from tests.support.clock import NOON, FrozenClock
from tests.support.router_fakes import SEALED, replica_of
from tests.support.stack import TestPostgres

pytestmark = pytest.mark.stack

CASES: dict[str, dict[str, Any]] = {
    f"{scenario['id']}-{case['case']}": case
    for scenario in yaml.safe_load(SCENARIOS.read_text(encoding="utf-8"))["scenarios"]
    for case in scenario["cases"]
    if not case["assumed_clauses"]
}

LATER = FrozenClock(NOON + timedelta(days=365))  # than any case was received


@pytest.fixture
async def parts(postgres_engine: TestPostgres) -> AsyncIterator[Parts]:
    """A router on the seed graph, its registry away."""
    database = await postgres_engine.fresh_database("router")
    settings = RouterSettings(
        database_url=database.url("router"),
        kafka_bootstrap_servers="127.0.0.1:1",
        http_port=1,
        token_issuers=[],
        registry_url="http://127.0.0.1:1",
    )
    parts = assemble(settings)
    async with parts.store.begin() as tx:
        await tx.replace(replica_of(read_objects()))
    assert await refresh_graph(parts.current, parts.ports) is None
    yield parts
    await parts.foundation.close()


def concern_of(name: str) -> Concern:
    return Concern(f"con_{name}", 1, "d" * 64, NOON, CASES[name]["concern"], SEALED)


async def test_each_scenario_tells_exactly_whom_it_should_and_can_be_replayed(parts: Parts) -> None:
    concerns = tuple(map(concern_of, CASES))
    await route_concerns(
        Batch(concerns, ()), current=parts.current, ledger=parts.store, clock=LATER
    )  # fmt: skip
    snapshot = parts.current.get().snapshot
    for concern in concerns:
        record = await parts.store.decision(concern.concern_id, 1)
        assert record is not None
        assert record.body == canonical(decide(snapshot, facts_of(concern.routing)).to_json())
        expected = {row["org"] for row in CASES[concern.concern_id.removeprefix("con_")]["expected"]["told"]}
        assert set(await parts.store.told_by(record.key)) == expected
    unroutable = {item.key.concern_id for item in await parts.store.work_items(ItemQuery(NOON, 200, "unroutable"))}
    assert unroutable == {f"con_{name}" for name, case in CASES.items() if case["expected"].get("unroutable")}


async def test_a_router_decides_while_the_registry_is_down(parts: Parts) -> None:
    routed = await route_concerns(
        Batch((concern_of("T1-a"),), ()), current=parts.current, ledger=parts.store, clock=LATER
    )
    assert [notice.recipient for notice in routed[0].decided.issued] == ["gmc", "nhs-england"]
