"""Panels on Postgres: a part of the router's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date

import orjson
from sqlalchemy import Row, text

from services.router.adapters.undoing import UndoingPart
from services.router.domain.convening import Due, Panel, PanelEvent
from services.router.domain.panels import PanelDue, PanelQuery
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
KEEP_PANEL = text("""
INSERT INTO router.panels (panel_id, opened_at, concern_id, state, convenor, invited)
VALUES (:panel_id, :at, :concern_id, :state, :convenor, :invited)
ON CONFLICT (panel_id) DO UPDATE SET state = excluded.state, invited = excluded.invited
""")
END_DUES = text("""
UPDATE router.panel_dues SET ended = true
WHERE panel_id = :panel_id AND NOT ended AND number <> ALL(CAST(:numbers AS integer[]))
""")
KEEP_DUES = text("""
INSERT INTO router.panel_dues (panel_id, number, day, owner, action)
SELECT :panel_id, * FROM UNNEST(
  CAST(:numbers AS integer[]), CAST(:days AS date[]), CAST(:owners AS text[]), CAST(:actions AS text[])
)
ON CONFLICT (panel_id, number) DO NOTHING
""")
PANELS = text("""
SELECT p.panel_id, e.number, e.event, e.at, e.principal, e.org, e.person, e.request, e.body
FROM (
  SELECT panel_id, opened_at FROM router.panels AS q
  WHERE (:everything OR q.convenor = :org OR :org = ANY(q.invited))
    AND (CAST(:state AS text) IS NULL OR q.state = :state)
    AND (CAST(:opened_at AS timestamptz) IS NULL OR (q.opened_at, q.panel_id) > (:opened_at, CAST(:after AS text)))
    AND (NOT :overdue OR EXISTS (
      SELECT FROM router.panel_dues AS d
      WHERE d.panel_id = q.panel_id AND NOT d.ended AND d.day < :today
        AND (:everything OR q.convenor = :org OR d.owner = :org OR d.action = '')
    ))
  ORDER BY q.opened_at, q.panel_id LIMIT :row_count_max
) AS p JOIN router.panel_events AS e USING (panel_id)
ORDER BY p.opened_at, p.panel_id, e.number
""")
OVERDUE_PANELS = text("""
WITH late AS (
  SELECT panel_id, number FROM router.panel_dues WHERE NOT ended AND NOT said AND day < :today
  ORDER BY day, panel_id, number LIMIT :row_count_max FOR UPDATE SKIP LOCKED
)
UPDATE router.panel_dues AS d SET said = true FROM late, router.panels AS p
WHERE (d.panel_id, d.number) = (late.panel_id, late.number) AND p.panel_id = d.panel_id
RETURNING p.panel_id, p.concern_id, d.number, d.day, d.owner, d.action
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
        return list(map(_event, rows))

    async def keep_panel_event(self, panel: Panel, event: PanelEvent, fact: AuditFact) -> bool:
        """Add an event under its number, and what the panel comes to with it; False where that number is taken."""
        row = {
            "panel_id": panel.panel_id,
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
        await self._connection.execute(KEEP_PANEL, _columns(panel, event))
        dues = _dues(panel)
        await self._connection.execute(END_DUES, {"panel_id": panel.panel_id, "numbers": dues["numbers"]})
        if panel.dues:
            await self._connection.execute(KEEP_DUES, dues)
        await self.say([fact])
        return True

    async def panels(self, query: PanelQuery) -> Mapping[str, Sequence[PanelEvent]]:
        """Panels in the order in which they were proposed, each with all that happened to it."""
        opened_at, after = query.after or (None, None)
        wanted = {
            "org": query.org,
            "everything": query.everything,
            "state": query.state,
            "overdue": query.overdue,
            "today": query.today,
            "opened_at": opened_at,
            "after": after,
            "row_count_max": query.limit,
        }
        found: dict[str, list[PanelEvent]] = {}
        for row in await self._connection.execute(PANELS, wanted):
            found.setdefault(row.panel_id, []).append(_event(row))
        return found

    async def overdue_panels(self, today: date, limit: int) -> Sequence[PanelDue]:
        """What should have been done before that day and of which that was not said yet; it is said with this."""
        rows = await self._connection.execute(OVERDUE_PANELS, {"today": today, "row_count_max": limit})
        found = [PanelDue(r.panel_id, r.concern_id, Due(r.number, r.day, r.owner, r.action)) for r in rows]
        return sorted(found, key=lambda one: (one.due.day, one.panel_id, one.due.number))

    async def invite(self, issued: NoticeIssued) -> None:
        """Send an invitation; the same again changes nothing."""
        notice = issued.data
        if not (await self._connection.execute(INVITE, notice.model_dump(include=INVITED))).rowcount:
            return
        rows = [OutboxRow(issued.id, NOTICES.name, notice.lane, notice.recipient, issued.encode(), issued.id)]
        await self._outbox.add(self._connection, rows)
        self.offered += rows


def _event(row: Row[tuple[object, ...]]) -> PanelEvent:
    by = Person(row.principal, row.org, row.person)
    return PanelEvent(row.number, row.event, row.at, by, row.request, orjson.loads(row.body))


def _columns(panel: Panel, event: PanelEvent) -> dict[str, object]:
    return {
        "panel_id": panel.panel_id,
        "at": event.at,
        "concern_id": panel.concern_id,
        "state": panel.state,
        "convenor": panel.convenor,
        "invited": sorted(panel.invited),
    }


def _dues(panel: Panel) -> dict[str, object]:
    return {
        "panel_id": panel.panel_id,
        "numbers": [one.number for one in panel.dues],
        "days": [one.day for one in panel.dues],
        "owners": [one.owner for one in panel.dues],
        "actions": [one.action for one in panel.dues],
    }
