"""Follow the agreement graph: apply commits in order, verify every root, read it whole again when one does not fit.

What is heard of and cannot be used is told to the judge in office, who then decides nothing: no concern is decided on a
graph that is known to be old.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from services.router.domain.errors import GraphUnfit, NoGraphYet, RegistryUnavailable
from services.router.domain.model import Head
from services.router.domain.policy import CurrentJudge, Judge
from services.router.domain.replica import (
    Bodies,
    Collected,
    CommitPart,
    Complete,
    Misfit,
    Repeated,
    Replica,
    Step,
    TooLarge,
    follow,
)
from services.router.ports import Begin, GraphStore, MakeJudge, Registry, Transaction
from shared.agreements import GraphInvalid
from shared.graphcopy import GraphCopy
from shared.records import Batch, Span


@dataclass(frozen=True, slots=True)
class Applied:
    """A commit took effect, or the first graph of all."""

    head: Head


@dataclass(frozen=True, slots=True)
class Adopted:
    """The whole graph was read from the registry, because of what is said."""

    head: Head
    because: str


class _ReadWhole(Exception):
    """A commit is announced without its objects: the graph is read from the registry, and nothing is amiss."""

    def __init__(self, head: Head) -> None:
        super().__init__(f"commit {head.version} is too large for the topic")


GraphNews = Applied | Adopted
PROBLEMS_SHOWN_MAX = 5


@dataclass(frozen=True, slots=True)
class GraphPorts:
    """What following the graph needs."""

    begin: Begin
    store: GraphStore
    registry: Registry
    make_judge: MakeJudge


async def follow_graph(batch: Batch[CommitPart], *, current: CurrentJudge, ports: GraphPorts) -> tuple[GraphNews, ...]:
    """Apply commits to the stored copy in order; where one cannot be applied, read the whole graph from the registry.

    Raises RegistryUnavailable, or GraphUnfit when the registry's graph is no better; nothing has changed then, and
    nothing is decided until a graph as new as these commits is in office.
    """
    try:
        async with ports.begin(batch.spans) as tx:
            return await _apply_all(batch.events, tx, ports.make_judge)
    except _ReadWhole as large:
        newest = max(part.version for part in batch.events)
        current.hear_of(newest, str(large))
        adopted = await _adopt(batch.spans, str(large), ports, at_least=newest)
        return (Applied(adopted.head),)
    except GraphUnfit as misfit:
        newest = max(part.version for part in batch.events)
        current.hear_of(newest, str(misfit))
        return (await _adopt(batch.spans, str(misfit), ports, at_least=newest),)


async def refresh_graph(current: CurrentJudge, ports: GraphPorts) -> GraphNews | None:
    """Decide on the stored graph from now on, if it is another one.

    Gives news when the stored graph had to be read whole. Raises NoGraphYet where there is none and none can be had,
    RegistryUnavailable or GraphUnfit where it cannot be used; nothing is decided then.
    """
    head = await ports.store.head()
    if not head.version:
        return await _begin_with_the_registrys(ports)
    if head == current.head:
        return None
    replica = await ports.store.stored_replica()
    if not await asyncio.to_thread(_is_sound, replica):
        because = f"the stored graph {head.version} does not have its root"
        current.hear_of(head.version, because)
        return await _adopt((), because, ports, at_least=head.version)
    try:
        current.swap(await _judge_of(replica, ports.make_judge))
    except GraphUnfit as unfit:
        current.hear_of(head.version, str(unfit))
        raise
    return None


async def newer_at_registry(ports: GraphPorts) -> Head | None:
    """The registry's head, where it is newer than the stored graph; None also where the registry does not say."""
    here = await ports.store.head()
    try:
        there = await ports.registry.head(here)
    except RegistryUnavailable:
        return None
    return there if there.version > here.version else None


async def catch_up(newer: Head, current: CurrentJudge, ports: GraphPorts) -> GraphNews | None:
    """Take the registry's graph, unless the stored one is as new as `newer` meanwhile: its commit was lost on the way.

    Raises RegistryUnavailable or GraphUnfit when it cannot be had; nothing is decided until it, or a later one, is.
    """
    if (await ports.store.head()).version >= newer.version:
        return None
    because = f"commit {newer.version} did not arrive"
    current.hear_of(newer.version, because)
    return await _adopt((), because, ports, at_least=newer.version)


def root_over(bodies: Bodies) -> str:
    """The root of a graph from its canonical objects, as `shared.graphroot` gives it."""
    return packed(bodies).root


def packed(bodies: Bodies) -> GraphCopy:
    """The same objects, packed; at once where they are."""
    return bodies if isinstance(bodies, GraphCopy) else GraphCopy.of(bodies)


def put_in(bodies: Bodies, changed: Bodies) -> tuple[Bodies, str]:
    """The graph with these objects put in, and its root: only what changed is packed and hashed."""
    after = packed(bodies).changed(changed)
    return after, after.root


async def _apply_all(parts: Sequence[CommitPart], tx: Transaction, make_judge: MakeJudge) -> tuple[GraphNews, ...]:
    """Raises GraphUnfit at the first part that does not fit, so that the transaction takes nothing of the batch."""
    if not parts:
        return ()
    replica, news = await tx.replica(), list[GraphNews]()
    for part in parts:
        step = await asyncio.to_thread(follow, replica, part, put_in)
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
            await _judge_of(after, make_judge)
            await tx.follow(after.head, changed)
            return after, (Applied(after.head),)
        case TooLarge(head):
            raise _ReadWhole(head)
        case Misfit(reason):
            raise GraphUnfit(reason)
        case _:
            assert_never(step)


async def _begin_with_the_registrys(ports: GraphPorts) -> GraphNews:
    """The first graph of a new router; its commits are repeats when they come."""
    try:
        adopted = await _adopt((), "there is no graph yet", ports, at_least=1)
    except RegistryUnavailable as away:
        raise NoGraphYet(str(away)) from away
    return Applied(adopted.head)


async def _adopt(spans: Sequence[Span], because: str, ports: GraphPorts, *, at_least: int) -> Adopted:
    """Take the registry's graph whole, if it has the root it states, can be read, and is new enough.

    Raises RegistryUnavailable, GraphUnfit; nothing has changed then.
    """
    try:
        replica = await ports.registry.graph()
    except RegistryUnavailable as away:
        raise RegistryUnavailable(f"{because}; the registry: {away}") from away
    if not await asyncio.to_thread(_is_sound, replica):
        raise GraphUnfit(f"the registry's graph {replica.head.version} does not have its root")
    if replica.head.version < at_least:
        raise GraphUnfit(f"the registry is at version {replica.head.version}, version {at_least} is known")
    await _judge_of(replica, ports.make_judge)
    async with ports.begin(spans) as tx:
        here = (await tx.replica()).head
        if replica.head.version < here.version:
            raise GraphUnfit(f"the registry is at version {replica.head.version}, we are at {here.version}")
        await tx.replace(replica)
    return Adopted(replica.head, because)


async def _judge_of(replica: Replica, make_judge: MakeJudge) -> Judge:
    """Raises GraphUnfit with the first problems of a graph that cannot be read."""
    try:
        return await asyncio.to_thread(make_judge, replica)
    except GraphInvalid as invalid:
        problems = "; ".join(map(str, invalid.problems[:PROBLEMS_SHOWN_MAX]))
        raise GraphUnfit(f"the graph {replica.head.version} cannot be read: {problems}".rstrip(": ")) from invalid


def _is_sound(replica: Replica) -> bool:
    return root_over(replica.bodies) == replica.head.root
