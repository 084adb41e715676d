"""One suite for concerns about one subject, in the router's store: in memory and in Postgres."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import cast

import pytest

from services.router.domain.correlation import Viewer
from services.router.domain.model import Recall, WorkItem
from services.router.domain.rounds import Person
from services.router.usecases import Ask, Followed, close_item, correlations_of
from tests.support.clock import NOON
from tests.support.router_fakes import judging
from tests.support.router_stores import Store, store_on
from tests.support.router_subjects import GENERALISED, Watch, about
from tests.support.stack import TestPostgres

EVERYTHING = Viewer("hq", everything=True)
THREE = (about(1), about(2, by="gamma", day=1), about(3, by="beta", day=59))


@pytest.fixture
async def watch(postgres: TestPostgres | None) -> AsyncIterator[Watch]:
    async with store_on(postgres) as opened:
        yield Watch(opened)


async def counted(watch: Watch, viewer: Viewer, concern_id: str = "con_1") -> list[tuple[str, ...]] | None:
    found = await correlations_of(concern_id, viewer, store=watch.store, current=watch.current)
    return None if found is None else [one.cluster.concerns for one in found]


async def only_item(watch: Watch) -> WorkItem:
    (item,) = await watch.suggestions()
    return item


async def test_a_page_is_followed_once_and_suggests_once(watch: Watch) -> None:
    (item,) = await watch.take(*THREE)
    assert await only_item(watch) == item
    assert await watch.follow() == Followed(0)
    store = cast("Store", watch.store)
    assert len([name for name in await store.events() if name.startswith("fct_")]) == 4  # three decisions, one opening


async def test_each_viewer_counts_its_own_slice(watch: Watch) -> None:
    await watch.take(*THREE)
    assert await counted(watch, EVERYTHING) == [("con_1", "con_2", "con_3")]
    assert await counted(watch, Viewer("beta")) == [("con_1", "con_2", "con_3")]
    assert await counted(watch, Viewer("alpha")) == [("con_1",)]
    assert await counted(watch, Viewer("alpha"), "con_2") is None
    assert await counted(watch, EVERYTHING, "con_9") is None


async def test_a_body_that_was_told_without_the_identifiers_counts_nothing(watch: Watch) -> None:
    watch.current = judging(GENERALISED)
    await watch.take(*THREE[:2])
    assert await counted(watch, Viewer("beta")) == []
    assert await counted(watch, Viewer("gamma"), "con_2") == [("con_2",)]


async def test_the_newest_version_alone_counts_in_whatever_order_versions_are_followed(watch: Watch) -> None:
    await watch.take(*THREE[:2])
    await watch.decide(about(2, "other", by="gamma", day=1, version=2))
    await watch.take(about(4, by="gamma", day=3))
    assert await counted(watch, EVERYTHING) == [("con_1", "con_4")]
    assert await counted(watch, EVERYTHING, "con_2") == [("con_2",)]


async def test_both_versions_in_one_page_leave_the_newest(watch: Watch) -> None:
    await watch.take(about(1), about(2, by="gamma"), about(2, "other", by="gamma", version=2))
    assert await counted(watch, EVERYTHING) == [("con_1",)]


async def test_a_recalled_concern_is_counted_for_nobody(watch: Watch) -> None:
    await watch.take(*THREE[:2])
    await watch.decide(Recall("con_2", "not-true"))
    assert await counted(watch, EVERYTHING) == [("con_1",)]
    assert await counted(watch, EVERYTHING, "con_2") == []


async def test_a_withdrawn_notice_takes_its_concern_out_of_the_slice(watch: Watch) -> None:
    await watch.take(*THREE)
    (notice,) = (await watch.store.told_by((await watch.store.decision("con_2", None)).key)).values()
    async with watch.store.begin() as tx:
        await tx.settle({notice: "withdrawn"})
    assert await counted(watch, Viewer("beta")) == [("con_1", "con_3")]
    assert await counted(watch, Viewer("beta"), "con_2") is None


async def test_no_round_no_amendment_and_no_recall_ends_a_suggestion_a_person_does(watch: Watch) -> None:
    (item,) = await watch.take(*THREE)
    await watch.take(about(1, version=2))
    await watch.decide(Recall("con_1", "not-true"))
    assert (await only_item(watch)).item_id == item.item_id
    await close_item(Ask(item.item_id, Person("sam", "hq", "Sam"), "seen", "r"), watch.desk)
    assert await watch.suggestions() == []
    (again,) = await watch.take(about(5, by="gamma", day=70))
    assert again.codes == ("REPEAT_AFTER_CLOSURE",)


async def test_what_lies_a_window_away_is_not_read(watch: Watch) -> None:
    await watch.take(about(1), about(2, by="gamma", day=60), about(3, by="beta", day=61))
    async with watch.store.begin() as tx:
        seen = await tx.seen([("k", "t")], NOON, NOON + timedelta(days=61))
    assert [one.concern_id for one in seen] == ["con_2"]
    assert (seen[0].categories, seen[0].source, seen[0].kind) == (("harm",), ("gamma", "staff"), "registrant")


async def test_the_sources_of_a_token_are_those_of_what_is_seen(watch: Watch) -> None:
    await watch.take(about(1), about(2, by="gamma", day=2), about(3, by="gamma", day=3), about(4, by="beta", day=4))
    await watch.decide(Recall("con_4", "not-true"))
    async with watch.store.begin() as tx:
        reach = [("k", "t"), ("k", "other")], NOON, NOON + timedelta(days=5)
        found, seen = await tx.sources(*reach), await tx.seen(*reach)
    assert {token: found[token] for token in found if found[token]} == {("k", "t"): {one.source for one in seen}}
    assert found["k", "t"] == {("gamma", "staff")}


async def follow_and_die(watch: Watch) -> None:
    async with watch.store.begin() as tx:
        page = await tx.unfollowed(9)
        await tx.keep_sightings(page, [])
        raise KeyboardInterrupt


async def test_a_follower_that_dies_before_its_commit_leaves_its_page_to_the_next(watch: Watch) -> None:
    await watch.decide(*THREE)
    with pytest.raises(KeyboardInterrupt):
        await follow_and_die(watch)
    assert len((await watch.follow()).suggested) == 1


@pytest.mark.stack
async def test_two_followers_never_work_at_the_same_time(postgres_engine: TestPostgres) -> None:
    async with store_on(postgres_engine) as store:
        watch = Watch(store)
        await watch.decide(*THREE)
        async with watch.store.begin() as tx:
            assert len(await tx.unfollowed(2)) == 2
            assert await watch.follow() == Followed(0)
        assert (await watch.follow()).count == 3
