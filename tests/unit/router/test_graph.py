"""The graph is followed by verified commits, and read whole when one does not fit."""

from dataclasses import replace
from typing import Any

import pytest

from services.router.domain.errors import GraphBehind, GraphUnfit, NoGraphYet, RegistryUnavailable
from services.router.domain.model import Head
from services.router.domain.policy import CurrentJudge
from services.router.domain.replica import CommitPart, Replica
from services.router.usecases import (
    Adopted,
    Applied,
    GraphNews,
    GraphPorts,
    catch_up,
    follow_graph,
    newer_at_registry,
    refresh_graph,
)
from shared.agreements import GraphInvalid
from shared.records import Batch, Span
from tests.support.router_fakes import (
    InMemoryRegistry,
    InMemoryRouter,
    commit_after,
    graph_objects,
    graph_ports,
    replica_of,
)
from tests.support.router_state import State
from tests.support.small_graph import source

SPAN = Span("router", "concordat.graph.v1", 0, 4, 7)
FIRST = replica_of(graph_objects())
UNREADABLE = {"kind": "source", "id": "odd", "title": "t", "colour": "an unknown key"}


def graph_of(router: InMemoryRouter) -> Replica:
    return Replica(router.state.head, router.state.bodies)


def after(before: Replica, *commits: CommitPart) -> Replica:
    for commit in commits:
        before = Replica(commit.head, {**before.bodies, **commit.bodies})
    return before


async def at_first() -> InMemoryRouter:
    router = InMemoryRouter()
    async with router.begin() as tx:
        await tx.replace(FIRST)
    return router


async def followed(
    router: InMemoryRouter,
    *parts: CommitPart,
    registry: InMemoryRegistry | None = None,
    current: CurrentJudge | None = None,
) -> tuple[GraphNews, ...]:
    ports = graph_ports(router, registry or InMemoryRegistry())
    return await follow_graph(Batch(tuple(parts), (SPAN,)), current=current or CurrentJudge(), ports=ports)


async def test_the_first_commit_of_all_makes_the_graph() -> None:
    router = InMemoryRouter()
    news = await followed(router, CommitPart(1, "", FIRST.head.root, 1, 1, FIRST.bodies))
    assert news == (Applied(FIRST.head),)
    assert graph_of(router) == FIRST


async def test_commits_of_one_batch_are_applied_in_order_and_the_position_moves_with_them() -> None:
    router = await at_first()
    one = commit_after(FIRST, source("a"))
    two = commit_after(after(FIRST, one), source("b"))
    news = await followed(router, one, two)
    assert [type(n) for n in news] == [Applied, Applied]
    assert graph_of(router) == after(FIRST, one, two)
    assert router.state.spans == [SPAN]


async def test_a_repeated_commit_changes_nothing_and_asks_nobody() -> None:
    router, registry = await at_first(), InMemoryRegistry()
    one = commit_after(FIRST, source("a"))
    await followed(router, one, registry=registry)
    assert await followed(router, one, one, registry=registry) == ()
    assert graph_of(router) == after(FIRST, one)
    assert registry.asked == 0


async def test_a_commit_in_parts_takes_effect_with_the_last_even_over_several_batches() -> None:
    router = await at_first()
    whole = commit_after(FIRST, source("a"), source("b"), source("c"))
    keys = sorted(whole.bodies)
    parts = [replace(whole, part=n, parts=3, bodies={k: whole.bodies[k]}) for n, k in enumerate(keys, start=1)]
    assert await followed(router, parts[0]) == ()
    assert await followed(router, parts[0], parts[1]) == ()
    assert router.state.head == FIRST.head
    assert await followed(router, parts[2]) == (Applied(whole.head),)
    assert graph_of(router) == after(FIRST, whole)
    assert router.state.parts == []


async def test_a_wrong_root_is_refused_loudly_and_the_true_graph_is_read() -> None:
    router = await at_first()
    forged = replace(commit_after(FIRST, source("a")), root="00" * 32)
    truth = after(FIRST, commit_after(FIRST, source("b")))
    news = await followed(router, forged, registry=InMemoryRegistry(truth))
    assert news == (Adopted(truth.head, "commit 2 does not give the root it states"),)
    assert graph_of(router) == truth
    assert router.state.spans == [SPAN]


async def test_after_a_gap_the_whole_graph_is_read() -> None:
    router = await at_first()
    one = commit_after(FIRST, source("a"))
    two = commit_after(after(FIRST, one), source("b"))
    truth = after(FIRST, one, two)
    news = await followed(router, two, registry=InMemoryRegistry(truth))
    assert isinstance(news[0], Adopted)
    assert graph_of(router) == truth


