"""What points to a concern and says no more than its header: invitations, withdrawals, recalls, and their facts."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from services.router.domain.model import Head
from services.router.domain.rounds import Dossier
from services.router.domain.undoing import ToldNotice, UndoingKind
from services.router.ports import Undoing
from services.router.usecases.events import SOURCE
from shared.agreements import Duties
from shared.contracts.audit import AuditFact
from shared.contracts.concern import Sealed
from shared.contracts.decision import ConcernUndone, NoticeTakenBack, UndoneConcern
from shared.contracts.notice import Notice, NoticeIssued
from shared.contracts.topics import lane_of
from shared.ids import derived_id


def undoing_of(
    kind: UndoingKind, told: ToldNotice, dossier: Dossier, reason: str, sitting: tuple[Head, datetime]
) -> Undoing:
    """The notice that takes another back: it carries nothing that the other did not, and of that a pointer only."""
    issued = _pointer(
        dossier,
        sitting,
        notice_id=derived_id("ntc", kind, told.notice_id),
        concern_id=told.concern_id,
        version=told.version,
        kind=kind,
        ref=told.notice_id,
        recipient=told.recipient,
        reason=reason,
    )
    return Undoing(issued, _undoing_fact(issued.data, sitting[1]))


def invitation_of(panel_id: str, org: str, dossier: Dossier, sitting: tuple[Head, datetime]) -> NoticeIssued:
    """The notice that invites a body to a panel: a pointer to a concern that it was told of, and nothing more."""
    concern = dossier.concern
    return _pointer(
        dossier,
        sitting,
        notice_id=derived_id("ntc", "invitation", panel_id, org, concern.concern_id, concern.version),
        concern_id=concern.concern_id,
        version=concern.version,
        kind="invitation",
        ref=panel_id,
        recipient=org,
        reason="INVITED",
    )


def _pointer(dossier: Dossier, sitting: tuple[Head, datetime], *, recipient: str, **named: Any) -> NoticeIssued:
    """A notice that says of a concern no more than its header, by the newest decision on it; `named` is what it is."""
    graph, now = sitting
    concern, newest = dossier.concern, dossier.newest
    notice = Notice(
        **named,
        recipient=recipient,
        lane=lane_of(recipient),
        decision_id=newest.decision_id,
        round=newest.key.round,
        because=[],
        fields={"header": "full"},
        withheld={},
        pointer_only=True,
        duties=Duties().to_json(),
        onward="none",
        graph_version=graph.version,
        graph_root=graph.root,
        accepted_at=concern.accepted_at,
        routing=dict(concern.routing),
        sealed=Sealed.model_validate(concern.sealed),
    )
    return NoticeIssued(
        id=notice.notice_id, source=SOURCE, time=now, subject=notice.concern_id,
        traceparent=concern.traceparent, data=notice,
    )  # fmt: skip


def undone_of(concern_id: str, kind: UndoingKind, undoings: Sequence[Undoing], now: datetime) -> ConcernUndone:
    """What intake is told of it; the same is said under the same id."""
    notices = [undoing.issued.data for undoing in undoings]
    rows = [
        NoticeTakenBack(org=n.recipient, notice_id=n.notice_id, of=n.ref, version=n.version, reason=n.reason)
        for n in notices
    ]
    return ConcernUndone(
        id=derived_id("evt", kind, concern_id, *(notice.notice_id for notice in notices)),
        source=SOURCE,
        time=now,
        subject=concern_id,
        data=UndoneConcern(concern_id=concern_id, kind=kind, undone_at=now, notices=rows),
    )


def _undoing_fact(notice: Notice, now: datetime) -> AuditFact:
    return AuditFact(
        fact_id=derived_id("fct", notice.notice_id),
        kind="decision",
        concern_id=notice.concern_id,
        at=now,
        service="router",
        actor="router",
        body={
            "undoing": notice.kind,
            "notice_id": notice.notice_id,
            "of": notice.ref,
            "version": notice.version,
            "recipient": notice.recipient,
            "reason": notice.reason,
            "graph": {"version": notice.graph_version, "root": notice.graph_root},
        },
    )
