"""Taking back what was told, on Postgres: a part of the router's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

import orjson
from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncConnection

from services.router.adapters import undoing_statements as sql
from services.router.domain.model import WorkItem
from services.router.domain.undoing import Settled, ToldNotice
from services.router.ports import Undoing
from shared.audit import audit_row
from shared.canonical import canonical
from shared.contracts.audit import AuditFact
from shared.contracts.decision import ConcernUndone
from shared.contracts.topics import DECISIONS, NOTICES
from shared.db.outbox import Outbox, OutboxRow


class UndoingPart:
    """What a transaction can take back; `offered` are the outbox rows to publish once it has committed."""

    def __init__(self, connection: AsyncConnection, outbox: Outbox) -> None:
        self._connection = connection
        self._outbox = outbox
        self.offered: list[OutboxRow] = []

    async def settle(self, settled: Mapping[str, Settled]) -> None:
        """These notices are with their bodies, or never will be; the first word on each stands."""
        names = sorted(settled)
        await self._connection.execute(sql.SETTLE, {"notice_ids": names, "settled": [settled[n] for n in names]})

    async def unsettled(self, version: int, now: datetime, limit: int) -> Sequence[ToldNotice]:
        """Notices that no graph of that version has looked at, or whose end has come; locked, others' left out."""
        unchecked = await self._connection.execute(sql.UNCHECKED, {"version": version, "row_count_max": limit})
        ending = await self._connection.execute(sql.ENDING, {"now": now, "row_count_max": limit})
        found = {row.notice_id: _told(row) for row in [*unchecked, *ending]}
        return list(found.values())

    async def checked(self, notice_id: str, version: int, withdraw_at: datetime | None) -> None:
        """A graph of that version lets the notice go, until that moment."""
        row = {"notice_id": notice_id, "version": version, "withdraw_at": withdraw_at}
        await self._connection.execute(sql.CHECK, row)

    async def told_before(self, concern_id: str, version: int) -> Sequence[ToldNotice]:
        """Who was told of earlier versions, but for what was taken back."""
        rows = await self._connection.execute(sql.TOLD_BEFORE, {"concern_id": concern_id, "version": version})
        return [_told(row) for row in rows]

    async def undo(self, undoing: Undoing) -> bool:
        """Take a notice back; False where it was before."""
        notice, event = undoing.issued.data, undoing.issued
        row = notice.model_dump(
            include={"notice_id", "decision_id", "concern_id", "version", "recipient", "kind", "ref"}
        )
        if not (await self._connection.execute(sql.UNDO, row)).rowcount:
            return False
        said = OutboxRow(event.id, NOTICES.name, notice.lane, notice.recipient, event.encode(), event.id)
        rows = [said, audit_row(undoing.fact)]
        await self._outbox.add(self._connection, rows)
        self.offered += rows
        return True

    async def say_undone(self, event: ConcernUndone) -> None:
        """Tell intake; what was said under this id is said once more, as it was said."""
        key = event.data.concern_id
        row = OutboxRow(event.id, DECISIONS.name, DECISIONS.partition_of(key), key, event.encode())
        await self._outbox.add(self._connection, [row])
        self.offered += await self._outbox.add_again(self._connection, [row.event_id])

    async def keep_recall(self, concern_id: str, reason: str, at: datetime) -> None:
        """The concern is recalled from now on."""
        await self._connection.execute(sql.RECALL, {"concern_id": concern_id, "reason": reason, "at": at})

    async def recalled_among(self, concern_ids: Sequence[str]) -> Mapping[str, str]:
        """Which of these concerns were recalled, each with its reason."""
        rows = await self._connection.execute(sql.RECALLED_AMONG, {"names": list(concern_ids)})
        return {row.concern_id: row.reason for row in rows}

    async def supersede(self, concern_id: str, version: int, at: datetime) -> None:
        """Nobody needs to look at the items of earlier versions any more."""
        body = canonical({"resolution": "superseded", "by_version": version})
        row = {"concern_id": concern_id, "version": version, "at": at, "body": body}
        await self._connection.execute(sql.SUPERSEDE, row)

    async def say(self, facts: Sequence[AuditFact]) -> None:
        """Record these and nothing else."""
        rows = [audit_row(fact) for fact in facts]
        await self._outbox.add(self._connection, rows)
        self.offered += rows

    async def open_item(self, item: WorkItem) -> None:
        """Something came back that a person must look at; the same again changes nothing."""
        row = {
            "item_id": item.item_id,
            "kind": item.kind,
            "concern_id": item.key.concern_id,
            "version": item.key.version,
            "round": item.key.round,
            "codes": orjson.dumps(item.codes).decode(),
            "bodies": orjson.dumps(item.bodies).decode(),
            "opened_at": item.opened_at,
            "ref": item.ref,
            "due_at": item.due_at,
        }
        await self._connection.execute(sql.OPEN_ITEM, row)


def _told(row: Row[tuple[object, ...]]) -> ToldNotice:
    return ToldNotice(row.notice_id, row.concern_id, row.version, row.recipient, row.settled)
