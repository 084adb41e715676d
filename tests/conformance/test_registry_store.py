"""One suite for the history of the graph: in memory and in Postgres."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
import pytest_asyncio

from services.registry.domain.model import Commit, GraphObject, StoredObject
from services.registry.ports import Begin
from shared.contracts.audit import AuditFact
from shared.contracts.graph import GraphCommit, GraphCommitted
from tests.support.clock import NOON
from tests.support.registry_fakes import InMemoryHistory
from tests.support.registry_store import history_in
from tests.support.stack import TestPostgres


@pytest_asyncio.fixture
async def begin(postgres: TestPostgres | None) -> AsyncIterator[Begin]:
    if postgres is None:
        yield InMemoryHistory().begin
        return
    async with history_in(await postgres.fresh_database("registry")) as history:
        yield history.begin


def item(object_id: str, body: str = "{}", kind: str = "source") -> GraphObject:
    return GraphObject(kind, object_id, body.encode())


def commit(version: int, *objects: GraphObject) -> Commit:
    moment = NOON + timedelta(seconds=version, microseconds=version)
    return Commit(version, f"parent-{version}", f"root-{version}", moment, "clerk", "a reason", "CHANGED", objects)


async def add(begin: Begin, *commits: Commit) -> list[bool]:
    async with begin() as history:
        return [await history.append(each) for each in commits]


async def test_an_empty_history_has_no_head_and_no_objects(begin: Begin) -> None:
    async with begin() as history:
        assert await history.head() is None
        assert await history.commit(1) is None
        assert list(await history.graph(1)) == []
        assert list(await history.commits(after=0, count_max=10)) == []
        assert await history.find("source", "a") is None


async def test_the_newest_commit_is_the_head_and_comes_without_objects(begin: Begin) -> None:
    await add(begin, commit(1, item("a")))
    await add(begin, commit(2, item("b")))
    async with begin() as history:
        assert await history.head() == commit(2)
        assert await history.commit(1) == commit(1)


async def test_a_version_is_taken_once_and_the_later_one_leaves_nothing(begin: Begin) -> None:
    assert await add(begin, commit(1, item("a", '"first"'))) == [True]
    assert await add(begin, commit(1, item("a", '"second"'), item("b"))) == [False]
    async with begin() as history:
        assert list(await history.graph(1)) == [item("a", '"first"')]


async def test_of_two_that_take_a_version_at_once_one_succeeds(begin: Begin) -> None:
    results = await asyncio.gather(*(add(begin, commit(1, item(name))) for name in "abc"))
    assert sorted(results) == [[False], [False], [True]]
    async with begin() as history:
        assert len(await history.graph(1)) == 1


async def test_the_graph_of_a_version_holds_each_object_as_it_stood_then(begin: Begin) -> None:
    await add(begin, commit(1, item("a", "1"), item("b", "1")))
    await add(begin, commit(2, item("b", "2"), item("c", "2")))
    async with begin() as history:
        assert list(await history.graph(1)) == [item("a", "1"), item("b", "1")]
        assert list(await history.graph(2)) == [item("a", "1"), item("b", "2"), item("c", "2")]


async def test_objects_come_sorted_by_code_point(begin: Begin) -> None:
    keys = [("source", "a"), ("bar", "z"), ("source", "B"), ("source", "a-b"), ("source", "a_b"), ("lead_rule", "x")]
    await add(begin, commit(1, *(item(name, "1", kind) for kind, name in keys)))
    async with begin() as history:
        assert [o.key for o in await history.graph(1)] == sorted(keys)


async def test_bodies_are_kept_to_the_byte(begin: Begin) -> None:
    body = '{"b":1,"a":"é \\u0000 \U0001f600"}'
    await add(begin, commit(1, item("a", body)))
    async with begin() as history:
        assert (await history.graph(1))[0].body == body.encode()


async def test_the_feed_is_in_order_with_objects_and_within_its_limit(begin: Begin) -> None:
    made = [commit(n, item("a", str(n)), item("b", str(n))) for n in (1, 2, 3)]
    await add(begin, *made)
    async with begin() as history:
        assert list(await history.commits(after=0, count_max=2)) == made[:2]
        assert list(await history.commits(after=2, count_max=2)) == made[2:]


async def test_the_newest_state_of_an_object_is_found(begin: Begin) -> None:
    await add(begin, commit(1, item("a", "1")), commit(2, item("a", "2")), commit(3, item("b", "3")))
    async with begin() as history:
        assert await history.find("source", "a") == StoredObject(2, item("a", "2"))
        assert await history.find("agreement", "a") is None


async def test_a_transaction_that_fails_leaves_nothing(begin: Begin) -> None:
    async def fail_after_append() -> None:
        async with begin() as history:
            await history.append(commit(1, item("a")))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail_after_append()
    async with begin() as history:
        assert await history.head() is None
    assert await add(begin, commit(1, item("b"))) == [True]


async def test_what_is_said_in_one_transaction_goes_out_together(begin: Begin) -> None:
    event = GraphCommitted(
        id="gco_1",
        source="/concordat/registry",
        time=NOON,
        data=GraphCommit(version=1, parent_root="", root="r", committed_at=NOON, principal="p", reason="r", objects=[]),
    )
    fact = AuditFact(fact_id="fct_1", kind="graph-commit", at=NOON, service="registry", actor="p", body={})
    async with begin() as history:
        await history.append(commit(1, item("a")))
        await history.publish([event])
        await history.record([fact])
    async with begin() as history:
        assert await history.head() == commit(1)
