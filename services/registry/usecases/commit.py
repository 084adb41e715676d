"""Add a change to the graph as one commit: checked, rooted, told to the routers and to the audit log."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from services.registry.domain.model import (
    Change,
    Commit,
    Committed,
    Defect,
    GraphObject,
    Outcome,
    Refused,
    Row,
    Stale,
    Unchanged,
)
from services.registry.domain.packed import PackedObjects
from services.registry.domain.policy import changed, defects_of
from services.registry.ports import Begin, History
from services.registry.usecases.graph import graph_of
from shared.agreements.load import load
from shared.canonical import canonical, digest
from shared.clock import Clock
from shared.contracts.audit import AuditFact, FactKind
from shared.contracts.envelope import JsonObject
from shared.contracts.graph import GraphCommit, GraphCommitted
from shared.graphroot import graph_root, object_key
from shared.ids import derived_id
from shared.parts import in_parts
from shared.trace import current_trace

SERVICE = "registry"
SEED_PRINCIPAL = "seed"
PART_BYTES_MAX = 900_000
"""Objects of one record, at most: Kafka refuses a record above 1 MB."""
PARTS_MAX = 8
"""A commit of more parts is announced without its objects, and the routers read the graph whole."""
EMPTY = Commit(0, "", "", datetime.min.replace(tzinfo=UTC), "", "", "IMPORTED")
"""What stands before the first commit."""


async def import_seed(read_seed: Callable[[], Sequence[JsonObject]], *, begin: Begin, clock: Clock) -> Commit:
    """Make the seed the first commit of an empty graph; gives the head, whoever made it.

    The seed is read only when it is needed. Raises what `read_seed` raises, GraphInvalid with every problem of the
    seed, and GraphDamaged where what is stored is not what was committed.
    """
    async with begin() as history:
        if head := await history.head():
            await graph_of(history, head)
            return head
        rows = read_seed()
        load(rows)
        seed = Change(0, SEED_PRINCIPAL, "The seed of the graph", _sorted(map(as_object, rows)), "IMPORTED")
        first = _next(EMPTY, seed, graph_root(rows), clock.now())
        if await _append(history, first):
            return first
        return await history.head() or EMPTY  # another registry was faster


async def append_change(
    history: History, head: Commit, current: Sequence[GraphObject], change: Change, clock: Clock
) -> Outcome:
    """Add a change to the graph in a transaction that is open already.

    `current` is the graph at `head`, sorted by kind and id. Only Committed leaves anything in the transaction; a commit
    that somebody else made first is Stale. Only what the change touches is checked and hashed, off the event loop.
    """
    packed = await asyncio.to_thread(PackedObjects.of, current)
    new = await asyncio.to_thread(changed, packed, change.objects)
    if not new:
        return Unchanged(head)
    if change.parent_version != head.version:
        return Stale(head)
    if found := await asyncio.to_thread(defects_in, packed, change.objects):
        return Refused(found)
    root = await asyncio.to_thread(_root_with, packed, new)
    commit = _next(head, replace(change, objects=new), root, clock.now())
    if not await _append(history, commit):
        return Stale(await history.head() or head)
    return Committed(commit)


def defects_in(current: PackedObjects, asked: Sequence[GraphObject]) -> tuple[Defect, ...]:
    """What is wrong with the graph after the change. What was found sound when it was filled or assessed still is."""
    return current.found_in(asked, lambda: defects_of(current, asked))


def as_object(row: Row) -> GraphObject:
    """The graph object of a row that has a kind and an id. Raises NotCanonical."""
    kind, object_id = object_key(row)
    return GraphObject(kind, object_id, canonical(row))


def as_contract(commit: Commit, *, part: int = 1, parts: int = 1) -> GraphCommit:
    """The commit as other services read it."""
    return GraphCommit(
        version=commit.version,
        parent_root=commit.parent_root,
        root=commit.root,
        committed_at=commit.committed_at,
        principal=commit.principal,
        reason=commit.reason,
        objects=[dict(item.row()) for item in commit.objects],
        part=part,
        parts=parts,
    )


def _root_with(current: PackedObjects, new: Sequence[GraphObject]) -> str:
    return current.with_objects(new).root


def _next(head: Commit, change: Change, root: str, now: datetime) -> Commit:
    return Commit(
        version=head.version + 1,
        parent_root=head.root,
        root=root,
        committed_at=max(now, head.committed_at),  # a clock that is set back must not reorder what was known when
        principal=change.principal,
        reason=change.reason,
        event=change.event,
        objects=change.objects,
    )


async def _append(history: History, commit: Commit) -> bool:
    if not await history.append(commit):
        return False
    await history.publish(_events(commit))
    await history.record(_facts(commit))
    return True


def _events(commit: Commit) -> list[GraphCommitted]:
    if is_large(commit):
        return [_event(commit, as_contract(replace(commit, objects=())).model_copy(update={"complete": False}))]
    parts = list(in_parts(commit.objects, lambda item: len(item.body), size_max=PART_BYTES_MAX))
    return [
        _event(commit, as_contract(replace(commit, objects=part), part=number, parts=len(parts)))
        for number, part in enumerate(parts, 1)
    ]


def is_large(commit: Commit) -> bool:
    """Whether the commit is too large for the topic."""
    return sum(len(item.body) for item in commit.objects) > PARTS_MAX * PART_BYTES_MAX


def _event(commit: Commit, data: GraphCommit) -> GraphCommitted:
    return GraphCommitted(
        id=derived_id("gco", commit.root, commit.version, data.part),
        source=f"/concordat/{SERVICE}",
        time=commit.committed_at,
        subject=f"graph/{commit.version}",
        traceparent=current_trace(),
        data=data,
    )


def _facts(commit: Commit) -> list[AuditFact]:
    """One fact for the commit; for each object that a person changed one more.

    The root vouches for a whole import, and for a commit that is too large for the topic.
    """
    about = {
        "version": commit.version,
        "parent_root": commit.parent_root,
        "root": commit.root,
        "reason_digest": digest(commit.reason.encode()),
        "objects": len(commit.objects),
    }
    facts = [_fact("graph-commit", commit, about)]
    if commit.event == "IMPORTED" or is_large(commit):
        event = {"event": commit.event, "version": commit.version, "root": commit.root}
        return [*facts, _fact("agreement-event", commit, event)]
    return facts + [_fact("agreement-event", commit, _changed_fact(commit, item)) for item in commit.objects]


def _changed_fact(commit: Commit, item: GraphObject) -> JsonObject:
    about = {"object_kind": item.kind, "object_id": item.id, "digest": digest(item.body)}
    return {"event": commit.event, "version": commit.version, **about}


def _fact(kind: FactKind, commit: Commit, body: JsonObject) -> AuditFact:
    return AuditFact(
        fact_id=derived_id("fct", kind, commit.version, commit.root, body.get("object_kind"), body.get("object_id")),
        kind=kind,
        at=commit.committed_at,
        service=SERVICE,
        actor=commit.principal,
        body=body,
    )


def _sorted(objects: Iterable[GraphObject]) -> tuple[GraphObject, ...]:
    return tuple(sorted(objects, key=lambda item: item.key))
