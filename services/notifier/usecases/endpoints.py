"""Where organisations want to be told: registering, verifying, changing keys, pausing and removing endpoints."""

import secrets
from dataclasses import dataclass, replace
from datetime import timedelta

import orjson

from services.notifier.domain import message, retry, signature
from services.notifier.domain.consent import (
    RATE_HEADER,
    RATE_WANTED,
    Consent,
    NoConsent,
    read_challenge,
    read_handshake,
)
from services.notifier.domain.destination import Guard, is_listed, url_fault
from services.notifier.domain.errors import (
    DestinationRefused,
    NotApproved,
    NothingThere,
    NotVerified,
    SamePerson,
    ScheduleRefused,
)
from services.notifier.domain.model import Access, Answer, Endpoint, EndpointId, EndpointState, Keys, Target
from services.notifier.domain.signature import SECRET_BYTES, SEED_BYTES
from services.notifier.ports import Endpoints, Verifying, Wire
from shared.clock import Clock
from shared.contracts.envelope import rfc3339
from shared.ids import new_id

OVERLAP = timedelta(hours=24)
CHALLENGE_BYTES = 24
BY_LIST = "the list of hosts"


@dataclass(frozen=True, slots=True, repr=False)
class Registered:
    """A new endpoint and its keys; the secret is shown this once."""

    endpoint: Endpoint
    keys: Keys


@dataclass(frozen=True, slots=True)
class Wanted:
    """An endpoint that an organisation asks for; `alternate`: its second one, for what the first does not take."""

    org: str
    url: str
    description: str = ""
    alternate: bool = False
    retry_seconds: tuple[int, ...] | None = None
    access: Access | None = None
    in_order: bool = False
    encryption_key: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What this deployment asks of an endpoint. `origin` is the name that it must let in; `verify` is off in
    development alone; a host that is not among `hosts` is let in by a second person."""

    guard: Guard
    origin: str
    verify: bool
    hosts: frozenset[str] = frozenset()

    def knows(self, wanted: "Wanted") -> bool:
        """Whether requests may go there without anybody's word."""
        oauth = wanted.access.oauth if wanted.access else None
        urls = [wanted.url, oauth.token_url] if oauth else [wanted.url]
        return not self.verify or all(is_listed(url, self.hosts) for url in urls)


async def register_endpoint(wanted: Wanted, *, by: str, rules: Rules, clock: Clock, endpoints: Endpoints) -> Registered:
    """Register an endpoint under new keys; it is sent nothing until it is approved and verified.

    Raises DestinationRefused, ScheduleRefused, EndpointExists.
    """
    _look_at(wanted, rules.guard)
    now, keys = clock.now(), new_keys()
    endpoint = Endpoint(
        endpoint_id=EndpointId(new_id("end")),
        org=wanted.org,
        url=wanted.url,
        description=wanted.description,
        state=EndpointState.UNVERIFIED if rules.verify else EndpointState.ACTIVE,
        reason="",
        created_at=now,
        alternate=wanted.alternate,
        retry_seconds=wanted.retry_seconds,
        in_order=wanted.in_order,
        encryption_key=wanted.encryption_key,
        registered_by=by,
        approved_by=BY_LIST if rules.knows(wanted) else None,
    )
    await endpoints.add(endpoint, keys, wanted.access)
    return Registered(endpoint, keys)


async def approve_endpoint(endpoint: Endpoint, *, by: str, clock: Clock, endpoints: Endpoints) -> Endpoint:
    """Let requests go to an endpoint whose host is not listed. Raises SamePerson."""
    if endpoint.approved_by is not None:
        return endpoint
    if by == endpoint.registered_by:
        raise SamePerson
    await endpoints.approve(endpoint.endpoint_id, by, at=clock.now())
    return replace(endpoint, approved_by=by)


async def verify_endpoint(
    endpoint: Endpoint, *, rules: Rules, clock: Clock, wire: Verifying, endpoints: Endpoints
) -> Endpoint:
    """Ask an endpoint for its consent: by handshake, and where it knows none, by a signed challenge.

    Raises NotApproved, NotVerified with what was missing in both, NothingThere.
    """
    _approved(endpoint)
    target = await _target(endpoint.endpoint_id, clock, endpoints)
    consent = read_handshake(
        await wire.ask(target.url, {RATE_HEADER: str(RATE_WANTED)}, target.access), origin=rules.origin
    )
    if isinstance(consent, NoConsent):
        consent = await _challenge(target, consent, clock, wire)
    if isinstance(consent, NoConsent):
        raise NotVerified(consent.because)
    await endpoints.verify(endpoint.endpoint_id, consent.rate_per_minute, at=clock.now())
    return await endpoint_of(endpoint.endpoint_id, org=endpoint.org, endpoints=endpoints)


