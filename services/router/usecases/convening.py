"""A named person convenes a meeting about a concern, and what is said and agreed there is recorded. Never by itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.router.domain.convening import EventName, Level, Panel, PanelEvent, PanelKind, panel_of
from services.router.domain.forums import Forum, forum_on
from services.router.domain.panel_rules import refused
from services.router.domain.rounds import Dossier, Person
from services.router.ports import Transaction
from services.router.usecases.desk import Desk, Sitting
from services.router.usecases.pointing import invitation_of
from services.router.usecases.rounds import Absent
from shared.agreements.days import civil_day
from shared.canonical import canonical, digest
from shared.contracts.audit import AuditFact
from shared.ids import derived_id, new_id

INVITING: frozenset[EventName] = frozenset({"convened", "invited"})


@dataclass(frozen=True, slots=True)
class Proposal:
    """Which meeting about which concerns, proposed by whom; `key` makes a repeat find the same panel.

    `any_concern`: the person works on the queues and sees every concern; others convene about what their body knows.
    """

    kind: PanelKind
    concern_ids: tuple[str, ...]
    reason: str
    quorum: int
    by: Person
    key: str
    request: str
    any_concern: bool = False
    level: Level | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What a person does next; `number` is that of the last event that the person has seen.

    `convenes`: the person may record what is the convenor's to record, where the panel is its body's.
    """

    panel_id: str
    event: EventName
    body: Mapping[str, Any]
    by: Person
    number: int
    request: str
    convenes: bool = True


@dataclass(frozen=True, slots=True)
class Convened:
    """The panel as it is now, with everything that happened."""

    panel: Panel
    events: Sequence[PanelEvent]


@dataclass(frozen=True, slots=True)
class CannotBe:
    """Why not; nothing was changed. `stale`: somebody else acted meanwhile."""

    reason: str
    stale: bool = False


PanelResult = Convened | CannotBe | Absent


async def propose_panel(proposal: Proposal, desk: Desk) -> PanelResult:
    """Open a panel of the forum that the graph names today. Raises NoGraphYet, GraphBehind."""
    panel_id = derived_id("pnl", proposal.by.principal, proposal.key)
    async with desk.begin() as tx:
        if known := await tx.panel_events(panel_id):
            same = known[0].request == proposal.request
            return _convened(panel_id, known) if same else CannotBe("this Idempotency-Key was used for another panel")
        for concern_id in proposal.concern_ids:
            if not await _may_convene_about(concern_id, proposal, tx):
                return Absent()
        sitting = desk.sitting(tx)
        forum = forum_on(sitting.judge.snapshot, proposal.kind, civil_day(sitting.now))
        if isinstance(forum, str):
            return CannotBe(forum)
        event = PanelEvent(
            1, "proposed", sitting.now, proposal.by, proposal.request, _opening(proposal, forum, sitting)
        )
        return await _keep(panel_id, proposal.concern_ids[0], (), event, tx)


async def take_step(step: Step, desk: Desk) -> PanelResult:
    """Record the next thing about a panel; invitations go out in the same transaction."""
    async with desk.begin() as tx:
        events = await tx.panel_events(step.panel_id)
        panel = panel_of(step.panel_id, events) if events else None
        if panel is None or step.by.org not in panel.invited | {panel.convenor}:
            return Absent()
        if any(one.request == step.request for one in events):
            return _convened(step.panel_id, events)
        if step.number != panel.number:
            return CannotBe(f"the panel is at event {panel.number}", stale=True)
        if why := refused(panel, step.event, step.body, step.by.org, convenes=step.convenes):
            return CannotBe(why)
        sitting = desk.sitting(tx)
        body = step.body
        if step.event in INVITING:
            about = await _invite(panel, events[0].body["kind"], step, sitting)
            if isinstance(about, str):
                return CannotBe(about)
            body = {**body, "about": about}
        event = PanelEvent(panel.number + 1, step.event, sitting.now, step.by, step.request, body)
        return await _keep(step.panel_id, panel.concern_id, events, event, tx)


async def look_at_panel(panel_id: str, desk: Desk) -> Convened | Absent:
    """The panel, for whoever may see it."""
    async with desk.begin() as tx:
        events = await tx.panel_events(panel_id)
    return _convened(panel_id, events) if events else Absent()


