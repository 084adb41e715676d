"""Sightings, suggestions and panels in memory: parts of the store, held to Postgres by the conformance suite."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from services.router.domain.convening import Panel, PanelEvent, panel_of
from services.router.domain.correlation import Sighting, Source, Suggested, Token, Viewer, may_link
from services.router.domain.model import PastRouting, WorkItem
from services.router.domain.panels import PanelDue, PanelQuery
from shared.canonical import canonical
from shared.contracts.audit import AuditFact
from shared.contracts.notice import NoticeIssued
from tests.support.router_state import State

EVERYTHING = Viewer("", everything=True)


class CorrelationPart:
    """What a transaction keeps and suggests."""

    state: State

    async def unfollowed(self, limit: int) -> Sequence[PastRouting]:
        waiting = [concern for place, concern in self.state.concerns.items() if place not in self.state.followed]
        waiting.sort(key=lambda concern: concern.accepted_at)
        return [PastRouting(c.concern_id, c.version, c.received_at, canonical(c.routing)) for c in waiting[:limit]]

    async def keep_sightings(self, followed: Sequence[PastRouting], seen: Sequence[Sighting]) -> None:
        for one in followed:
            self.state.followed.add((one.concern_id, one.version))
            earlier = [
                key
                for key, kept in self.state.sightings.items()
                if kept.concern_id == one.concern_id and kept.version < one.version
            ]
            for key in earlier:
                del self.state.sightings[key]
        for sighting in seen:
            versions = [version for name, version in self.state.concerns if name == sighting.concern_id]
            if sighting.version == max(versions):
                self.state.sightings.setdefault((sighting.token, sighting.concern_id), sighting)

    async def seen(self, tokens: Sequence[Token], since: datetime, until: datetime) -> Sequence[Sighting]:
        return in_slice(self.state, EVERYTHING, tokens, since, until)

    async def sources(
        self, tokens: Sequence[Token], since: datetime, until: datetime
    ) -> Mapping[Token, frozenset[Source]]:
        seen = in_slice(self.state, EVERYTHING, tokens, since, until)
        return {token: frozenset(one.source for one in seen if one.token == token) for token in tokens}

    async def suggested(self, tokens: Sequence[Token]) -> Mapping[Token, Sequence[Suggested]]:
        found: dict[Token, list[Suggested]] = {}
        for token, name in self.state.suggestions:
            item = self.state.items[name]
            if token in tokens:
                found.setdefault(token, []).append(Suggested(name, item.opened_at, item.resolved_at))
        return found

    async def suggest(self, item: WorkItem, tokens: Sequence[Token], fact: AuditFact) -> None:
        self.state.items.setdefault(item.item_id, item)
        self.state.suggestions += [(token, item.item_id) for token in tokens]
        self.state.facts.append(fact)

    async def panel_events(self, panel_id: str) -> Sequence[PanelEvent]:
        found = [event for (name, _), event in self.state.panels.items() if name == panel_id]
        return sorted(found, key=lambda event: event.number)

    async def keep_panel_event(self, panel: Panel, event: PanelEvent, fact: AuditFact) -> bool:
        if (panel.panel_id, event.number) in self.state.panels:
            return False
        self.state.panels[panel.panel_id, event.number] = event
        self.state.facts.append(fact)
        return True

    async def panels(self, query: PanelQuery) -> Mapping[str, Sequence[PanelEvent]]:
        every = {name: await self.panel_events(name) for name, _ in self.state.panels}
        places = sorted((events[0].at, name) for name, events in every.items())
        shown = [
            name
            for at, name in places
            if (query.after is None or (at, name) > query.after) and _is_asked_for(panel_of(name, every[name]), query)
        ]
        return {name: every[name] for name in shown[: query.limit]}

    async def overdue_panels(self, today: date, limit: int) -> Sequence[PanelDue]:
        panels = [panel_of(name, await self.panel_events(name)) for name in {name for name, _ in self.state.panels}]
        found = [
            PanelDue(panel.panel_id, panel.concern_id, due)
            for panel in panels
            for due in panel.dues
            if due.is_overdue(today) and (panel.panel_id, due.number) not in self.state.said_overdue
        ]
        found.sort(key=lambda one: (one.due.day, one.panel_id, one.due.number))
        self.state.said_overdue |= {(one.panel_id, one.due.number) for one in found[:limit]}
        return found[:limit]

    async def invite(self, issued: NoticeIssued) -> None:
        notice = issued.data
        key = (notice.concern_id, notice.version, notice.recipient, notice.kind, notice.ref)
        if self.state.notices.setdefault(key, notice.notice_id) == notice.notice_id and issued not in self.state.issued:
            self.state.issued.append(issued)


def _is_asked_for(panel: Panel, query: PanelQuery) -> bool:
    whole = query.everything or panel.convenor == query.org
    if not (whole or query.org in panel.invited) or query.state not in (None, panel.state):
        return False
    late = (one for one in panel.dues if one.is_overdue(query.today))
    return not query.overdue or any(whole or one.owner == query.org or not one.action for one in late)


class Sightings:
    """What a store shows of them."""

    state: State

    async def sightings_of(self, concern_id: str, viewer: Viewer) -> Sequence[Sighting] | None:
        own = (r.originator for k, r in self.state.decisions.items() if k.concern_id == concern_id)
        told = (t.recipient for t in self.state.told() if t.concern_id == concern_id and t.settled != "withdrawn")
        knowing = {*own, *told}
        if viewer.org not in knowing and not (viewer.everything and knowing):
            return None
        return [one for one in linked(self.state, viewer) if one.concern_id == concern_id]

    async def slice_of(
        self, tokens: Sequence[Token], viewer: Viewer, since: datetime, until: datetime
    ) -> Sequence[Sighting]:
        return in_slice(self.state, viewer, tokens, since, until)


def in_slice(state: State, viewer: Viewer, tokens: Sequence[Token], since: datetime, until: datetime) -> list[Sighting]:
    return [one for one in linked(state, viewer) if one.token in tokens and since < one.received_at < until]


def linked(state: State, viewer: Viewer) -> list[Sighting]:
    found = [
        one
        for one in state.sightings.values()
        if one.concern_id not in state.recalls
        and (viewer.everything or one.originator == viewer.org or may_link(one.kind, _told_row(state, one, viewer.org)))
    ]
    return sorted(found, key=lambda one: (one.received_at, one.concern_id, one.subject))


def _told_row(state: State, one: Sighting, org: str) -> Mapping[str, Any] | None:
    notices = (event.data for event in state.issued if event.data.kind == "tell")
    return next(
        (
            {"pointer_only": notice.pointer_only, "fields": notice.fields}
            for notice in notices
            if (notice.concern_id, notice.version, notice.recipient) == (one.concern_id, one.version, org)
            and state.settled.get(notice.notice_id) != "withdrawn"
        ),
        None,
    )
