"""Endpoints in Postgres, what they are signed and entered with encrypted."""

import base64
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import Select, case, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.notifier.adapters.keys import SecretBox
from services.notifier.adapters.tables import endpoints
from services.notifier.domain.errors import EndpointExists
from services.notifier.domain.model import Access, Endpoint, EndpointId, EndpointState, Keys, OAuthClient, Target
from shared.db.engine import transaction
from shared.faults import fault_name
from shared.sealing import NotOpened

LISTED_MAX = 1000
OVERLAPS_MAX = 8
"""Of more changes of keys within one overlap the newest count: each signs every message."""
_SHOWN = (
    endpoints.c.endpoint_id,
    endpoints.c.org,
    endpoints.c.url,
    endpoints.c.description,
    endpoints.c.state,
    endpoints.c.reason,
    endpoints.c.created_at,
    endpoints.c.alternate,
    endpoints.c.rate_per_minute,
    endpoints.c.retry_seconds,
    endpoints.c.verified_at,
    endpoints.c.in_order,
    endpoints.c.encryption_key,
    endpoints.c.registered_by,
    endpoints.c.approved_by,
)
_KEPT = (endpoints.c.secret, endpoints.c.previous_secret, endpoints.c.previous_until, endpoints.c.access)


@dataclass(frozen=True, slots=True)
class PostgresEndpoints:
    """The endpoints of all organisations. `unreadable` hears which one cannot be sent to, and by what fault."""

    engine: AsyncEngine
    box: SecretBox
    unreadable: Callable[[str, str], None]

    async def add(self, endpoint: Endpoint, keys: Keys, access: Access | None = None) -> None:
        """Store a new endpoint. Raises EndpointExists when the organisation has one of that rank."""
        endpoint_id = endpoint.endpoint_id
        row = {column.name: getattr(endpoint, column.name) for column in _SHOWN}
        row |= {
            "state": endpoint.state.value,
            "retry_seconds": endpoint.retry_seconds and list(endpoint.retry_seconds),
            "secret": self.box.shut(_keys_text(keys), endpoint_id=endpoint_id),
            "secret_kid": self.box.key.kid,
            "access": access and self.box.shut(_access_text(access), endpoint_id=endpoint_id),
            "changed_at": endpoint.created_at,
        }
        try:
            async with transaction(self.engine) as connection:
                await connection.execute(insert(endpoints).values(row))
        except IntegrityError:
            raise EndpointExists(endpoint.org) from None

    async def all_of(self, org: str | None) -> Sequence[Endpoint]:
        """The endpoints of an organisation, or of all; an organisation's first one before its alternate."""
        query = _present(*_SHOWN).order_by(endpoints.c.org, endpoints.c.alternate).limit(LISTED_MAX)
        return [_endpoint(row) for row in await self._read(_of(query, org))]

    async def one(self, endpoint_id: str) -> Endpoint | None:
        """An endpoint that is not removed."""
        found = await self._read(_present(*_SHOWN).where(endpoints.c.endpoint_id == endpoint_id))
        return _endpoint(found[0]) if found else None

    async def change(self, endpoint_id: str, state: EndpointState, *, at: datetime) -> None:
        """Set its state."""
        await self._change(endpoint_id, state=state.value, reason="", changed_at=at)

    async def approve(self, endpoint_id: str, by: str, *, at: datetime) -> None:
        """This person lets requests go there."""
        await self._change(endpoint_id, approved_by=by, changed_at=at)

    async def verify(self, endpoint_id: str, rate_per_minute: int | None, *, at: datetime) -> None:
        """The endpoint has shown that it wants our deliveries, at this rate; one that waited for it is active now."""
        waited = endpoints.c.state == EndpointState.UNVERIFIED.value
        state = case((waited, EndpointState.ACTIVE.value), else_=endpoints.c.state)
        await self._change(endpoint_id, state=state, rate_per_minute=rate_per_minute, verified_at=at, changed_at=at)

    async def encrypt_to(self, endpoint_id: str, key: str, *, at: datetime) -> None:
        """Encrypt its messages to this key from now on; to none where it is empty."""
        await self._change(endpoint_id, encryption_key=key, changed_at=at)

    async def rotate(self, endpoint_id: str, keys: Keys, *, at: datetime, overlap_until: datetime) -> None:
        """Sign with these keys from now on, and with those before beside them, each until its own overlap ends."""
        this = endpoints.c.endpoint_id == endpoint_id
        async with transaction(self.engine) as connection:
            row = (await connection.execute(select(*_KEPT).where(this).with_for_update())).one()
            current = _keys(self.box.open(row.secret, endpoint_id=endpoint_id))
            previous = [(overlap_until, current), *self._overlapping(row, endpoint_id, at)][:OVERLAPS_MAX]
            values = {
                "previous_secret": self.box.shut(_previous_text(previous), endpoint_id=endpoint_id),
                "previous_until": overlap_until,
                "secret": self.box.shut(_keys_text(keys), endpoint_id=endpoint_id),
                "secret_kid": self.box.key.kid,
                "changed_at": at,
            }
            await connection.execute(update(endpoints).where(this).values(**values))

    async def target(self, endpoint_id: str, *, now: datetime) -> Target | None:
        """One endpoint in whatever state, ready to be sent to. Raises NotOpened."""
        found = await self._read(_present(*_SHOWN, *_KEPT).where(endpoints.c.endpoint_id == endpoint_id))
        return self._target(found[0], now) if found else None

    async def targets(self, *, now: datetime) -> Sequence[Target]:
        """The active endpoints with their open keys; one whose secrets cannot be read stops none of the others."""
        active = endpoints.c.state == EndpointState.ACTIVE.value
        rows = await self._read(select(*_SHOWN, *_KEPT).where(active))
        return [target for row in rows if (target := self._readable(row, now))]

    def _readable(self, row: Any, now: datetime) -> Target | None:
        try:
            return self._target(row, now)
        except (NotOpened, ValueError) as fault:
            self.unreadable(row.endpoint_id, fault_name(fault))
            return None

    def _target(self, row: Any, now: datetime) -> Target:
        before = [keys for _, keys in self._overlapping(row, row.endpoint_id, now)]
        return Target(
            endpoint_id=EndpointId(row.endpoint_id),
            org=row.org,
            url=row.url,
            keys=(_keys(self.box.open(row.secret, endpoint_id=row.endpoint_id)), *before),
            alternate=row.alternate,
            rate_per_minute=row.rate_per_minute,
            retry_seconds=_seconds(row.retry_seconds),
            in_order=row.in_order,
            encryption_key=row.encryption_key,
            access=_access(self.box.open(row.access, endpoint_id=row.endpoint_id)) if row.access else None,
        )

    def _overlapping(self, row: Any, endpoint_id: str, now: datetime) -> list[tuple[datetime, Keys]]:
        """The keys before that still sign, the newest first, each with its end."""
        if row.previous_until is None or row.previous_until <= now:
            return []
        previous = _previous(self.box.open(row.previous_secret, endpoint_id=endpoint_id))
        return [(until, keys) for until, keys in previous if now < until]

    async def _change(self, endpoint_id: str, **values: Any) -> None:
        async with transaction(self.engine) as connection:
            await connection.execute(update(endpoints).where(endpoints.c.endpoint_id == endpoint_id).values(**values))

    async def _read(self, query: Select[Any]) -> Sequence[Any]:
        async with transaction(self.engine) as connection:
            return list(await connection.execute(query))


