"""Routes of notices: lists, one with its attempts, the inbox, acknowledgements, redelivery and replays."""

import base64
import re
from datetime import UTC, datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response

from services.notifier.domain.errors import AcknowledgementClash, NothingThere
from services.notifier.domain.escalation import rests_on_a_guess
from services.notifier.domain.model import NoticeState
from services.notifier.entrypoints.desk import PAGE_MAX, Desk, Owner, Reading, Speaking, json_answer, scope_of
from services.notifier.entrypoints.forms import AcknowledgementForm, ReplayForm, request_body
from services.notifier.ports import InboxPage, Json, Listing, Place, Replay, ReplayState, Shown
from services.notifier.usecases import (
    Speaker,
    Stretch,
    acknowledge_notice,
    change_replay,
    read_inbox,
    redeliver_notice,
    start_replay,
)
from shared.contracts.envelope import rfc3339
from shared.http.cursors import After, cursor_of, place_of
from shared.http.params import PathId, QueryId
from shared.http.problems import FieldError, Problem, bad_fields
from shared.http.strictjson import parse

Limit = Annotated[int, Query(ge=1, le=PAGE_MAX)]
_PLACE = re.compile(r"(\d{1,18}) ([\w.:@-]{1,128})", re.ASCII)


def add_notice_routes(router: APIRouter, desk: Desk) -> None:
    """All of them."""
    _add_reading(router, desk)
    _add_inbox(router, desk)
    _add_words(router, desk)
    _add_replays(router, desk)
    _add_replay_states(router, desk)


def _add_reading(router: APIRouter, desk: Desk) -> None:
    @router.get("/v1/notices")
    async def list_notices(
        reading: Reading,
        concern_id: QueryId | None = None,
        state: NoticeState | None = None,
        after: After = "",
        limit: Limit = 50,
    ) -> Response:
        org = scope_of(reading)
        found = await desk.records.notices(Listing(org, concern_id, state, place_of(after), limit + 1))
        page = list(found[:limit])
        return json_answer({"items": page, "next": _cursor_after(page[-1]) if len(found) > limit else None})

    @router.get("/v1/notices/{notice_id}")
    async def get_notice(notice_id: PathId, reading: Reading) -> Response:
        notice = await desk.records.notice(notice_id)
        if notice is None or scope_of(reading) not in (None, notice["recipient"]):
            raise NothingThere
        return json_answer(notice)


def _add_inbox(router: APIRouter, desk: Desk) -> None:
    @router.get("/v1/inbox")
    async def get_inbox(reading: Reading, after: After = "", limit: Limit = 50) -> Response:
        """The caller's own notices, oldest first. `next` is where to go on, also when there is no more for now;
        `after` of an item is the place behind it, for who takes them one by one."""
        page = InboxPage(reading.org, inbox_place(after), limit)
        found = await read_inbox(page, clock=desk.clock, begin=desk.begin, records=desk.records)
        following = inbox_cursor((found[-1].inserted_by, found[-1].notice_id)) if found else after
        return json_answer({"items": [_in_inbox(one) for one in found], "next": following})


def _add_words(router: APIRouter, desk: Desk) -> None:
    @router.post("/v1/notices/{notice_id}/acknowledgements", openapi_extra=request_body(AcknowledgementForm))
    async def acknowledge(notice_id: PathId, request: Request, speaking: Speaking) -> Response:
        said = AcknowledgementForm.model_validate(parse(await request.body())).acknowledgement()
        speaker = Speaker(speaking.subject, speaking.org)
        try:
            done = await acknowledge_notice(notice_id, said, by=speaker, clock=desk.clock, begin=desk.begin)
        except AcknowledgementClash as clash:
            raise _clash(clash) from None
        desk.telemetry.line("notice.acknowledged", notice_id=notice_id, word=said.word.value, repeated=done.repeated)
        body = {"notice_id": notice_id, "state": done.state.value, "repeated": done.repeated}
        return json_answer(body, 200 if done.repeated else 201)

    @router.post("/v1/notices/{notice_id}/redelivery", status_code=202)
    async def redeliver(notice_id: PathId, speaking: Speaking) -> Response:
        made = await redeliver_notice(notice_id, org=scope_of(speaking), clock=desk.clock, begin=desk.begin)
        desk.changed()
        return json_answer({"notice_id": notice_id, "redelivery_id": made, "links": _link(f"/v1/notices/{made}")}, 202)


