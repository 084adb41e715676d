"""What people do, over HTTP and on the real Postgres; and a person's act that is killed around its commit."""

import asyncio
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from services.router.domain.policy import CurrentJudge
from services.router.domain.tokens import token_of
from services.router.usecases import Desk, end_stale_holds, route_concerns, withdraw_ended
from shared.records import Batch
from tests.rules import small
from tests.support.clock import NOON, FrozenClock
from tests.support.router_app import DUTY, READER, STRANGER, InMemoryHistory, RouterUnderTest
from tests.support.router_fakes import a_concern, graph_objects, judge_of, replica_of
from tests.support.router_stores import Store, store_in, store_on
from tests.support.stack import TestDatabase, TestPostgres

pytestmark = pytest.mark.stack

SCRIPT = Path(__file__).with_name("choose_one.py")
ROOT = SCRIPT.parents[3]
FIRST = replica_of(graph_objects())
SECOND = replica_of(graph_objects(small.pact(terminated="2025-03-01")), 2)


class House:
    """A router on a database of its own."""

    def __init__(self, store: Store) -> None:
        self.store, self.current = store, CurrentJudge()
        self.current.swap(judge_of(FIRST))
        self.desk = Desk(self.current, store.begin, FrozenClock())
        history = InMemoryHistory({1: (NOON, FIRST), 2: (NOON, SECOND)})
        self.http = RouterUnderTest(store, self.current, FrozenClock(), history)

    async def route(self, *concerns: Any) -> None:
        batch = Batch(concerns, ())
        await route_concerns(batch, current=self.current, ledger=self.store, clock=FrozenClock())


@pytest.fixture
def postgres(postgres_engine: TestPostgres) -> TestPostgres:
    """The engine, taken by a plain fixture because it has a loop of its own."""
    return postgres_engine


@pytest.fixture
async def house(postgres: TestPostgres) -> AsyncIterator[House]:
    async with store_on(postgres) as store:
        yield House(store)


async def test_a_day_of_the_duty_desk(house: House) -> None:
    await house.route(a_concern(1, categories=["theft"]), a_concern(2, min_graph_token=token_of(SECOND.head)))
    kinds = [row["kind"] for row in (await house.http.get("/v1/work-items", by=DUTY)).json()["items"]]
    assert sorted(kinds) == ["gap", "held", "unroutable"]
    (item,) = (await house.http.get("/v1/unroutable")).json()["items"]
    path = f"/v1/work-items/{item['item_id']}"
    assert (await house.http.post(f"{path}/assignment", {}, by=DUTY)).json()["owner"] == "sam"
    routed = {"action": "route", "organisations": ["beta"], "reason": "theirs"}
    answers = [await house.http.post(f"{path}/resolution", routed, by=DUTY) for _ in range(2)]
    assert [(one.status_code, one.json()["repeated"]) for one in answers[:1]] == [(200, False)]
    shown = (await house.http.get(path)).json()
    assert [event["event"] for event in shown["history"]] == ["assigned", "resolved"]
    told = (await house.http.get("/v1/decisions/con_1/organisations/beta", by=STRANGER)).json()
    assert (told["reason"], told["version"]) == ("CHOSEN", 1)


async def test_a_newer_graph_ends_a_hold_and_takes_back_what_it_no_longer_lets_go(house: House) -> None:
    await house.route(a_concern(1), a_concern(2, min_graph_token=token_of(SECOND.head)))
    house.current.swap(judge_of(SECOND))
    assert await end_stale_holds(house.desk, house.store) == 1
    assert await withdraw_ended(house.desk) == 1
    assert (await end_stale_holds(house.desk, house.store), await withdraw_ended(house.desk)) == (0, 0)
    decision = (await house.http.get("/v1/decisions/con_2")).json()
    assert (decision["round"], decision["graph"]["token"]) == (2, token_of(SECOND.head))
    replayed = (await house.http.get("/v1/replay")).json()
    assert (replayed["count"], replayed["differences"]) == (3, [])


async def test_an_originators_choice_is_made_once_however_often_it_is_sent_at_once(house: House) -> None:
    await house.route(a_concern(1, categories=["theft"]))
    body = {"organisations": ["beta"], "reason": "theirs"}
    sent = [house.http.post("/v1/decisions/con_1/choices", body, by=READER) for _ in range(4)]
    answers = await asyncio.gather(*sent)
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert (await house.http.post("/v1/decisions/con_1/choices", body, by=READER)).json()["repeated"]
    assert len(await house.store.told_by((await house.store.past_decisions("", 9))[0].record.key)) == 1
    assert len(await house.store.past_decisions("", 9)) == 2


async def chosen(database: TestDatabase, fail_point: str) -> int | None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, str(SCRIPT), database.url("router"), fail_point, env={"PYTHONPATH": str(ROOT)}
    )
    return await process.wait()


async def rows(database: TestDatabase, *tables: str) -> list[int]:
    connection = await asyncpg.connect(database.superuser_url)
    try:
        return [await connection.fetchval(f"SELECT count(*) FROM router.{table}") for table in tables]
    finally:
        await connection.close()


@pytest.mark.parametrize(("name", "stored"), [("router.before-commit", [1, 0, 0]), ("router.after-commit", [2, 1, 1])])
async def test_a_choice_that_is_killed_around_its_commit_is_whole_or_nothing_and_is_made_once(
    postgres: TestPostgres, tmp_path: Path, name: str, stored: list[int]
) -> None:
    database, marker = await postgres.fresh_database("router"), tmp_path / "reached"
    async with store_in(database) as store:
        await House(store).route(a_concern(1, categories=["theft"]))
    assert await chosen(database, f"{name}:kill:1:{marker}") == -signal.SIGKILL
    assert marker.read_text() == name
    assert await rows(database, "decisions", "acts", "notices") == stored
    assert await chosen(database, "") == 0
    assert await rows(database, "decisions", "acts", "notices") == [2, 1, 1]