@pytest.mark.parametrize("served", [None, Replica(Head(2, "00" * 32), FIRST.bodies), Replica(Head(), {})])
async def test_while_no_true_graph_can_be_had_nothing_changes_and_no_position_moves(served: Replica | None) -> None:
    router = await at_first()
    gap = replace(commit_after(FIRST, source("a")), version=9)
    with pytest.raises((RegistryUnavailable, GraphUnfit)):
        await followed(router, gap, registry=InMemoryRegistry(served))
    assert graph_of(router) == FIRST
    assert router.state.spans == []


async def test_a_commit_too_large_for_the_topic_is_read_from_the_registry_and_nothing_is_amiss() -> None:
    router = await at_first()
    truth = after(FIRST, commit_after(FIRST, source("a"), source("b")))
    announced = CommitPart(2, FIRST.head.root, truth.head.root, 1, 1, {}, complete=False)
    assert await followed(router, announced, registry=InMemoryRegistry(truth)) == (Applied(truth.head),)
    assert graph_of(router) == truth
    assert router.state.spans == [SPAN]
    assert await followed(router, announced) == ()


async def test_a_commit_too_large_for_the_topic_waits_for_a_registry_that_has_it() -> None:
    router, current = await at_first(), CurrentJudge()
    announced = CommitPart(2, FIRST.head.root, "00" * 32, 1, 1, {}, complete=False)
    with pytest.raises(GraphUnfit):
        await followed(router, announced, registry=InMemoryRegistry(FIRST), current=current)
    assert (graph_of(router), router.state.spans) == (FIRST, [])
    assert current.newer is not None


async def test_a_registry_that_is_behind_is_not_believed() -> None:
    router = await at_first()
    one = commit_after(FIRST, source("a"))
    await followed(router, one)
    with pytest.raises(GraphUnfit):
        await followed(router, replace(one, version=9), registry=InMemoryRegistry(FIRST))
    assert graph_of(router) == after(FIRST, one)


async def test_a_commit_that_cannot_be_read_is_not_applied_and_is_taken_again() -> None:
    router = await at_first()
    odd = commit_after(FIRST, UNREADABLE)
    with pytest.raises(GraphUnfit, match="colour"):
        await followed(router, odd, registry=InMemoryRegistry(after(FIRST, odd)))
    assert graph_of(router) == FIRST
    assert router.state.spans == []


async def test_after_a_refused_commit_the_next_good_graph_is_read_whole() -> None:
    router = await at_first()
    odd = commit_after(FIRST, UNREADABLE)
    mended = commit_after(after(FIRST, odd), {**source("odd"), "title": "mended"})
    truth = after(FIRST, odd, mended)
    (news,) = await followed(router, odd, registry=InMemoryRegistry(truth))
    assert isinstance(news, Adopted)
    assert graph_of(router) == truth


async def test_a_batch_without_commits_still_moves_on() -> None:
    router = InMemoryRouter()
    assert await followed(router) == ()
    assert router.state == State(spans=[SPAN])


async def refreshed(
    router: InMemoryRouter, current: CurrentJudge, registry: InMemoryRegistry | None = None
) -> GraphNews | None:
    return await refresh_graph(current, graph_ports(router, registry or InMemoryRegistry()))


async def test_a_router_starts_from_its_own_copy_while_the_registry_is_down() -> None:
    router, current = await at_first(), CurrentJudge()
    assert await refreshed(router, current) is None
    assert current.head == FIRST.head
    assert current.get().snapshot.graph.organisations.keys() == {"alpha", "beta", "gamma"}


async def test_a_commit_applied_by_another_router_is_decided_on() -> None:
    router, current = await at_first(), CurrentJudge()
    await refreshed(router, current)
    before = current.get()
    await refreshed(router, current)
    assert current.get() is before
    await followed(router, one := commit_after(FIRST, source("a")))
    await refreshed(router, current)
    assert current.head == one.head


async def test_an_empty_copy_is_filled_from_the_registry() -> None:
    router, current = InMemoryRouter(), CurrentJudge()
    with pytest.raises(NoGraphYet):
        await refreshed(router, current)
    assert await refreshed(router, current, InMemoryRegistry(FIRST)) == Applied(FIRST.head)
    await refreshed(router, current)
    assert current.head == FIRST.head


