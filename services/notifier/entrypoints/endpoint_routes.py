"""Routes of endpoints: registering, verifying, keys, pausing, testing, and how each of them does."""

import orjson
from fastapi import APIRouter, Request, Response

from services.notifier.domain.encryption import key_text, kid_of
from services.notifier.domain.errors import NotApproved, NotVerified, WishRefused
from services.notifier.domain.model import Endpoint, EndpointState
from services.notifier.domain.signature import public_text, secret_text
from services.notifier.entrypoints.desk import Approver, Desk, Owner, json_answer, scope_of
from services.notifier.entrypoints.forms import EncryptionForm, EndpointForm, request_body
from services.notifier.ports import Json
from services.notifier.usecases import (
    Registered,
    approve_endpoint,
    change_endpoint,
    encrypt_to,
    endpoint_of,
    published_keys,
    register_endpoint,
    rotate_keys,
    send_test,
    verify_endpoint,
)
from shared.contracts.envelope import rfc3339
from shared.http.auth import Principal
from shared.http.params import PathId
from shared.http.problems import FieldError, Problem, bad_fields
from shared.http.strictjson import parse

TEST_WORDS = "the answer of your endpoint, as it came"
WAITS = "its host is not on the list of this deployment: another operator must approve it, POST …/approval"


def add_endpoint_routes(router: APIRouter, desk: Desk) -> None:
    """All of them."""
    _add_registration(router, desk)
    _add_keys(router, desk)
    _add_reading(router, desk)
    _add_states(router, desk)
    _add_trials(router, desk)


def _add_registration(router: APIRouter, desk: Desk) -> None:
    @router.post("/v1/endpoints", status_code=201, openapi_extra=request_body(EndpointForm))
    async def post_endpoint(request: Request, owner: Owner) -> Response:
        form = EndpointForm.model_validate(parse(await request.body()))
        if form.client_certificate and (unusable := desk.certificate_fault(form.client_certificate)):
            raise bad_fields([FieldError("/client_certificate", unusable)])
        try:
            made = await register_endpoint(
                form.wanted(owner.org),
                by=owner.subject,
                rules=desk.rules,
                clock=desk.clock,
                endpoints=desk.endpoints,
            )
        except WishRefused as fault:
            raise _refused(fault) from None
        _say(desk, "endpoint.registered", made.endpoint)
        return json_answer(await _tried(desk, made.endpoint) | _keys(made), 201)

    @router.post("/v1/endpoints/{endpoint_id}/approval")
    async def approve(endpoint_id: PathId, approver: Approver) -> Response:
        """A second person lets requests go to a host that is not listed; then it is verified."""
        endpoint = await approve_endpoint(
            await _own(desk, endpoint_id, approver), by=approver.subject, clock=desk.clock, endpoints=desk.endpoints
        )
        _say(desk, "endpoint.approved", endpoint)
        return json_answer(await _tried(desk, endpoint))


def _add_keys(router: APIRouter, desk: Desk) -> None:
    @router.put("/v1/endpoints/{endpoint_id}/encryption-key", openapi_extra=request_body(EncryptionForm))
    async def put_encryption_key(endpoint_id: PathId, request: Request, owner: Owner) -> Response:
        endpoint = await _own(desk, endpoint_id, owner)
        form = EncryptionForm.model_validate(parse(await request.body()))
        try:
            key = key_text(form.encryption_key) if form.encryption_key else ""
        except WishRefused as fault:
            raise _refused(fault) from None
        endpoint = await encrypt_to(endpoint, key, clock=desk.clock, endpoints=desk.endpoints)
        _say(desk, "endpoint.encryption-key", endpoint)
        return json_answer(shown(endpoint))

    @router.post("/v1/endpoints/{endpoint_id}/rotation")
    async def rotate(endpoint_id: PathId, owner: Owner) -> Response:
        endpoint = await _own(desk, endpoint_id, owner)
        made = await rotate_keys(endpoint, clock=desk.clock, endpoints=desk.endpoints)
        _say(desk, "endpoint.rotated", endpoint)
        return json_answer(shown(endpoint) | _keys(made))

    @router.get("/v1/endpoints/{endpoint_id}/keys")
    async def get_keys(endpoint_id: PathId) -> Response:
        """Public: whoever holds a delivery may verify it."""
        keys = await published_keys(endpoint_id, clock=desk.clock, endpoints=desk.endpoints)
        return json_answer({"endpoint_id": endpoint_id, "keys": keys})


def _add_reading(router: APIRouter, desk: Desk) -> None:
    async def with_health(found: list[Endpoint]) -> list[Json]:
        health = await desk.records.health([endpoint.endpoint_id for endpoint in found])
        return [shown(endpoint) | {"health": health.get(endpoint.endpoint_id)} for endpoint in found]

    @router.get("/v1/endpoints")
    async def list_endpoints(owner: Owner) -> Response:
        found = await desk.endpoints.all_of(scope_of(owner))
        return json_answer({"items": await with_health(list(found)), "next": None})

    @router.get("/v1/endpoints/{endpoint_id}")
    async def get_endpoint(endpoint_id: PathId, owner: Owner) -> Response:
        (row,) = await with_health([await _own(desk, endpoint_id, owner)])
        return json_answer(row)