def _add_replays(router: APIRouter, desk: Desk) -> None:
    @router.post("/v1/replays", status_code=202, openapi_extra=request_body(ReplayForm))
    async def post_replay(request: Request, owner: Owner) -> Response:
        form = ReplayForm.model_validate(parse(await request.body()))
        recipient = form.recipient or owner.org
        if scope_of(owner) not in (None, recipient):
            raise bad_fields([FieldError("/recipient", "only an operator may replay to another organisation")])
        since, until = form.since.astimezone(UTC), form.until.astimezone(UTC)
        stretch = Stretch(recipient, since, until, form.rate_per_minute)
        replay = await start_replay(stretch, by=owner.subject, clock=desk.clock, begin=desk.begin)
        desk.telemetry.line("replay.started", replay_id=replay.replay_id, recipient=recipient, total=replay.total)
        return json_answer(_replay(replay), 202)

    @router.get("/v1/replays")
    async def list_replays(owner: Owner) -> Response:
        found = await desk.records.replays(scope_of(owner))
        return json_answer({"items": [_replay(one) for one in found], "next": None})

    @router.get("/v1/replays/{replay_id}")
    async def get_replay(replay_id: PathId, owner: Owner) -> Response:
        found = await desk.records.replays(scope_of(owner))
        shown = [_replay(one) for one in found if one.replay_id == replay_id]
        if not shown:
            raise NothingThere
        return json_answer(shown[0])


def _add_replay_states(router: APIRouter, desk: Desk) -> None:
    async def change(replay_id: str, state: ReplayState, org: str | None) -> Response:
        replay = await change_replay(replay_id, state, org=org, begin=desk.begin, records=desk.records)
        return json_answer(_replay(replay))

    @router.post("/v1/replays/{replay_id}/pause")
    async def pause_replay(replay_id: PathId, owner: Owner) -> Response:
        return await change(replay_id, ReplayState.PAUSED, scope_of(owner))

    @router.post("/v1/replays/{replay_id}/resume")
    async def resume_replay(replay_id: PathId, owner: Owner) -> Response:
        return await change(replay_id, ReplayState.RUNNING, scope_of(owner))

    @router.delete("/v1/replays/{replay_id}")
    async def cancel_replay(replay_id: PathId, owner: Owner) -> Response:
        return await change(replay_id, ReplayState.CANCELLED, scope_of(owner))


def inbox_cursor(place: Place) -> str:
    """A place in an inbox, opaque to the caller."""
    return base64.urlsafe_b64encode(f"{place[0]} {place[1]}".encode()).decode().rstrip("=")


def inbox_place(cursor: str) -> Place:
    """The place that a cursor of ours names; the start for an empty one. Raises Problem 422."""
    if not cursor:
        return (0, "")
    try:
        found = _PLACE.fullmatch(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii"))
    except ValueError:
        found = None
    if found is None:
        raise bad_fields([FieldError("/after", "this is no cursor of ours: take it from `next`, unchanged")])
    return (int(found[1]), found[2])


def _clash(clash: AcknowledgementClash) -> Problem:
    title = "This contradicts what was said of the notice before; nothing was changed"
    return Problem(409, "acknowledgement-clash", title, detail=f"{clash}.")


def _in_inbox(one: Shown) -> Json:
    return {
        "notice_id": one.notice_id,
        "after": inbox_cursor((one.inserted_by, one.notice_id)),
        "kind": one.subject.kind,
        "state": one.state.value,
        "registered_at": rfc3339(one.registered_at),
        "acknowledge_by": one.acknowledge_by and rfc3339(one.acknowledge_by),
        "provisional": rests_on_a_guess(one.acknowledge_by, one.acknowledge_within),
        "event": orjson.Fragment(one.body),
        "links": {"acknowledge": f"/v1/notices/{one.notice_id}/acknowledgements"},
    }


def _replay(replay: Replay) -> Json:
    return {
        "replay_id": replay.replay_id,
        "recipient": replay.recipient,
        "since": rfc3339(replay.since),
        "until": rfc3339(replay.until),
        "rate_per_minute": replay.rate_per_minute,
        "state": replay.state.value,
        "total": replay.total,
        "sent": replay.sent,
        "created_at": rfc3339(replay.created_at),
        "links": _link(f"/v1/replays/{replay.replay_id}"),
    }


def _link(path: str) -> Json:
    return {"self": path}


def _cursor_after(notice: Json) -> str:
    return cursor_of(datetime.fromisoformat(notice["registered_at"]), notice["notice_id"])
