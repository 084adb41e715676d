"""The decisions of intake, all pure: whether a submission may come in, what of it is sealed, what is known already."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from services.intake.domain.errors import (
    HistoricNotAllowed,
    HistoricNotEntitled,
    NotTheFirstVersion,
    NotTheOriginator,
    ReceivedInTheFuture,
)
from services.intake.domain.identifiers import Identifier, read_identifier
from services.intake.domain.model import (
    Answer,
    Body,
    Clash,
    Concern,
    Fields,
    Followed,
    IdentifierFlag,
    NotNext,
    Over,
    Parts,
    RecallAnswer,
    RecallReason,
    RecallReceipt,
    Receipt,
    Stored,
    Submission,
    Thread,
    Unfit,
)

TokenOf = Callable[[str, str], Mapping[str, Any]]
"""Scheme and normalised value to `{kid, token}`."""

CLEAR_FIELDS = (
    "originator", "originator_ref", "version", "incident_date", "categories", "topics", "functions", "flags",
    "purposes", "urgency", "nation", "setting", "victim", "fault_holder", "provider_status", "sensitivity",
    "source_type", "source_protected", "named_recipients", "contact", "marking", "onward", "gateways", "necessity",
    "subject_informed", "min_graph_token",
)  # fmt: skip
SEALED_FIELDS = {
    "summary": "narrative",
    "immediate_action": "narrative",
    "source": "source-identity",
}
"""Sealed fields of the concern itself, with their field class; `subjects` and `annex` have a class for each item."""

CLASS_OF_KIND = {"registrant": "registrant", "service-user": "service-user", "unregistered-person": "third-party"}
ORGANISATION_KINDS = frozenset(
    {"provider", "setting", "learning-environment", "profession", "public-body", "product", "system"}
)


def admit(submission: Submission, *, now: datetime, allow_historic: bool) -> None:
    """Let a submission in, or raise the IntakeFault that keeps it out."""
    if submission.body["originator"] != submission.caller.org:
        raise NotTheOriginator
    if submission.body["version"] != 1:
        raise NotTheFirstVersion
    admit_receipt(submission, now=now, allow_historic=allow_historic)


def admit_receipt(submission: Submission, *, now: datetime, allow_historic: bool) -> None:
    """Let a stated moment of receipt stand, or raise the IntakeFault that keeps it out."""
    if submission.received_at is None:
        return
    if not allow_historic:
        raise HistoricNotAllowed
    if not submission.caller.historic:
        raise HistoricNotEntitled
    if submission.received_at > now:
        raise ReceivedInTheFuture


def class_of_kind(kind: str) -> str:
    """The field class of a subject's name and identifiers; an unknown kind gets the most protective one."""
    return "provider" if kind in ORGANISATION_KINDS else CLASS_OF_KIND.get(kind, "third-party")


def split(body: Body, *, token_of: TokenOf) -> Parts:
    """Cut a concern into clear routing and sealed detail; no value of a sealed field enters the routing.

    The detail's `subjects` stand in the order of the routing's, an empty object where there is nothing to seal.
    """
    subjects = [_Subject(index, row, token_of) for index, row in enumerate(body.get("subjects", ()))]
    routing = {name: body[name] for name in CLEAR_FIELDS if name in body}
    detail = {name: body[name] for name in (*SEALED_FIELDS, "annex") if name in body}
    if subjects:
        routing["subjects"] = [subject.clear for subject in subjects]
        detail["subjects"] = [subject.sealed for subject in subjects]
    routing["field_classes"] = sorted(_field_classes(body))
    flags = tuple(flag for subject in subjects for flag in subject.flags)
    tokens = (row["token"] for subject in subjects for row in subject.clear.get("tokens", ()))
    return Parts(routing, detail, flags, next(tokens, None))


def settle(concern: Concern, stored: Stored) -> Answer:
    """What to say of a concern whose key is on disk."""
    if stored.body_mac != concern.body_mac:
        return Clash(concern.key)
    replayed = stored.concern_id != concern.id
    return Receipt(stored.concern_id, concern.key.version, concern.flags, replayed)


def follow(submission: Submission, concern: Concern, thread: Thread) -> Followed | None:
    """What to say of a version that follows others; None: it is the next one, and may be stored.

    What is stored already is answered as it was, whatever came later.
    """
    stored = {"originator": thread.originator, "originator_ref": thread.originator_ref}
    strange = tuple(f"/{name}" for name, value in stored.items() if submission.body[name] != value)
    if strange:
        return Unfit(strange)
    if thread.body_mac == concern.body_mac:
        return Receipt(thread.concern_id, concern.key.version, concern.flags, replayed=True)
    if thread.recall is not None:
        return Over(thread.recall)
    if thread.body_mac is not None:
        return Clash(concern.key)
    return None if concern.key.version == thread.last + 1 else NotNext(thread.last)


def settle_recall(thread: Thread, reason: RecallReason) -> RecallAnswer | None:
    """What to say of a recall; None: it is the first, and may be stored."""
    if thread.recall is None:
        return None
    if thread.recall.reason != reason:
        return Over(thread.recall)
    return RecallReceipt(thread.concern_id, thread.recall, replayed=True)


class _Subject:
    """One subject, cut in two."""

    __slots__ = ("clear", "flags", "sealed")

    def __init__(self, index: int, row: Mapping[str, Any], token_of: TokenOf) -> None:
        found = [read_identifier(i["scheme"], i["value"]) for i in row.get("identifiers", ())]
        self.clear: Fields = {name: row[name] for name in ("kind", "registers", "org") if name in row}
        self.sealed: Fields = {"name": row["name"]} if "name" in row else {}
        if found:
            self.clear["tokens"] = [_token(identifier, token_of) for identifier in found]
            self.sealed["identifiers"] = [_sealed_identifier(identifier) for identifier in found]
        self.flags = [
            IdentifierFlag(f"/subjects/{index}/identifiers/{at}/value", identifier.scheme, identifier.fault)
            for at, identifier in enumerate(found)
            if identifier.fault is not None
        ]


def _token(identifier: Identifier, token_of: TokenOf) -> Fields:
    token = token_of(identifier.scheme, identifier.normalised)
    return {"scheme": identifier.scheme, **token, "valid": identifier.valid}


def _sealed_identifier(identifier: Identifier) -> Fields:
    return {
        "scheme": identifier.scheme,
        "value": identifier.raw,
        "normalised": identifier.normalised,
        "valid": identifier.valid,
    }


def _field_classes(body: Body) -> Iterable[str]:
    classes = {klass for name, klass in SEALED_FIELDS.items() if name in body}
    classes.update(item["class"] for item in body.get("annex", ()))
    classes.update(
        class_of_kind(row["kind"]) for row in body.get("subjects", ()) if "name" in row or row.get("identifiers")
    )
    return classes
