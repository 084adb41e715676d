"""One suite for the graph over time: in memory and in Postgres."""

import json
from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import pytest
import pytest_asyncio

from services.registry.domain.model import Commit, GraphObject, StoredObject
from services.registry.domain.timeline import Recorded, Search
from services.registry.ports import Begin
from shared.canonical import canonical
from tests.rules.small import during, org, pact, party, remit
from tests.support.clock import NOON
from tests.support.registry_fakes import InMemoryHistory
from tests.support.registry_store import history_in
from tests.support.stack import TestPostgres

MINUTE = timedelta(minutes=1)
DAY = date(2024, 6, 1)


@pytest_asyncio.fixture
async def begin(postgres: TestPostgres | None) -> AsyncIterator[Begin]:
    if postgres is None:
        yield InMemoryHistory().begin
        return
    async with history_in(await postgres.fresh_database("registry")) as history:
        yield history.begin


def item(row: dict[str, Any]) -> GraphObject:
    return GraphObject(row["kind"], row["id"], canonical(row))


def commit(version: int, *rows: dict[str, Any], minutes: int | None = None) -> Commit:
    moment = NOON + (version if minutes is None else minutes) * MINUTE
    objects = tuple(sorted(map(item, rows), key=lambda each: each.key))
    return Commit(version, f"parent-{version}", f"root-{version}", moment, "clerk", "a reason", "CHANGED", objects)


async def add(begin: Begin, *commits: Commit) -> None:
    async with begin() as history:
        for each in commits:
            assert await history.append(each)


async def found(begin: Begin, version: int = 1, *, after: str = "", count_max: int = 9, **asked: Any) -> list[str]:
    search = Search(**{"kind": "agreement", "version": version, "day": DAY, **asked})
    async with begin() as history:
        return list(await history.search(search, after=after, count_max=count_max))


async def test_a_commit_is_known_from_its_own_moment_on(begin: Begin) -> None:
    await add(begin, commit(1), commit(2, minutes=1), commit(3))
    wanted = [(0, None), (1, 2), (2, 2), (3, 3), (99, 3)]
    async with begin() as history:
        known = [await history.known_at(NOON + minutes * MINUTE) for minutes, _ in wanted]
    assert [each and each.version for each in known] == [version for _, version in wanted]


async def test_a_search_goes_by_code_point_in_pages(begin: Begin) -> None:
    names = ["b", "a", "B", "a-b", "a_b"]
    await add(begin, commit(1, *(pact(id=name, lineage=name) for name in names)))
    assert await found(begin) == sorted(names)
    assert await found(begin, count_max=2) == sorted(names)[:2]
    assert await found(begin, after=sorted(names)[1]) == sorted(names)[2:]
    assert await found(begin, kind="organisation") == []


async def test_a_party_is_found_on_the_days_of_its_interval(begin: Begin) -> None:
    parties = [party("alpha", end="2024-06-01"), party("alpha", start="2024-06-02"), party("beta")]
    await add(begin, commit(1, pact(parties=parties), org("alpha", remit())))
    days = [date(2024, 5, 31), date(2024, 6, 1), date(2024, 6, 2)]
    assert [await found(begin, party="alpha", day=day) for day in days] == [["pact"], [], ["pact"]]
    assert await found(begin, party="gamma") == []
    assert await found(begin, kind="organisation", version=1) == ["alpha"]


IN_FORCE: list[tuple[dict[str, Any], str, bool]] = [
    ({"in_force": during("2024-02-29")}, "2024-02-28", False),
    ({"in_force": during("2024-02-29")}, "2024-02-29", True),
    ({"in_force": during(None, "2024-03-01")}, "2024-02-29", True),
    ({"in_force": during(None, "2024-03-01")}, "2024-03-01", False),
    ({"terminated": "2024-02-29"}, "2024-02-28", True),
    ({"terminated": "2024-02-29"}, "2024-02-29", False),
    ({"in_force": during("2024-03-01"), "terminated": "2024-02-01"}, "2024-03-01", False),
    ({"suspended": [during("2024-02-01", "2024-02-29")]}, "2024-02-28", False),
    ({"suspended": [during("2024-02-01", "2024-02-29")]}, "2024-02-29", True),
]


