"""A work item as people see it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from services.router.domain.advice import BODIES_MAX, Missing
from services.router.domain.model import ItemEvent, WorkItem
from services.router.usecases import ItemLook
from shared.agreements import Trial, sentence
from shared.agreements.explain import Repair
from shared.agreements.reasons import SENTENCES
from shared.contracts.envelope import JsonObject, rfc3339

ROUTED_ON = (
    "originator", "originator_ref", "received_at", "incident_date", "categories", "topics", "functions", "flags",
    "purposes", "urgency", "nation", "setting", "victim", "fault_holder", "provider_status", "sensitivity",
    "source_type", "source_protected", "subject_informed", "named_recipients", "marking",
)  # fmt: skip
SUBJECT = ("kind", "registers", "org")
SAYS = {
    "UNROUTABLE": "This concern reached nobody.",
    "RETURNED": "The recipient sent it back as not meant for it.",
    "REFUSED": "The recipient refused it.",
    "SUBJECT_RECURS": "Independent sources raised concerns about one subject within the window of the policy.",
    "EMERGENCY_REVIEW": "Organisations were told in an emergency: somebody who did not decide it reviews that.",
    "SOURCE_CORRECTED": "A concern that this one was built on was corrected: see whether this one still stands.",
    "REPEAT_AFTER_CLOSURE": "A concern came on a subject whose matter a person had closed: think of reopening it.",
}


def item_view(item: WorkItem, now: datetime) -> JsonObject:
    """The item in a list."""
    return {
        "item_id": item.item_id,
        "kind": item.kind,
        "state": item.state(now),
        "concern_id": item.key.concern_id,
        "version": item.key.version,
        "round": item.key.round,
        "codes": list(item.codes),
        "organisations": list(item.bodies),
        **_refers_to(item),
        "owner": item.owner or None,
        "opened_at": rfc3339(item.opened_at),
        "age_seconds": int((now - item.opened_at).total_seconds()),
        "waits_until": rfc3339(item.waits_until) if item.waits_until else None,
        "due_at": rfc3339(item.due_at) if item.due_at else None,
        "overdue": item.is_overdue(now),
        "resolution": item.resolution,
        "resolved_at": rfc3339(item.resolved_at) if item.resolved_at else None,
    }


def _refers_to(item: WorkItem) -> JsonObject:
    if item.kind == "derived":
        return {"notice_id": None, "source": item.ref}
    if item.kind != "correlation":
        return {"notice_id": item.ref or None}
    return {"notice_id": None, "subject": item.ref, "see": f"/v1/correlations?subject-of={item.key.concern_id}"}


def whole_item_view(look: ItemLook, now: datetime) -> JsonObject:
    """The item alone: in words, with what it is about, its history, what is missing, and what can be done."""
    item = look.item
    return {
        **item_view(item, now),
        "concern": _concern(look.routing),
        "says": [_says(code) for code in item.codes],
        "history": [_event(event) for event in look.events],
        "missing": [_missing(row) for row in look.missing],
        "missing_shown": min(len(item.bodies), BODIES_MAX),
        "can_do": [] if item.resolution else list(_can_do(look)),
    }


def _concern(routing: Mapping[str, Any]) -> JsonObject:
    """What a gate looks at, and nothing by which a person could be told: no name, no number, no token."""
    about = {name: routing[name] for name in ROUTED_ON if name in routing}
    subjects = [{name: row[name] for name in SUBJECT if name in row} for row in routing.get("subjects") or ()]
    return {**about, "subjects": subjects}


def _says(code: str) -> str:
    return SAYS.get(code) or SENTENCES.get(code, f"The recipient says: {code}.")


def _event(event: ItemEvent) -> JsonObject:
    said = {name: value for name, value in event.body.items() if name != "request"}
    return {"event": event.event, "at": rfc3339(event.at), "principal": event.principal, **said}


def _missing(row: Missing) -> JsonObject:
    nearest, repair = row.explanation.nearest, row.explanation.repair
    return {
        "org": row.org,
        "class": row.explanation.outcome.klass.value,
        "reason": row.explanation.outcome.reason,
        "sentence": sentence(row.explanation.outcome.reason),
        "nearest": _trial(nearest) if nearest else None,
        "smallest_repair": _repair(repair) if repair else None,
        "may_be_told": row.manner,
    }


def _repair(repair: Repair) -> JsonObject:
    return {"clause": repair.because.cite, "gates": list(repair.gates), "would_be": repair.would_be.value}


def _trial(trial: Trial) -> JsonObject:
    words = {"reason": trial.reason, "sentence": sentence(trial.reason)} if trial.reason else {}
    return {
        "clause": trial.because.cite,
        "signed_as": {"discloser": trial.because.signed_as.discloser, "recipient": trial.because.signed_as.recipient},
        "passed": list(trial.passed),
        "failed": list(trial.failed),
        **words,
    }


def _can_do(look: ItemLook) -> list[JsonObject]:
    full = [row.org for row in look.missing if row.manner == "full"]
    pointer = [row.org for row in look.missing if row.manner == "pointer"]
    gaps = [row.org for row in look.missing if row.manner == "emergency"]
    found: list[JsonObject] = []
    if full:
        found.append({"action": "route", "organisations": full})
    if pointer:
        found.append({"action": "route", "pointer_only": True, "organisations": pointer, "needs": "a second person"})
    if gaps:
        found.append({"action": "emergency", "organisations": gaps, "see": _emergencies(look), "needs": "an approver"})
    return [*found, {"action": "wait"}, {"action": "close"}]


def _emergencies(look: ItemLook) -> str:
    return f"/v1/decisions/{look.item.key.concern_id}/emergencies"