def _add_states(router: APIRouter, desk: Desk) -> None:
    async def change(endpoint_id: str, state: EndpointState, owner: Principal) -> Endpoint:
        before = await _own(desk, endpoint_id, owner)
        endpoint = await change_endpoint(before, state, rules=desk.rules, clock=desk.clock, endpoints=desk.endpoints)
        _say(desk, f"endpoint.{state.value}", endpoint)
        return endpoint

    @router.post("/v1/endpoints/{endpoint_id}/pause")
    async def pause_endpoint(endpoint_id: PathId, owner: Owner) -> Response:
        return json_answer(shown(await change(endpoint_id, EndpointState.PAUSED, owner)))

    @router.post("/v1/endpoints/{endpoint_id}/resume")
    async def resume_endpoint(endpoint_id: PathId, owner: Owner) -> Response:
        try:
            return json_answer(shown(await change(endpoint_id, EndpointState.ACTIVE, owner)))
        except NotVerified as fault:
            raise not_verified(fault) from None

    @router.delete("/v1/endpoints/{endpoint_id}", status_code=204)
    async def remove_endpoint(endpoint_id: PathId, owner: Owner) -> Response:
        await change(endpoint_id, EndpointState.REMOVED, owner)
        return Response(status_code=204)


def _add_trials(router: APIRouter, desk: Desk) -> None:
    @router.post("/v1/endpoints/{endpoint_id}/verification")
    async def verify(endpoint_id: PathId, owner: Owner) -> Response:
        try:
            endpoint = await _verify(desk, await _own(desk, endpoint_id, owner))
        except NotVerified as fault:
            raise not_verified(fault) from None
        return json_answer(shown(endpoint))

    @router.post("/v1/endpoints/{endpoint_id}/test")
    async def test(endpoint_id: PathId, owner: Owner) -> Response:
        endpoint = await _own(desk, endpoint_id, owner)
        answer = await send_test(endpoint, clock=desk.clock, wire=desk.wire, endpoints=desk.endpoints)
        said = answer.body.decode(errors="replace")
        return json_answer({"status": answer.status, "error": answer.error, "answer": said, "about": TEST_WORDS})


def not_verified(fault: NotVerified) -> Problem:
    """409 with what was missing."""
    title = "The endpoint has not shown that it wants our deliveries; nothing is sent to it"
    remedy = "Answer OPTIONS with WebHook-Allowed-Origin and WebHook-Allowed-Rate, or the test event with its challenge"
    return Problem(409, "not-verified", title, detail=f"{fault}. {remedy}; then POST …/verification again.")


def shown(endpoint: Endpoint) -> Json:
    """An endpoint as its owner sees it."""
    return {
        "endpoint_id": endpoint.endpoint_id,
        "org": endpoint.org,
        "url": endpoint.url,
        "description": endpoint.description,
        "state": endpoint.state.value,
        "reason": endpoint.reason,
        "created_at": rfc3339(endpoint.created_at),
        "alternate": endpoint.alternate,
        "rate_per_minute": endpoint.rate_per_minute,
        "retry_seconds": endpoint.retry_seconds and list(endpoint.retry_seconds),
        "in_order": endpoint.in_order,
        "encryption_key": _published(endpoint.encryption_key),
        "approved_by": endpoint.approved_by,
        "verified_at": endpoint.verified_at and rfc3339(endpoint.verified_at),
        "links": {
            "self": f"/v1/endpoints/{endpoint.endpoint_id}",
            "keys": f"/v1/endpoints/{endpoint.endpoint_id}/keys",
        },
    }


def _refused(fault: WishRefused) -> Problem:
    return bad_fields([FieldError(f"/{fault.wish}", str(fault))])


def _published(key: str) -> Json | None:
    return {**orjson.loads(key), "kid": kid_of(key)} if key else None


def _keys(made: Registered) -> Json:
    return {"secret": secret_text(made.keys.secret), "public_key": public_text(made.keys.seed)}


async def _own(desk: Desk, endpoint_id: str, owner: Principal) -> Endpoint:
    return await endpoint_of(endpoint_id, org=scope_of(owner), endpoints=desk.endpoints)


async def _tried(desk: Desk, endpoint: Endpoint) -> Json:
    """The endpoint as it is after it was asked, where it may be asked, or what it waits for."""
    if not desk.rules.verify or endpoint.verified_at is not None:
        return shown(endpoint)
    try:
        return shown(await _verify(desk, endpoint))
    except NotApproved:
        return shown(endpoint) | {"not_verified": WAITS}
    except NotVerified as fault:
        return shown(endpoint) | {"not_verified": str(fault)}


async def _verify(desk: Desk, endpoint: Endpoint) -> Endpoint:
    verified = await verify_endpoint(
        endpoint, rules=desk.rules, clock=desk.clock, wire=desk.wire, endpoints=desk.endpoints
    )
    _say(desk, "endpoint.verified", verified)
    return verified


def _say(desk: Desk, event: str, endpoint: Endpoint) -> None:
    desk.changed()
    desk.telemetry.line(event, endpoint_id=endpoint.endpoint_id, org=endpoint.org)
