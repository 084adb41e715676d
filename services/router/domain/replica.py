"""The router's copy of the graph: which commit follows, which is a repeat, and which does not fit. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from services.router.domain.model import Head

ObjectKey = tuple[str, str]
"""Kind and id of a graph object."""
Bodies = Mapping[ObjectKey, bytes]
"""The canonical bytes of graph objects."""
PutIn = Callable[[Bodies, Bodies], tuple[Bodies, str]]
"""The graph with other objects put in, and its root; the graph that was there stays as it is."""


@dataclass(frozen=True, slots=True)
class CommitPart:
    """One part (of `parts`, from 1) of a commit; `bodies` are the objects that it adds or changes.

    A commit that is not `complete` is too large for the topic: it states its root and holds no object.
    """

    version: int
    parent_root: str
    root: str
    part: int
    parts: int
    bodies: Bodies
    complete: bool = True

    @property
    def head(self) -> Head:
        """What the graph is after the whole commit."""
        return Head(self.version, self.root)


@dataclass(frozen=True, slots=True)
class Replica:
    """The graph as it is here, and the parts of the next commit that have come so far."""

    head: Head
    bodies: Bodies
    pending: tuple[CommitPart, ...] = ()


@dataclass(frozen=True, slots=True)
class Repeated:
    """Here already."""


@dataclass(frozen=True, slots=True)
class Collected:
    """A part of a commit that is not yet whole."""

    replica: Replica


@dataclass(frozen=True, slots=True)
class Complete:
    """The graph after the commit, its root checked."""

    replica: Replica
    changed: Bodies


@dataclass(frozen=True, slots=True)
class Misfit:
    """A gap, or a root that does not come out."""

    reason: str


@dataclass(frozen=True, slots=True)
class TooLarge:
    """A commit whose objects are to be had from the registry alone."""

    head: Head


Step = Repeated | Collected | Complete | Misfit | TooLarge


def follow(replica: Replica, part: CommitPart, put_in: PutIn) -> Step:
    """What a commit (or a part of one) does to the copy: applied only in order and only with the root it states."""
    arrived = len(replica.pending)
    if part.version <= replica.head.version:
        return Repeated()
    if not part.complete:
        return TooLarge(part.head)
    if reason := _misfit(replica, part):
        return Misfit(reason)
    if part.part <= arrived:
        return Repeated()
    if part.part != arrived + 1:
        return Misfit(f"part {part.part} of commit {part.version} came after part {arrived}")
    parts = (*replica.pending, part)
    if len(parts) < part.parts:
        return Collected(Replica(replica.head, replica.bodies, parts))
    return _completed(replica, parts, put_in)


def _misfit(replica: Replica, part: CommitPart) -> str | None:
    head = replica.head
    if part.version != head.version + 1:
        return f"commit {part.version} came after version {head.version}"
    if part.parent_root != head.root:
        return f"commit {part.version} builds on another graph than version {head.version} here"
    if any(earlier.root != part.root for earlier in replica.pending):
        return f"the parts of commit {part.version} state different roots"
    return None


def _completed(replica: Replica, parts: tuple[CommitPart, ...], put_in: PutIn) -> Complete | Misfit:
    changed = {key: body for part in parts for key, body in part.bodies.items()}
    after, root = put_in(replica.bodies, changed)
    head = parts[-1].head
    if root != head.root:
        return Misfit(f"commit {head.version} does not give the root it states")
    return Complete(Replica(head, after), changed)