@pytest.mark.parametrize(("change", "day", "expected"), IN_FORCE)
async def test_what_is_in_force_on_a_day_is_found(
    begin: Begin, change: dict[str, Any], day: str, *, expected: bool
) -> None:
    await add(begin, commit(1, pact(**change)))
    assert (await found(begin, in_force_on=date.fromisoformat(day)) == ["pact"]) == expected
    assert await found(begin) == ["pact"]


async def test_a_search_sees_the_graph_as_it_was_recorded(begin: Begin) -> None:
    await add(begin, commit(1, pact()), commit(2, pact(parties=[party("alpha"), party("delta")])), commit(3, org("x")))
    assert [await found(begin, version, party="beta") for version in (1, 2, 3)] == [["pact"], [], []]
    assert [await found(begin, version, party="delta") for version in (1, 2, 3)] == [[], ["pact"], ["pact"]]


async def test_a_state_that_holds_at_no_moment_is_replaced_all_the_same(begin: Begin) -> None:
    await add(begin, commit(1, pact(), minutes=1), commit(2, pact(terminated="2024-01-01"), minutes=1))
    assert await found(begin, 2, in_force_on=DAY) == []


async def test_the_versions_of_a_lineage_are_found_together(begin: Begin) -> None:
    first, second = pact(in_force=during(None, "2024-03-01")), pact(id="b", in_force=during("2024-03-01"))
    await add(begin, commit(1, first), commit(2, second, pact(id="c", lineage="c")))
    async with begin() as history:
        assert list(await history.lineages({"pact"}, 1)) == ["pact"]
        assert list(await history.lineages({"pact"}, 2)) == ["b", "pact"]
        assert list(await history.lineages({"pact", "c", "", "none"}, 2)) == ["b", "c", "pact"]
        assert list(await history.lineages(set(), 2)) == []


async def test_states_are_those_of_their_version(begin: Begin) -> None:
    one, two = org("alpha"), org("alpha", short="Renamed")
    await add(begin, commit(1, one, org("beta")), commit(2, two))
    async with begin() as history:
        keys = [("organisation", "beta"), ("organisation", "alpha"), ("organisation", "none"), ("agreement", "alpha")]
        assert list(await history.states(keys, 1)) == [StoredObject(1, item(one)), StoredObject(1, item(org("beta")))]
        assert list(await history.states(keys[1:2], 2)) == [StoredObject(2, item(two))]
        assert list(await history.states([], 2)) == []
        assert [each.version for each in await history.of_kind("organisation", 2)] == [2, 1]
        assert list(await history.of_kind("agreement", 2)) == []


async def test_the_past_of_an_object_is_every_state_with_its_moments(begin: Begin) -> None:
    one, two = org("alpha"), org("alpha", short="Renamed")
    await add(begin, commit(1, one), commit(2, org("beta")), commit(3, two))
    async with begin() as history:
        past = list(await history.past("organisation", "alpha"))
        assert list(await history.past("agreement", "alpha")) == []
    assert past == [Recorded(commit(1), NOON + 3 * MINUTE, item(one)), Recorded(commit(3), None, item(two))]
    assert json.loads(past[1].item.body)["short"] == "Renamed"


async def test_what_commits_touched_is_named_once(begin: Begin) -> None:
    await add(begin, commit(1, org("a")), commit(2, org("b"), org("a")), commit(3, org("b"), pact()))
    async with begin() as history:
        assert list(await history.touched(1, 3)) == [
            ("agreement", "pact"),
            ("organisation", "a"),
            ("organisation", "b"),
        ]
        assert list(await history.touched(2, 2)) == []
