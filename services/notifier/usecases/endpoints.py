"""Where organisations want to be told: registering, pausing and removing endpoints."""

import secrets
from dataclasses import dataclass

from services.notifier.domain.destination import Guard, url_fault
from services.notifier.domain.errors import DestinationRefused, NothingThere
from services.notifier.domain.model import Endpoint, EndpointId, EndpointState
from services.notifier.domain.signature import SECRET_BYTES, secret_text
from services.notifier.ports import Endpoints
from shared.clock import Clock
from shared.ids import new_id


@dataclass(frozen=True, slots=True, repr=False)
class Registered:
    """A new endpoint and its secret, which is shown this once."""

    endpoint: Endpoint
    secret: str


@dataclass(frozen=True, slots=True)
class Wanted:
    """An endpoint that an organisation asks for."""

    org: str
    url: str
    description: str = ""


async def register_endpoint(wanted: Wanted, *, guard: Guard, clock: Clock, endpoints: Endpoints) -> Registered:
    """Register an endpoint under a new secret. Raises DestinationRefused, EndpointExists."""
    if fault := url_fault(wanted.url, guard):
        raise DestinationRefused(fault)
    secret = secrets.token_bytes(SECRET_BYTES)
    endpoint = Endpoint(
        endpoint_id=EndpointId(new_id("end")),
        org=wanted.org,
        url=wanted.url,
        description=wanted.description,
        state=EndpointState.ACTIVE,
        reason="",
        created_at=clock.now(),
    )
    await endpoints.add(endpoint, secret)
    return Registered(endpoint, secret_text(secret))


async def endpoint_of(endpoint_id: str, *, org: str | None, endpoints: Endpoints) -> Endpoint:
    """An endpoint for its organisation, or for an operator (`org` None). Raises NothingThere."""
    endpoint = await endpoints.one(endpoint_id)
    if endpoint is None or org not in (None, endpoint.org):
        raise NothingThere
    return endpoint


async def change_endpoint(
    endpoint_id: str, state: EndpointState, *, org: str | None, clock: Clock, endpoints: Endpoints
) -> Endpoint:
    """Pause, resume or remove an endpoint; its notices wait, none is dropped. Raises NothingThere."""
    endpoint = await endpoint_of(endpoint_id, org=org, endpoints=endpoints)
    await endpoints.change(endpoint.endpoint_id, state, at=clock.now())
    return endpoint if state is EndpointState.REMOVED else await endpoint_of(endpoint_id, org=org, endpoints=endpoints)
