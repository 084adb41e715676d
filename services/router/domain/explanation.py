"""Who may read what of a decision, in plain words. Pure: from the stored decision to what an asker sees.

Explanations leak, so each asker has a view of its own: operators see the whole decision, the originator sees whom it
told or may tell and why it waits, nobody else sees that there is a decision at all.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from shared.agreements import Class, sentence

JsonObject = dict[str, Any]
Notices = Mapping[str, str]
"""The notice of each body that was told, by body; empty for a preview."""


def operator_view(decision: JsonObject, notices: Notices) -> JsonObject:
    """The total decision with a sentence for each reason; every organisation of the graph is in it once."""
    return {
        **decision,
        "told": [{**_explained(row), **_notice(row, notices)} for row in decision["told"]],
        "available": [_explained(row) for row in decision["available"]],
        "not_told": {klass: list(_grouped(rows)) for klass, rows in decision["not_told"].items()},
        "hold": _holds(decision),
    }


def originator_view(decision: JsonObject, notices: Notices) -> JsonObject:
    """Whom the concern goes to, whom the originator may choose, and why it waits; of the others only how many."""
    return {
        "originator": decision["originator"],
        "totals": decision["totals"],
        "told": [{**_in_short(row), **_notice(row, notices)} for row in decision["told"]],
        "available": [_in_short(row) for row in decision["available"]],
        "hold": _holds(decision),
        "detail": decision["detail"],
        "unroutable": decision["unroutable"],
    }


def organisation_view(decision: JsonObject, org: str, notices: Notices) -> JsonObject | None:
    """Why one organisation is told or not; None where the graph of the decision has no such organisation."""
    if org == decision["originator"]:
        return {"org": org, "class": Class.ORIGINATOR.value, **_worded("ORIGINATOR")}
    for klass in (Class.TOLD.value, Class.AVAILABLE.value):
        for row in decision[klass]:
            if row["org"] == org:
                return {"class": klass, **_explained(row), **_notice(row, notices)}
    for klass, by_reason in decision["not_told"].items():
        for reason, orgs in by_reason.items():
            if org in orgs:
                return {"org": org, "class": klass, **_worded(reason)}
    return None


def recipient_view(decision: JsonObject, org: str, notices: Notices) -> JsonObject:
    """Why a body that was told is told: itself alone, and nobody else. Where a later round no longer tells it, that
    it was told is all that is said."""
    told = next((row for row in decision["told"] if row["org"] == org), None)
    return {"org": org, **_notice({"org": org}, notices), **({"class": "told", **_explained(told)} if told else {})}


def _explained(row: JsonObject) -> JsonObject:
    return {**row, "sentence": sentence(row["reason"])}


def _in_short(row: JsonObject) -> JsonObject:
    return {"org": row["org"], **_worded(row["reason"])}


def _worded(reason: str) -> JsonObject:
    return {"reason": reason, "sentence": sentence(reason)}


def _notice(row: JsonObject, notices: Notices) -> JsonObject:
    return {"notice_id": notices[row["org"]]} if row["org"] in notices else {}


def _grouped(by_reason: Mapping[str, list[str]]) -> Iterable[JsonObject]:
    return ({**_worded(reason), "organisations": orgs} for reason, orgs in by_reason.items())


def _holds(decision: JsonObject) -> list[JsonObject]:
    return [{"code": code, "sentence": sentence(code)} for code in decision["hold"]]
