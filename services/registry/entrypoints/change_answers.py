"""What goes out about changes: their state, their history, and why a step was not taken."""

from collections.abc import Mapping
from typing import Any, assert_never

import orjson
from fastapi import Response

from services.registry.domain.change import ChangeEvent, Proposal
from services.registry.domain.change_rules import Need, Refusal
from services.registry.domain.model import Refused
from services.registry.entrypoints.forms import refusal
from services.registry.usecases.change import Result, StaleChange, Taken, UnknownChange
from services.registry.usecases.change_content import OtherContent
from services.registry.usecases.change_views import ChangeView
from shared.contracts.envelope import rfc3339
from shared.http.problems import FieldError, Problem, not_found

STATUS: Mapping[str, int] = {
    "forbidden": 403,
    "own-change": 403,
    "stale-version": 412,
    "stale-change": 412,
    "invalid-objects": 422,
    "not-needed": 422,
    "no-evidence": 422,
}
"""Of each refusal by its code; any other is 409: the change is not in a state for it."""


def answer(result: Result | OtherContent, *, status: int = 200) -> Response:
    """The change after the step with its ETag; `status` where the step is new. Raises Problem for everything else."""
    match result:
        case Taken(proposal, repeated):
            headers = {"ETag": etag(proposal), "Location": f"/v1/changes/{proposal.change_id}"}
            if repeated:
                headers["Idempotent-Replayed"] = "true"
            return json_answer(summary(proposal), 200 if repeated else status, headers)
        case Refused(defects):
            raise refusal(defects)
        case Refusal() as refused:
            raise problem_of(refused)
        case StaleChange(number):
            detail = f'Its newest ETag is "{number}". Read the change, and send the step again where it still holds.'
            raise Problem(412, "stale-change", "The change has moved on; nothing was stored", detail)
        case UnknownChange():
            raise not_found()
        case OtherContent(change_id):
            detail = f"It became {change_id}. Use a new key for another change."
            raise Problem(409, "key-used", "This Idempotency-Key was used for something else", detail)
        case _:
            assert_never(result)


def problem_of(refused: Refusal) -> Problem:
    """A refusal as a problem document."""
    errors = [FieldError(place.pointer, place.detail) for place in refused.places]
    return Problem(STATUS.get(refused.code, 409), refused.code, refused.title, refused.remedy, errors)


def etag(proposal: Proposal) -> str:
    """The number of the last event: each step is taken on top of the one before it."""
    return f'"{proposal.number}"'


def view(shown: ChangeView) -> dict[str, Any]:
    """A change with its history and what is missing."""
    history = [_event(event) for event in shown.log.events]
    return {**summary(shown.proposal), "needs": [_need(need) for need in shown.needs], "history": history}


def summary(proposal: Proposal) -> dict[str, Any]:
    """What the events of a change add up to."""
    drafted, scheduled = proposal.drafted, proposal.scheduled
    return {
        "change_id": proposal.change_id,
        "state": proposal.state,
        "title": drafted.title,
        "reason": drafted.reason,
        "event": proposal.event,
        "drafted_at": rfc3339(proposal.drafted_at),
        "authors": sorted(proposal.authors),
        "parent_version": proposal.parent_version,
        "revision": proposal.revision,
        "objects": proposal.object_count,
        "more": proposal.incomplete,
        "reviewed_by": proposal.reviewer,
        "assessment": _assessment(proposal),
        "approved_by": list(proposal.approvers),
        "signatures": len(proposal.signatures),
        "version": scheduled.version if scheduled else None,
    }


def _assessment(proposal: Proposal) -> dict[str, Any] | None:
    found = proposal.assessment
    if found is None:
        return None
    base = {"version": found.base_version, "root": found.base_root}
    return {"difference": found.difference, "base": base, "passes": found.passes, "signatures": found.signatures}


def _need(need: Need) -> dict[str, Any]:
    signature = need.signature
    row = {"step": need.step, "role": need.role, "who": need.who, "detail": need.detail}
    if signature is None:
        return row
    terms = {"agreement": signature.agreement, "party": signature.party, "terms_digest": signature.terms_digest}
    return {**row, **terms}


def _event(event: ChangeEvent) -> dict[str, Any]:
    head = {"number": event.number, "event": event.name, "at": rfc3339(event.at), "principal": event.principal}
    return {**head, "said": event.body()}


def json_answer(body: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer that nobody keeps unasked."""
    return Response(
        orjson.dumps(body), status, {"Cache-Control": "no-cache", **(headers or {})}, media_type="application/json"
    )