async def endpoint_of(endpoint_id: str, *, org: str | None, endpoints: Endpoints) -> Endpoint:
    """An endpoint for its organisation, or for an operator (`org` None). Raises NothingThere."""
    endpoint = await endpoints.one(endpoint_id)
    if endpoint is None or org not in (None, endpoint.org):
        raise NothingThere
    return endpoint


async def change_endpoint(
    endpoint: Endpoint, state: EndpointState, *, rules: Rules, clock: Clock, endpoints: Endpoints
) -> Endpoint:
    """Pause, resume or remove an endpoint; its notices wait, none is dropped.

    Raises NotVerified when one is resumed that has not shown yet that it wants deliveries.
    """
    if state is EndpointState.ACTIVE and rules.verify and endpoint.verified_at is None:
        raise NotVerified("it has not been verified yet")
    await endpoints.change(endpoint.endpoint_id, state, at=clock.now())
    return replace(endpoint, state=state, reason="")


async def rotate_keys(endpoint: Endpoint, *, clock: Clock, endpoints: Endpoints) -> Registered:
    """New keys from now on; for 24 hours the old ones sign beside them."""
    now, keys = clock.now(), new_keys()
    await endpoints.rotate(endpoint.endpoint_id, keys, at=now, overlap_until=now + OVERLAP)
    return Registered(endpoint, keys)


async def encrypt_to(endpoint: Endpoint, key: str, *, clock: Clock, endpoints: Endpoints) -> Endpoint:
    """Encrypt what is sent from now on to this key, or to none; what was tried before goes out as a new copy."""
    await endpoints.encrypt_to(endpoint.endpoint_id, key, at=clock.now())
    return replace(endpoint, encryption_key=key)


async def published_keys(endpoint_id: str, *, clock: Clock, endpoints: Endpoints) -> list[str]:
    """The public keys that an endpoint's deliveries verify with at this moment, the newest first.

    Raises NothingThere.
    """
    target = await _target(endpoint_id, clock, endpoints)
    return [signature.public_text(keys.seed) for keys in target.keys]


async def send_test(endpoint: Endpoint, *, clock: Clock, wire: Wire, endpoints: Endpoints) -> Answer:
    """Send a signed test event once, whatever the endpoint's state; gives its answer. Raises NotApproved."""
    _approved(endpoint)
    return await _post_test(await _target(endpoint.endpoint_id, clock, endpoints), {}, clock, wire)


def new_keys() -> Keys:
    """A secret and an Ed25519 seed, of this endpoint alone."""
    return Keys(secrets.token_bytes(SECRET_BYTES), secrets.token_bytes(SEED_BYTES))


def _approved(endpoint: Endpoint) -> None:
    if endpoint.approved_by is None:
        raise NotApproved


def _look_at(wanted: Wanted, guard: Guard) -> None:
    if fault := url_fault(wanted.url, guard):
        raise DestinationRefused(fault)
    oauth = wanted.access.oauth if wanted.access else None
    if oauth and (fault := url_fault(oauth.token_url, guard)):
        raise DestinationRefused(f"the token address: {fault}")
    if wanted.retry_seconds and (fault := retry.schedule_fault(wanted.retry_seconds)):
        raise ScheduleRefused(fault)


async def _challenge(target: Target, before: NoConsent, clock: Clock, wire: Wire) -> Consent | NoConsent:
    challenge = secrets.token_urlsafe(CHALLENGE_BYTES)
    answer = await _post_test(target, {"challenge": challenge}, clock, wire)
    consent = read_challenge(answer, challenge=challenge)
    if isinstance(consent, Consent):
        return consent
    return NoConsent(f"handshake: {before.because}; challenge: {consent.because}")


async def _post_test(target: Target, data: message.Json, clock: Clock, wire: Wire) -> Answer:
    now, test_id = clock.now(), new_id("tst")
    event = message.cloud_event(
        "test", notice_id=test_id, concern_id=target.endpoint_id, time=rfc3339(now), data={"test": True, **data}
    )
    body = orjson.dumps(event)
    signed = signature.signed_headers(target.keys, webhook_id=test_id, timestamp=int(now.timestamp()), body=body)
    return await wire.post(target.url, {"content-type": message.CONTENT_TYPE, **signed}, body, target.access)


async def _target(endpoint_id: str, clock: Clock, endpoints: Endpoints) -> Target:
    target = await endpoints.target(endpoint_id, now=clock.now())
    if target is None:
        raise NothingThere
    return target
