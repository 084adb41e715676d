"""What was routed, asked by the registry: complete, in order, without the sealed part."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.usecases import route_concerns
from shared.records import Batch
from tests.support.clock import NOON, FrozenClock
from tests.support.router_app import HALF_REGISTRY, OPERATOR, READER, REGISTRY, RouterUnderTest
from tests.support.router_fakes import ROUTING, SEALED, InMemoryRouter, a_concern, judging

FIRST = datetime(2025, 3, 1, tzinfo=UTC)


async def routed(*days: int) -> RouterUnderTest:
    """Concerns received on these days after the first of March, number by number."""
    store, current = InMemoryRouter(), judging()
    concerns = tuple(
        a_concern(number, received_at=(FIRST + timedelta(days=day)).isoformat())
        for number, day in enumerate(days, start=1)
    )
    await route_concerns(Batch(concerns, ()), current=current, ledger=store, clock=FrozenClock())
    return RouterUnderTest(store, current, FrozenClock())


async def read_all(router: RouterUnderTest, limit: int, since: str = "") -> list[str]:
    found, after = [], ""
    while True:
        page = (await router.get(f"/v1/routings?limit={limit}&after={after}{since}", by=REGISTRY)).json()
        found += [item["concern_id"] for item in page["items"]]
        if page["next"] is None:
            return found
        after = page["next"]


async def test_a_past_routing_is_the_clear_part_and_nothing_of_the_sealed_one() -> None:
    answer = await (await routed(0)).get("/v1/routings", by=REGISTRY)
    item = answer.json()["items"][0]
    assert item["routing"] == {**ROUTING, "received_at": "2025-03-01T00:00:00+00:00"}
    assert (item["concern_id"], item["version"], item["received_at"]) == ("con_1", 1, "2025-03-01T00:00:00Z")
    assert not any(value in answer.text for value in SEALED.values())


@given(st.lists(st.integers(0, 3), min_size=1, max_size=9), st.integers(1, 4))
async def test_pages_of_any_size_bring_every_concern_once_in_the_order_of_receipt(days: list[int], limit: int) -> None:
    expected = [f"con_{n}" for _, n in sorted((day, n) for n, day in enumerate(days, start=1))]
    assert await read_all(await routed(*days), limit) == expected


async def test_since_is_half_open_at_its_own_instant() -> None:
    router = await routed(0, 1, 2)
    assert await read_all(router, 5, "&since=2025-03-02T00:00:00Z") == ["con_2", "con_3"]
    assert await read_all(router, 5, "&since=2025-03-02T00:00:00.000001Z") == ["con_3"]


async def test_only_the_registry_and_operators_may_ask() -> None:
    router = await routed(0)
    asked = {by: (await router.get("/v1/routings", by=by)).status_code for by in (REGISTRY, OPERATOR, HALF_REGISTRY)}
    assert asked == {REGISTRY: 200, OPERATOR: 200, HALF_REGISTRY: 403}
    assert (await router.get("/v1/routings", by=READER)).status_code == 403
    assert (await router.get("/v1/routings", by=None)).status_code == 401


@pytest.mark.parametrize("query", ["after=x", "since=yesterday", "since=2025-03-01T00:00:00", "limit=0", "limit=1001"])
async def test_a_question_that_is_not_understood_names_its_field(query: str) -> None:
    answer = await (await routed(0)).get(f"/v1/routings?{query}", by=REGISTRY)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"] == "/" + query.partition("=")[0]


async def test_a_concern_whose_receipt_cannot_be_read_is_listed_by_its_acceptance() -> None:
    concern = a_concern(1, received_at="some day")
    assert concern.received_at == concern.accepted_at == NOON - timedelta(seconds=1)
