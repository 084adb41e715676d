"""Read the graph as it stands, as it stood, and as it was known."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.registry.domain.errors import GraphDamaged
from services.registry.domain.model import Commit, StoredObject
from services.registry.domain.packed import PackedObjects
from services.registry.ports import Begin, History


@dataclass(frozen=True, slots=True)
class At:
    """Which graph is asked for: that of a version, or as known at a moment; neither: the newest."""

    version: int | None = None
    known_at: datetime | None = None


NEWEST = At()


@dataclass(frozen=True, slots=True)
class Graph:
    """The graph at a version: its commit, and its objects sorted by kind and id."""

    commit: Commit
    objects: PackedObjects


async def read_head(*, begin: Begin) -> Commit | None:
    """The newest commit, without its objects; None while the graph is empty."""
    return await read_commit(NEWEST, begin=begin)


async def read_commit(at: At, *, begin: Begin) -> Commit | None:
    """The commit that made the graph which is asked for, without its objects; None where there is none."""
    async with begin() as history:
        return await commit_of(history, at)


async def read_graph(version: int | None, *, begin: Begin) -> Graph | None:
    """The graph at a version, or the newest; None where there is none. Raises GraphDamaged."""
    async with begin() as history:
        commit = await commit_of(history, At(version))
        return await graph_of(history, commit) if commit else None


async def read_commits(*, after: int, count_max: int, begin: Begin) -> Sequence[Commit]:
    """The commits with a version above `after`, oldest first, with their objects."""
    async with begin() as history:
        return await history.commits(after=after, count_max=count_max)


async def find_object(kind: str, object_id: str, *, begin: Begin) -> StoredObject | None:
    """The newest state of one object."""
    async with begin() as history:
        return await history.find(kind, object_id)


async def commit_of(history: History, at: At) -> Commit | None:
    """The commit that made the graph which is asked for, without its objects; None where there is none."""
    if at.version is not None:
        return await history.commit(at.version)
    return await (history.head() if at.known_at is None else history.known_at(at.known_at))


async def graph_of(history: History, commit: Commit) -> Graph:
    """The graph of a commit. Raises GraphDamaged where what is stored does not give its root."""
    objects = await history.graph(commit.version)
    packed = await asyncio.to_thread(PackedObjects.of, objects)
    if commit.version and packed.root != commit.root:
        raise GraphDamaged(commit.version)
    return Graph(commit, packed)
