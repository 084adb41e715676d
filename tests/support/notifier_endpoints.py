"""Endpoints in memory."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from services.notifier.adapters.endpoints import OVERLAPS_MAX
from services.notifier.domain.errors import EndpointExists
from services.notifier.domain.model import Access, Endpoint, EndpointState, Keys, Target


@dataclass(slots=True)
class InMemoryEndpoints:
    """Endpoints in memory."""

    rows: dict[str, Endpoint] = field(default_factory=dict)
    keys: dict[str, list[tuple[Keys, datetime | None]]] = field(default_factory=dict)
    accesses: dict[str, Access | None] = field(default_factory=dict)

    async def add(self, endpoint: Endpoint, keys: Keys, access: Access | None = None) -> None:
        if any(known.alternate == endpoint.alternate for known in await self.all_of(endpoint.org)):
            raise EndpointExists(endpoint.org)
        self.rows[endpoint.endpoint_id], self.accesses[endpoint.endpoint_id] = endpoint, access
        self.keys[endpoint.endpoint_id] = [(keys, None)]

    async def all_of(self, org: str | None) -> Sequence[Endpoint]:
        present = (e for e in self.rows.values() if e.state is not EndpointState.REMOVED and org in (None, e.org))
        return sorted(present, key=lambda e: (e.org, e.alternate))

    async def one(self, endpoint_id: str) -> Endpoint | None:
        return next((e for e in await self.all_of(None) if e.endpoint_id == endpoint_id), None)

    async def change(self, endpoint_id: str, state: EndpointState, *, at: datetime) -> None:  # noqa: ARG002 - port's
        self.rows[endpoint_id] = replace(self.rows[endpoint_id], state=state, reason="")

    async def approve(self, endpoint_id: str, by: str, *, at: datetime) -> None:  # noqa: ARG002 - the port's
        self.rows[endpoint_id] = replace(self.rows[endpoint_id], approved_by=by)

    async def verify(self, endpoint_id: str, rate_per_minute: int | None, *, at: datetime) -> None:
        row = self.rows[endpoint_id]
        state = EndpointState.ACTIVE if row.state is EndpointState.UNVERIFIED else row.state
        self.rows[endpoint_id] = replace(row, state=state, rate_per_minute=rate_per_minute, verified_at=at)

    async def encrypt_to(self, endpoint_id: str, key: str, *, at: datetime) -> None:  # noqa: ARG002 - the port's
        self.rows[endpoint_id] = replace(self.rows[endpoint_id], encryption_key=key)

    async def rotate(self, endpoint_id: str, keys: Keys, *, at: datetime, overlap_until: datetime) -> None:
        (before, _), *rest = self.keys[endpoint_id]
        running = [(before, overlap_until), *((old, until) for old, until in rest if until and at < until)]
        self.keys[endpoint_id] = [(keys, None), *running[:OVERLAPS_MAX]]

    async def target(self, endpoint_id: str, *, now: datetime) -> Target | None:
        row = await self.one(endpoint_id)
        return self._target(row, now) if row else None

    async def targets(self, *, now: datetime) -> Sequence[Target]:
        return [self._target(e, now) for e in self.rows.values() if e.state is EndpointState.ACTIVE]

    def _target(self, row: Endpoint, now: datetime) -> Target:
        return Target(
            endpoint_id=row.endpoint_id,
            org=row.org,
            url=row.url,
            keys=tuple(keys for keys, until in self.keys[row.endpoint_id] if until is None or now < until),
            alternate=row.alternate,
            rate_per_minute=row.rate_per_minute,
            retry_seconds=row.retry_seconds,
            access=self.accesses[row.endpoint_id],
            in_order=row.in_order,
            encryption_key=row.encryption_key,
        )
