"""What every request about a change carries: who asks, a key or a tag, a body."""

import asyncio
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Depends, Header, Request
from pydantic import BaseModel

from services.registry.domain.change_rules import Actor
from services.registry.domain.errors import GraphDamaged
from services.registry.usecases.change import Ask
from services.registry.usecases.change_views import sees_all
from shared.http import strictjson
from shared.http.auth import Principal, caller
from shared.http.params import PathId
from shared.http.problems import Problem
from shared.telemetry import Telemetry

LARGE_BYTES = 65_536
FormT = TypeVar("FormT", bound=BaseModel)
IfMatch = Annotated[str | None, Header(max_length=64, description="the ETag of the change as it was read")]
Writer = Annotated[Principal, Depends(caller("changes:write"))]
Key = Annotated[str | None, Header(alias="Idempotency-Key", max_length=130, description="names this proposal")]
_TAG = re.compile(r'"([1-9][0-9]{0,8})"')
_KEY = re.compile(r'"?([\x21\x23-\x7e]{1,128})"?')


async def read_form(request: Request, form: type[FormT]) -> FormT:
    """The body as a form; none at all is an empty one. A large one is parsed beside the event loop.

    Raises Problem 400 or 422, and pydantic's ValidationError.
    """
    raw = await request.body() or b"{}"
    if len(raw) < LARGE_BYTES:
        return form.model_validate(strictjson.parse(raw))
    return await asyncio.to_thread(lambda: form.model_validate(strictjson.parse(raw)))


def number_of(if_match: str | None) -> int:
    """The number of the last event that the caller knows. Raises Problem 428 without one, 412 for what is none."""
    if if_match is None:
        detail = "Send `If-Match` with the ETag of the change as you have read it."
        raise Problem(428, "precondition-required", "Say which state of the change you have read", detail)
    found = _TAG.fullmatch(if_match.strip())
    if found is None:
        detail = "`If-Match` takes one strong ETag, as it came with the change."
        raise Problem(412, "stale-change", "No change has this ETag; nothing was stored", detail)
    return int(found[1])


async def asking(change_id: PathId, principal: Writer, if_match: IfMatch = None) -> Ask:
    """A dependency: a step that somebody asks for on a change as they have read it."""
    return Ask(change_id, number_of(if_match), actor_of(principal))


Asking = Annotated[Ask, Depends(asking)]


def key_of(key: str | None) -> str:
    """The key of a proposal. Raises Problem 400 without one."""
    found = _KEY.fullmatch((key or "").strip())
    if found is None:
        detail = "Send `Idempotency-Key`: up to 128 visible characters, new for each proposal, the same for a repeat."
        raise Problem(400, "key-required", "Name the proposal, so that a repeat finds it", detail)
    return found[1]


def actor_of(principal: Principal) -> Actor:
    """Who takes a step."""
    return Actor(principal.subject, principal.org, principal.roles)


def registry_only(principal: Principal) -> None:
    """What a change would do names concerns of many bodies. Raises Problem 403."""
    if not sees_all(actor_of(principal)):
        detail = "It needs a role of the registry, or the role operator."
        raise Problem(403, "forbidden", "Your client may not do this", detail)


@dataclass(frozen=True, slots=True)
class Watch:
    """Writes one line for each unit of work."""

    telemetry: Telemetry

    @contextmanager
    def unit(self, event: str, principal: str) -> Iterator[dict[str, Any]]:
        """People must hear of a damaged graph, whoever met it."""
        with self.telemetry.unit(event, principal=principal) as line:
            try:
                yield line
            except GraphDamaged as fault:
                self.telemetry.alarm("graph-damaged", version=fault.version)
                raise
