"""Endpoints in Postgres, their secrets encrypted."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncEngine

from services.notifier.adapters.keys import SecretBox
from services.notifier.adapters.tables import endpoints
from services.notifier.domain.errors import EndpointExists
from services.notifier.domain.model import Endpoint, EndpointId, EndpointState, Target
from shared.db.engine import transaction

LISTED_MAX = 1000
_SHOWN = (
    endpoints.c.endpoint_id,
    endpoints.c.org,
    endpoints.c.url,
    endpoints.c.description,
    endpoints.c.state,
    endpoints.c.reason,
    endpoints.c.created_at,
)


@dataclass(frozen=True, slots=True)
class PostgresEndpoints:
    """The endpoints of all organisations."""

    engine: AsyncEngine
    box: SecretBox

    async def add(self, endpoint: Endpoint, secret: bytes) -> None:
        """Store a new endpoint. Raises EndpointExists when the organisation has one."""
        row = {
            "endpoint_id": endpoint.endpoint_id,
            "org": endpoint.org,
            "url": endpoint.url,
            "description": endpoint.description,
            "state": endpoint.state.value,
            "secret": self.box.shut(secret, endpoint_id=endpoint.endpoint_id),
            "secret_kid": self.box.key.kid,
            "created_at": endpoint.created_at,
            "changed_at": endpoint.created_at,
        }
        try:
            async with transaction(self.engine) as connection:
                await connection.execute(insert(endpoints).values(row))
        except IntegrityError:
            raise EndpointExists(endpoint.org) from None

    async def all_of(self, org: str | None) -> Sequence[Endpoint]:
        """The endpoints of an organisation, or of all."""
        query = _present().order_by(endpoints.c.org).limit(LISTED_MAX)
        return await self._read(query if org is None else query.where(endpoints.c.org == org))

    async def one(self, endpoint_id: str) -> Endpoint | None:
        """An endpoint that is not removed."""
        found = await self._read(_present().where(endpoints.c.endpoint_id == endpoint_id))
        return found[0] if found else None

    async def change(self, endpoint_id: str, state: EndpointState, *, at: datetime) -> None:
        """Set its state."""
        change = update(endpoints).where(endpoints.c.endpoint_id == endpoint_id)
        async with transaction(self.engine) as connection:
            await connection.execute(change.values(state=state.value, reason="", changed_at=at))

    async def targets(self) -> Sequence[Target]:
        """The active endpoints with their open secrets. Raises NotOpened."""
        wanted = select(endpoints.c.endpoint_id, endpoints.c.org, endpoints.c.url, endpoints.c.secret)
        async with transaction(self.engine) as connection:
            found = await connection.execute(wanted.where(endpoints.c.state == EndpointState.ACTIVE.value))
            return [self._target(row) for row in found]

    def _target(self, row: Any) -> Target:
        secret = self.box.open(row.secret, endpoint_id=row.endpoint_id)
        return Target(EndpointId(row.endpoint_id), row.org, row.url, secret)

    async def _read(self, query: Select[Any]) -> Sequence[Endpoint]:
        async with transaction(self.engine) as connection:
            return [_endpoint(row) for row in await connection.execute(query)]


def _present() -> Select[Any]:
    return select(*_SHOWN).where(endpoints.c.state != EndpointState.REMOVED.value)


def _endpoint(row: Any) -> Endpoint:
    return Endpoint(
        endpoint_id=EndpointId(row.endpoint_id),
        org=row.org,
        url=row.url,
        description=row.description,
        state=EndpointState(row.state),
        reason=row.reason,
        created_at=row.created_at,
    )
