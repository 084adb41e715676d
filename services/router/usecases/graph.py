"""Follow the agreement graph: apply commits in order, verify every root, read it whole again when one does not fit."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from services.router.domain.errors import GraphUnfit, NoGraphYet, RegistryUnavailable
from services.router.domain.model import Head
from services.router.domain.policy import CurrentJudge
from services.router.domain.replica import (
    Bodies,
    Collected,
    CommitPart,
    Complete,
    Misfit,
    Repeated,
    Replica,
    Step,
    follow,
)
from services.router.ports import Begin, GraphStore, MakeJudge, Registry, Transaction
from shared.agreements import GraphInvalid
from shared.merkle import leaf_hash, root_of
from shared.records import Batch, Span


@dataclass(frozen=True, slots=True)
class Applied:
    """A commit took effect, or the first graph of all."""

    head: Head


@dataclass(frozen=True, slots=True)
class Refused:
    """A graph that cannot be read; the one before stays in force."""

    head: Head
    problems: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Adopted:
    """The whole graph was read from the registry, because of what is said."""

    head: Head
    because: str


GraphNews = Applied | Refused | Adopted


@dataclass(frozen=True, slots=True)
class GraphPorts:
    """What following the graph needs."""

    begin: Begin
    store: GraphStore
    registry: Registry
    make_judge: MakeJudge


async def follow_graph(batch: Batch[CommitPart], ports: GraphPorts) -> tuple[GraphNews, ...]:
    """Apply commits to the stored copy in order; after a gap or a wrong root read the whole graph from the registry.

    Raises RegistryUnavailable, or GraphUnfit when the registry's graph is no better; nothing has changed then.
    """
    try:
        async with ports.begin(batch.spans) as tx:
            return await _apply_all(batch.events, tx, ports.make_judge)
    except GraphUnfit as misfit:
        return (await _adopt(batch.spans, str(misfit), ports),)


async def refresh_graph(current: CurrentJudge, ports: GraphPorts) -> GraphNews | None:
    """Decide on the stored graph from now on, if it is another one.

    Gives news when the stored graph had to be read whole, or cannot be read; the judge in office stays then.
    Raises NoGraphYet where there is none and none can be had, RegistryUnavailable or GraphUnfit where it is damaged.
    """
    head = await ports.store.head()
    if not head.version:
        return await _begin_with_the_registrys(ports)
    if head == current.head:
        return None
    replica = await ports.store.stored_replica()
    if not await asyncio.to_thread(_is_sound, replica):
        return await _adopt((), f"the stored graph {head.version} does not have its root", ports)
    try:
        current.swap(await asyncio.to_thread(ports.make_judge, replica))
    except GraphInvalid as invalid:
        return _refused(replica, invalid)
    return None


def root_over(bodies: Bodies) -> str:
    """The root of a graph from its canonical objects, as `shared.graphroot` gives it."""
    return root_of([leaf_hash(bodies[key]) for key in sorted(bodies)]).hex()


async def _apply_all(parts: Sequence[CommitPart], tx: Transaction, make_judge: MakeJudge) -> tuple[GraphNews, ...]:
    """Raises GraphUnfit at the first part that does not fit, so that the transaction takes nothing of the batch."""
    if not parts:
        return ()
    replica, news = await tx.replica(), list[GraphNews]()
    for part in parts:
        step = await asyncio.to_thread(follow, replica, part, root_over)
        replica, told = await _take(step, replica, tx, make_judge)
        news += told
    return tuple(news)


async def _take(
    step: Step, replica: Replica, tx: Transaction, make_judge: MakeJudge
) -> tuple[Replica, tuple[GraphNews, ...]]:
    match step:
        case Repeated():
            return replica, ()
        case Collected(after):
            await tx.collect(after.pending[-1])
            return after, ()
        case Complete(after, changed):
            if refused := await _refusal(after, make_judge):
                return replica, (refused,)
            await tx.follow(after.head, changed)
            return after, (Applied(after.head),)
        case Misfit(reason):
            raise GraphUnfit(reason)
        case _:
            assert_never(step)


async def _begin_with_the_registrys(ports: GraphPorts) -> GraphNews:
    """The first graph of a new router; its commits are repeats when they come."""
    try:
        news = await _adopt((), "there is no graph yet", ports)
    except RegistryUnavailable as away:
        raise NoGraphYet(str(away)) from away
    return Applied(news.head) if isinstance(news, Adopted) else news


async def _adopt(spans: Sequence[Span], because: str, ports: GraphPorts) -> GraphNews:
    """Take the registry's graph whole, if it has the root it states, can be read, and is not older than ours."""
    try:
        replica = await ports.registry.graph()
    except RegistryUnavailable as away:
        raise RegistryUnavailable(f"{because}; the registry: {away}") from away
    if not await asyncio.to_thread(_is_sound, replica):
        raise GraphUnfit(f"the registry's graph {replica.head.version} does not have its root")
    refused = await _refusal(replica, ports.make_judge)
    async with ports.begin(spans) as tx:
        here = (await tx.replica()).head
        if replica.head.version < here.version:
            raise GraphUnfit(f"the registry is at version {replica.head.version}, we are at {here.version}")
        if refused is None:
            await tx.replace(replica)
    return refused or Adopted(replica.head, because)


async def _refusal(replica: Replica, make_judge: MakeJudge) -> Refused | None:
    try:
        await asyncio.to_thread(make_judge, replica)
    except GraphInvalid as invalid:
        return _refused(replica, invalid)
    return None


def _refused(replica: Replica, invalid: GraphInvalid) -> Refused:
    return Refused(replica.head, tuple(map(str, invalid.problems)))


def _is_sound(replica: Replica) -> bool:
    return root_over(replica.bodies) == replica.head.root
