"""What is said of a verdict, written by the contracts once: of the next concern that is decided alike only ids, moments
and its own content are another, and these are filled in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import orjson

from services.router.domain.model import Concern, DecisionRecord, Verdict
from services.router.usecases.events import issued_event, routed_event
from shared.contracts.concern import Sealed
from shared.contracts.envelope import CloudEvent, rfc3339
from shared.contracts.notice import NoticeIssued
from shared.contracts.topics import lane_of

Values = Mapping[bytes, bytes]
"""The JSON of each blank, by its name."""

# No id of a graph begins so. What is filled in is never looked at again, whatever it holds.
_CONCERN, _DECISION, _DIGEST, _TRACE, _NOTICE = "\0concern", "\0decision", "\0digest", "\0trace", "\0notice"
_ROUTING = {"\0routing": None}
_SEALED = Sealed(kid="\0", wrapped_key="\0", nonce="\0", ciphertext="\0")
_ACCEPTED_AT, _DECIDED_AT = (datetime(1, 1, 1, microsecond=n, tzinfo=UTC) for n in (1, 2))
_BLANKS: Values = {
    b"concern": orjson.dumps(_CONCERN),
    b"decision": orjson.dumps(_DECISION),
    b"digest": orjson.dumps(_DIGEST),
    b"trace": orjson.dumps(_TRACE),
    b"notice": orjson.dumps(_NOTICE),
    b"routing": orjson.dumps(_ROUTING),
    b"sealed": _SEALED.model_dump_json().encode(),
    b"accepted_at": orjson.dumps(rfc3339(_ACCEPTED_AT)),
    b"decided_at": orjson.dumps(rfc3339(_DECIDED_AT)),
}


def values_of(concern: Concern, record: DecisionRecord) -> dict[bytes, bytes]:
    """What is filled in for one decision, as the contracts would write it; the notices come to it."""
    return {
        b"concern": orjson.dumps(concern.concern_id),
        b"decision": orjson.dumps(record.decision_id),
        b"digest": orjson.dumps(record.digest),
        b"trace": orjson.dumps(concern.traceparent),
        b"routing": orjson.dumps(concern.routing),
        b"sealed": Sealed.model_validate(concern.sealed).model_dump_json().encode(),
        b"accepted_at": orjson.dumps(rfc3339(concern.accepted_at)),
        b"decided_at": orjson.dumps(rfc3339(record.decided_at)),
    }


class Form:
    """An event with blanks. Filled in, it is byte for byte what the contract writes."""

    def __init__(self, event: CloudEvent, blanks: Values) -> None:
        text = event.encode().replace(b"%", b"%%")
        for name, blank in blanks.items():
            text = text.replace(blank, b"%%(%b)b" % name)
        self._text = text

    def filled(self, values: Values) -> bytes:
        """The bytes of the event with these values."""
        return self._text % values


@dataclass(frozen=True, slots=True)
class NoticeForm:
    """The notice of one body, with blanks."""

    recipient: str
    lane: int
    form: Form


@dataclass(frozen=True, slots=True)
class Wording:
    """The forms of all that is said of a verdict; `routed` has a blank for the notice of each body, by its place."""

    routed: Form
    notices: tuple[NoticeForm, ...]


def wording_of(concern: Concern, verdict: Verdict, record: DecisionRecord) -> Wording:
    """Kept with the verdict for as long as that is remembered."""
    kind = record.graph, record.key.version, record.key.round, concern.traceparent is None
    found = verdict.kept.get(kind)
    if found is None:
        verdict.kept[kind] = found = _written(_blank_concern(concern), verdict, _blank_record(record))
    wording: Wording = found
    return wording


def told_place(place: int) -> bytes:
    """The name of the blank for the notice of the body that is told at that place."""
    return b"notice-%d" % place


def _written(concern: Concern, verdict: Verdict, record: DecisionRecord) -> Wording:
    marks = {outcome.org: f"{_NOTICE}-{place}" for place, outcome in enumerate(verdict.told)}
    places = {told_place(place): orjson.dumps(mark) for place, mark in enumerate(marks.values())}
    return Wording(
        Form(routed_event(concern, verdict, record, marks), {**places, **_BLANKS}),
        tuple(_notice_form(issued_event(concern, outcome, record, _NOTICE)) for outcome in verdict.told),
    )


def _notice_form(event: NoticeIssued) -> NoticeForm:
    return NoticeForm(event.data.recipient, lane_of(event.data.recipient), Form(event, _BLANKS))


def _blank_concern(concern: Concern) -> Concern:
    return replace(
        concern,
        concern_id=_CONCERN,
        accepted_at=_ACCEPTED_AT,
        routing=_ROUTING,
        sealed=_SEALED.model_dump(),
        traceparent=None if concern.traceparent is None else _TRACE,
    )


def _blank_record(record: DecisionRecord) -> DecisionRecord:
    return replace(record, decision_id=_DECISION, digest=_DIGEST, decided_at=_DECIDED_AT)
