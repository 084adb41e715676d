"""What askers see of the acts that opened later rounds: reasons and names are for those who act, and who oversee."""

from __future__ import annotations

from services.router.domain.rounds import Opened
from shared.contracts.envelope import JsonObject, rfc3339


def whole_round_view(opened: Opened) -> JsonObject:
    """One later round, and the act that opened it: for operators, auditors, and the organisation that acted."""
    act = opened.act
    return {
        **_opening(opened),
        "by": {"principal": act.by.principal, "org": act.by.org, "name": act.by.name},
        "reason": act.reason,
        "choices": dict(act.choices),
        "record": act.record,
    }


def round_view_for(org: str, opened: Opened) -> JsonObject:
    """The same for the originator: of what others did only that they did it, and whom they told by it."""
    by = opened.act.by
    if by.org == org:
        return whole_round_view(opened)
    return {**_opening(opened), "by": {"org": by.org}}


def _opening(opened: Opened) -> JsonObject:
    return {
        "round": opened.key.round,
        "decision_id": opened.decision_id,
        "kind": opened.act.kind,
        "at": rfc3339(opened.at),
        "organisations": list(opened.act.organisations),
    }
