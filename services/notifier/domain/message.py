"""What is said to a recipient: a CloudEvent, built once and sent as the same bytes on every attempt."""

from collections.abc import Mapping, Sequence
from typing import Any

Json = dict[str, Any]

TYPES = {
    "tell": "uk.concordat.notice.told.v1",
    "recall": "uk.concordat.notice.recalled.v1",
    "withdrawal": "uk.concordat.notice.withdrawn.v1",
    "invitation": "uk.concordat.notice.invited.v1",
    "reminder": "uk.concordat.notice.reminded.v1",
    "suspension": "uk.concordat.endpoint.suspended.v1",
    "test": "uk.concordat.endpoint.tested.v1",
}
"""The type of the event by the notice's kind, in the past tense."""

REPLAYED_HEADER = "concordat-replayed"
"""Stands on what is sent again at somebody's wish: the id and the bytes are those of the first time."""
CONTENT_TYPE = "application/cloudevents+json; charset=utf-8"
NOT_AGREED = "the agreements leave it out for this recipient"


def clause_in_words(because: Mapping[str, Any]) -> Json:
    """A telling clause for people: its citation, and a sentence that names the parties as signed."""
    cite = f"{because['agreement']}/{because['clause']}"
    signed = {role: org for role, org in because["signed_as"].items() if org}
    parties = " and ".join(f"{org} as {role}" for role, org in sorted(signed.items()))
    words = f"Clause {because['clause']} of {because['agreement']}"
    words += f", signed by {parties}" if parties else ""
    words += f", through {', '.join(because['path'])}" if because["path"] else ""
    return {"cite": cite, "sentence": words + ".", "signed_as": signed, "path": list(because["path"])}


def withheld_in_words(stated: Mapping[str, str], found: frozenset[str]) -> list[Json]:
    """Each class that is left out with the reason: the router's where it gave one."""
    reasons = {**dict.fromkeys(found, NOT_AGREED), **stated}
    return [{"class": klass, "reason": reason} for klass, reason in sorted(reasons.items())]


def cloud_event(kind: str, *, notice_id: str, concern_id: str, time: str, data: Json) -> Json:
    """CloudEvents 1.0, structured: the id is the notice's, so it is the `webhook-id`, too."""
    return {
        "specversion": "1.0",
        "id": notice_id,
        "source": "/concordat/notifier",
        "type": TYPES[kind],
        "time": time,
        "subject": concern_id,
        "datacontenttype": "application/json",
        "data": data,
    }


def reference(notice_id: str, concern_id: str, version: int) -> Json:
    """Where the recipient can ask for the notice."""
    return {"notice_id": notice_id, "concern_id": concern_id, "version": version, "path": f"/v1/notices/{notice_id}"}


def detail_path(notice_id: str) -> str:
    """Where the recipient can ask for what was left out."""
    return f"/v1/notices/{notice_id}/detail"


def clauses(because: Sequence[Mapping[str, Any]]) -> list[Json]:
    """All telling clauses, in order."""
    return [clause_in_words(row) for row in because]