def _present(*columns: Any) -> Select[Any]:
    return select(*columns).where(endpoints.c.state != EndpointState.REMOVED.value)


def _of(query: Select[Any], org: str | None) -> Select[Any]:
    return query if org is None else query.where(endpoints.c.org == org)


def _endpoint(row: Any) -> Endpoint:
    return Endpoint(
        endpoint_id=EndpointId(row.endpoint_id),
        org=row.org,
        url=row.url,
        description=row.description,
        state=EndpointState(row.state),
        reason=row.reason,
        created_at=row.created_at,
        alternate=row.alternate,
        rate_per_minute=row.rate_per_minute,
        retry_seconds=_seconds(row.retry_seconds),
        verified_at=row.verified_at,
        in_order=row.in_order,
        encryption_key=row.encryption_key,
        registered_by=row.registered_by,
        approved_by=row.approved_by,
    )


def _seconds(kept: Sequence[int] | None) -> tuple[int, ...] | None:
    return tuple(kept) if kept else None


def _keys_text(keys: Keys) -> bytes:
    return orjson.dumps([base64.b64encode(part).decode() for part in (keys.secret, keys.seed)])


def _keys(text: bytes) -> Keys:
    secret, seed = (base64.b64decode(part) for part in orjson.loads(text))
    return Keys(secret, seed)


def _previous_text(previous: Sequence[tuple[datetime, Keys]]) -> bytes:
    return orjson.dumps([[until.isoformat(), _keys_text(keys).decode()] for until, keys in previous])


def _previous(text: bytes) -> list[tuple[datetime, Keys]]:
    return [(datetime.fromisoformat(until), _keys(keys.encode())) for until, keys in orjson.loads(text)]


def _access_text(access: Access) -> bytes:
    oauth = access.oauth
    kept = oauth and [oauth.token_url, oauth.client_id, oauth.client_secret, oauth.scope]
    return orjson.dumps({"certificate": access.certificate, "oauth": kept})


def _access(text: bytes) -> Access:
    kept = orjson.loads(text)
    return Access(kept["certificate"], OAuthClient(*kept["oauth"]) if kept["oauth"] else None)