async def test_a_copy_that_lost_its_root_is_never_decided_on() -> None:
    router, current = await at_first(), CurrentJudge()
    router.state.bodies["source", "slipped-in"] = b'{"id":"slipped-in","kind":"source","title":"t"}'
    with pytest.raises(RegistryUnavailable):
        await refreshed(router, current)
    assert current.head == Head()
    assert isinstance(await refreshed(router, current, InMemoryRegistry(FIRST)), Adopted)
    await refreshed(router, current)
    assert graph_of(router) == FIRST
    assert current.head == FIRST.head


async def test_nothing_is_decided_while_a_stored_graph_can_no_longer_be_read() -> None:
    router, current = await at_first(), CurrentJudge()
    await refreshed(router, current)

    def refuse(_: Replica) -> Any:
        raise GraphInvalid(())

    one = commit_after(FIRST, source("a"))
    async with router.begin() as tx:
        await tx.follow(one.head, one.bodies)
    ports = graph_ports(router, InMemoryRegistry())
    with pytest.raises(GraphUnfit):
        await refresh_graph(current, GraphPorts(ports.begin, ports.store, ports.registry, refuse))
    with pytest.raises(GraphBehind):
        current.get()
    await refreshed(router, current)
    assert current.get().head == one.head


@pytest.mark.parametrize("wrong", ["root", "object", "gap"])
async def test_nothing_is_decided_on_a_graph_older_than_one_that_is_known(wrong: str) -> None:
    router, current = await at_first(), CurrentJudge()
    await refreshed(router, current)
    good = commit_after(FIRST, source("a"))
    bad = {
        "root": replace(good, root="00" * 32),
        "object": commit_after(FIRST, UNREADABLE),
        "gap": commit_after(after(FIRST, good), source("b")),
    }[wrong]
    with pytest.raises((GraphUnfit, RegistryUnavailable)):
        await followed(router, bad, current=current)
    with pytest.raises(GraphBehind):
        current.get()
    await refreshed(router, current)
    with pytest.raises(GraphBehind):
        current.get()
    truth = after(FIRST, good, commit_after(after(FIRST, good), source("b")))
    await followed(router, bad, current=current, registry=InMemoryRegistry(truth))
    await refreshed(router, current)
    assert current.get().head == truth.head


async def test_a_registry_that_has_not_the_commit_that_is_known_is_not_enough() -> None:
    router, current = await at_first(), CurrentJudge()
    served = after(FIRST, commit_after(FIRST, source("a")))
    with pytest.raises(GraphUnfit):
        await followed(
            router, replace(commit_after(FIRST), version=9), current=current, registry=InMemoryRegistry(served)
        )
    assert graph_of(router) == FIRST
    assert current.newer is not None
    assert current.newer.version == 9


async def asked(router: InMemoryRouter, current: CurrentJudge, registry: InMemoryRegistry) -> GraphNews | None:
    """Ask the registry for its head, and catch up where it is newer."""
    ports = graph_ports(router, registry)
    newer = await newer_at_registry(ports)
    return await catch_up(newer, current, ports) if newer else None


async def test_a_lost_commit_is_noticed_by_the_registrys_head_and_made_good() -> None:
    router, current = await at_first(), CurrentJudge()
    await refreshed(router, current)
    truth = after(FIRST, commit_after(FIRST, source("a")))
    assert await asked(router, current, InMemoryRegistry(truth)) == Adopted(truth.head, "commit 2 did not arrive")
    await refreshed(router, current)
    assert current.get().head == truth.head


@pytest.mark.parametrize("served", [None, FIRST, Replica(Head(), {})])
async def test_a_registry_that_is_away_or_behind_changes_nothing(served: Replica | None) -> None:
    router, current = await at_first(), CurrentJudge()
    await refreshed(router, current)
    assert await asked(router, current, InMemoryRegistry(served)) is None
    assert current.get().head == FIRST.head
    assert graph_of(router) == FIRST


async def test_a_commit_that_came_after_all_is_not_caught_up_with() -> None:
    router, current, registry = await at_first(), CurrentJudge(), InMemoryRegistry()
    one = commit_after(FIRST, source("a"))
    await followed(router, one)
    assert await catch_up(one.head, current, graph_ports(router, registry)) is None
    assert registry.asked == 0


async def test_nothing_is_decided_while_the_registrys_newer_graph_does_not_have_its_root() -> None:
    router, current = await at_first(), CurrentJudge()
    await refreshed(router, current)
    with pytest.raises(GraphUnfit):
        await asked(router, current, InMemoryRegistry(Replica(Head(2, "00" * 32), FIRST.bodies)))
    with pytest.raises(GraphBehind):
        current.get()
    assert graph_of(router) == FIRST