async def _may_convene_about(concern_id: str, proposal: Proposal, tx: Transaction) -> bool:
    """A duty router about any concern that stands, others about what their body raised or was told of (P20)."""
    if not (proposal.any_concern or await tx.knows_of(concern_id, proposal.by.org)):
        return False
    dossier = await tx.dossier(concern_id, None)
    if dossier is None or dossier.recalled:
        return False
    return proposal.any_concern or await _knows(dossier, proposal.by.org, tx)


async def _invite(panel: Panel, kind: PanelKind, step: Step, sitting: Sitting) -> dict[str, list[str]] | str:
    """Invite bodies, now or later, each by the concerns that it was told of; gives these, by body, or why not.

    All of those who are named, or nobody: whoever is invited late, and has its invitation, is refused by name.
    """
    known = await _invitable(panel, kind, sorted(set(step.body["organisations"])), sitting)
    if isinstance(known, str):
        return known
    about = {org: [one.concern.concern_id for one in dossiers] for org, dossiers in known.items()}
    if step.event == "invited" and (again := [org for org, names in about.items() if panel.has_invited(org, names)]):
        return f"invited already: {', '.join(again)}"
    for org, dossiers in known.items():
        if org != panel.convenor:
            await _send(panel.panel_id, org, dossiers, sitting)
    return about


async def _invitable(
    panel: Panel, kind: PanelKind, wanted: Sequence[str], sitting: Sitting
) -> dict[str, list[Dossier]] | str:
    """What each of these was told of, where all belong to the forum today.

    Else says who does not belong, or was told of none: an invitation is a pointer to what its recipient was told
    already, so nobody learns of a concern by it.
    """
    dossiers = [one for name in panel.concern_ids if (one := await sitting.tx.dossier(name, None)) and not one.recalled]
    if not dossiers:
        return "every concern that it is about was recalled"
    forum = forum_on(sitting.judge.snapshot, kind, civil_day(sitting.now))
    if isinstance(forum, str):
        return forum
    if forum.members is not None and (strangers := sorted(set(wanted) - forum.members)):
        return f"no members of {forum.name} today: {', '.join(strangers)}"
    known = {org: [one for one in dossiers if await _knows(one, org, sitting.tx)] for org in wanted}
    if untold := [org for org, about in known.items() if not about]:
        return f"not told of this version of the concern, so choose or route them first: {', '.join(untold)}"
    return known


async def _send(panel_id: str, org: str, about: Sequence[Dossier], sitting: Sitting) -> None:
    for dossier in about:
        await sitting.tx.invite(invitation_of(panel_id, org, dossier, (sitting.judge.head, sitting.now)))


async def _knows(dossier: Dossier, org: str, tx: Transaction) -> bool:
    key = dossier.concern
    told = await tx.told_before(key.concern_id, key.version + 1)
    return org == dossier.newest.originator or any((t.recipient, t.version) == (org, key.version) for t in told)


def _opening(proposal: Proposal, forum: Forum, sitting: Sitting) -> dict[str, Any]:
    head = sitting.judge.head
    return {
        "kind": proposal.kind,
        "concern_id": proposal.concern_ids[0],
        "also": list(proposal.concern_ids[1:]),
        "reason": proposal.reason,
        "quorum": proposal.quorum,
        "level": proposal.level,
        "forum": forum.id,
        "named": forum.name,
        "source": list(forum.source),
        "agreement": forum.agreement,
        "members": None if forum.members is None else sorted(forum.members),
        "graph": {"version": head.version, "root": head.root},
    }


async def _keep(
    panel_id: str, concern_id: str, before: Sequence[PanelEvent], event: PanelEvent, tx: Transaction
) -> PanelResult:
    convened = _convened(panel_id, [*before, event])
    if not await tx.keep_panel_event(convened.panel, event, _fact(panel_id, concern_id, event)):
        return CannotBe("somebody else acted meanwhile", stale=True)
    return convened


def _fact(panel_id: str, concern_id: str, event: PanelEvent) -> AuditFact:
    """Ids, and the digest of what was said."""
    return AuditFact(
        fact_id=new_id("fct"),
        kind="work-item",
        concern_id=concern_id,
        at=event.at,
        service="router",
        actor=event.by.principal,
        body={
            "panel_id": panel_id,
            "number": event.number,
            "event": event.event,
            "org": event.by.org,
            "body_digest": digest(canonical(event.body)),
        },
    )


def _convened(panel_id: str, events: Sequence[PanelEvent]) -> Convened:
    return Convened(panel_of(panel_id, events), events)
