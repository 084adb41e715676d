"""Panels on Postgres: a part of the router's transaction."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy import text

from services.router.adapters.undoing import UndoingPart
from services.router.domain.convening import PanelEvent
from services.router.domain.rounds import Person
from shared.canonical import canonical
from shared.contracts.audit import AuditFact
from shared.contracts.notice import NoticeIssued
from shared.contracts.topics import NOTICES
from shared.db.outbox import OutboxRow

EVENTS = text("""
SELECT number, event, at, principal, org, person, request, body FROM router.panel_events
WHERE panel_id = :panel_id ORDER BY number
""")
KEEP = text("""
INSERT INTO router.panel_events (panel_id, number, event, at, principal, org, person, request, body)
VALUES (:panel_id, :number, :event, :at, :principal, :org, :person, :request, :body)
ON CONFLICT (panel_id, number) DO NOTHING
""")
INVITE = text("""
INSERT INTO router.notices (notice_id, decision_id, concern_id, version, recipient, kind, ref)
VALUES (:notice_id, :decision_id, :concern_id, :version, :recipient, :kind, :ref)
ON CONFLICT (concern_id, version, recipient, kind, ref) DO NOTHING
""")
INVITED = {"notice_id", "decision_id", "concern_id", "version", "recipient", "kind", "ref"}


class ConveningPart(UndoingPart):
    """What a transaction does about panels."""

    async def panel_events(self, panel_id: str) -> Sequence[PanelEvent]:
        """All that happened to a panel, in order; () where there is none."""
        rows = await self._connection.execute(EVENTS, {"panel_id": panel_id})
        return [
            PanelEvent(
                row.number,
                row.event,
                row.at,
                Person(row.principal, row.org, row.person),
                row.request,
                orjson.loads(row.body),
            )
            for row in rows
        ]

    async def keep_panel_event(self, panel_id: str, event: PanelEvent, fact: AuditFact) -> bool:
        """Add an event under its number; False where that number is taken."""
        row = {
            "panel_id": panel_id,
            "number": event.number,
            "event": event.event,
            "at": event.at,
            "principal": event.by.principal,
            "org": event.by.org,
            "person": event.by.name,
            "request": event.request,
            "body": canonical(event.body),
        }
        if not (await self._connection.execute(KEEP, row)).rowcount:
            return False
        await self.say([fact])
        return True

    async def invite(self, issued: NoticeIssued) -> None:
        """Send an invitation; the same again changes nothing."""
        notice = issued.data
        if not (await self._connection.execute(INVITE, notice.model_dump(include=INVITED))).rowcount:
            return
        rows = [OutboxRow(issued.id, NOTICES.name, notice.lane, notice.recipient, issued.encode(), issued.id)]
        await self._outbox.add(self._connection, rows)
        self.offered += rows
