"""Between later rounds and queues in the router's words, and their rows."""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from services.router.adapters import round_statements as more
from services.router.adapters import statements as sql
from services.router.adapters import undoing_statements as undoing
from services.router.adapters.rows import record_of
from services.router.domain.model import Concern, DecisionKey, ItemEvent, ItemQuery, WorkItem
from services.router.domain.rounds import Act, Dossier, Opened, PastDecision, Person
from shared.canonical import canonical


async def dossier_of(connection: AsyncConnection, concern_id: str, version: int | None) -> Dossier | None:
    """All that is stored of that version (the newest for None), of one moment as far as rounds go.

    A round that another transaction adds meanwhile is not in it; its key then refuses the one opened on this.
    """
    wanted: dict[str, Any] = {"concern_id": concern_id, "version": version}
    newest = (await connection.execute(sql.DECISION, wanted)).one_or_none()
    if newest is None:
        return None
    wanted["version"] = newest.version
    concern = (await connection.execute(more.CONCERN, wanted)).one_or_none()
    if concern is None:
        return None
    acts = await connection.execute(more.ACTS, wanted)
    opened = tuple(one for one in map(opened_of, acts) if one.key.round <= newest.round)
    notices = (await connection.execute(sql.TOLD, wanted)).all()
    told = {row.recipient: row.notice_id for row in notices}
    taken_back = frozenset(row.recipient for row in notices if row.settled == "withdrawn")
    items = tuple(map(work_item_of, await connection.execute(more.OPEN_ITEMS, wanted)))
    recalled = bool((await connection.execute(undoing.RECALLED, {"concern_id": concern_id})).scalar_one())
    return Dossier(concern_of(concern), record_of(newest), opened, told, items, recalled, taken_back)


def concern_of(row: Row[Any]) -> Concern:
    """A concern from a row of `round_statements.CONCERN`."""
    return Concern(
        concern_id=row.concern_id,
        version=row.version,
        digest=row.digest,
        accepted_at=row.accepted_at,
        routing=orjson.loads(row.routing),
        sealed=orjson.loads(row.sealed),
        traceparent=row.traceparent,
    )


def past_decision_of(row: Row[Any]) -> PastDecision:
    """A decision and what it was decided on from a row of `round_statements.PAST_DECISIONS`."""
    concern = Concern(
        concern_id=row.concern_id,
        version=row.version,
        digest=row.concern_digest,
        accepted_at=row.accepted_at,
        routing=orjson.loads(row.routing),
        sealed=orjson.loads(row.sealed),
        traceparent=row.traceparent,
    )
    return PastDecision(record_of(row), concern, dict(row.choices or {}))


def opened_of(row: Row[Any]) -> Opened:
    """A round and its act from a row of `round_statements.ACTS`."""
    act = Act(
        kind=row.kind,
        by=Person(row.principal, row.org, row.person),
        reason=row.reason,
        organisations=tuple(row.organisations),
        request=row.request,
        choices=dict(row.choices),
        routing=orjson.loads(row.routing) if row.routing else None,
        record=orjson.loads(row.record) if row.record else None,
    )
    return Opened(row.decision_id, DecisionKey(row.concern_id, row.version, row.round), row.at, act)


def row_of_opened(opened: Opened) -> dict[str, Any]:
    """The parameters of `round_statements.KEEP_ACT`."""
    key, act = opened.key, opened.act
    return {
        "concern_id": key.concern_id,
        "version": key.version,
        "round": key.round,
        "decision_id": opened.decision_id,
        "kind": act.kind,
        "principal": act.by.principal,
        "org": act.by.org,
        "person": act.by.name,
        "reason": act.reason,
        "organisations": orjson.dumps(act.organisations).decode(),
        "request": act.request,
        "choices": canonical(dict(act.choices)).decode(),
        "routing": None if act.routing is None else canonical(act.routing),
        "record": None if act.record is None else canonical(act.record),
        "at": opened.at,
    }


def work_item_of(row: Row[Any]) -> WorkItem:
    """A work item from a row of its columns."""
    return WorkItem(
        item_id=row.item_id,
        kind=row.kind,
        key=DecisionKey(row.concern_id, row.version, row.round),
        codes=tuple(row.codes),
        bodies=tuple(row.bodies),
        opened_at=row.opened_at,
        ref=row.ref,
        owner=row.owner,
        waits_until=row.waits_until,
        resolution=row.resolution,
        resolved_at=row.resolved_at,
        due_at=row.due_at,
    )


def item_event_of(row: Row[Any]) -> ItemEvent:
    """What happened to a work item from a row of `round_statements.ITEM_EVENTS`."""
    return ItemEvent(row.event, row.at, row.principal, orjson.loads(row.body))


def row_of_note(item: WorkItem, event: ItemEvent) -> dict[str, Any]:
    """The parameters of `round_statements.NOTE`."""
    return {
        "item_id": item.item_id,
        "owner": item.owner,
        "waits_until": item.waits_until,
        "resolution": item.resolution,
        "resolved_at": item.resolved_at,
        "event": event.event,
        "at": event.at,
        "principal": event.principal,
        "body": canonical(event.body),
    }


def columns_of_query(query: ItemQuery) -> dict[str, Any]:
    """The parameters of `round_statements.WORK_ITEMS` and `CLOSED_ITEMS`."""
    wanted: dict[str, Any] = {
        "kind": query.kind,
        "opened_at": query.after.opened_at if query.after else None,
        "item_id": query.after.item_id if query.after else None,
        "row_count_max": query.limit,
    }
    return wanted if query.state == "closed" else {**wanted, "state": query.state, "now": query.now}
