"""The registry's ports in memory; the conformance suite holds them to Postgres."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from services.registry.domain.model import Client, Commit, GraphObject, StoredObject
from shared.contracts.audit import AuditFact
from shared.contracts.graph import GraphCommitted
from tests.support.timeline_fakes import InMemoryTimeline


@dataclass(slots=True)
class InMemoryHistory:
    """A history whose transactions take effect when they end well."""

    stored: list[Commit] = field(default_factory=list)
    published: list[GraphCommitted] = field(default_factory=list)
    recorded: list[AuditFact] = field(default_factory=list)
    writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["InMemoryTransaction"]:
        opened = InMemoryTransaction(self)
        try:
            yield opened
            self.stored += opened.added
            self.published += opened.events
            self.recorded += opened.facts
        finally:
            if opened.writes:
                self.writing.release()


@dataclass(slots=True)
class InMemoryTransaction(InMemoryTimeline):
    """One transaction: it sees what is stored and what it added itself."""

    store: InMemoryHistory
    added: list[Commit] = field(default_factory=list)
    events: list[GraphCommitted] = field(default_factory=list)
    facts: list[AuditFact] = field(default_factory=list)
    writes: bool = False

    async def head(self) -> Commit | None:
        return replace(self._all[-1], objects=()) if self._all else None

    async def commit(self, version: int) -> Commit | None:
        return next((replace(c, objects=()) for c in self._all if c.version == version), None)

    async def graph(self, version: int) -> Sequence[GraphObject]:
        latest = {o.key: o for c in self._all if c.version <= version for o in c.objects}
        return [latest[key] for key in sorted(latest)]

    async def commits(self, *, after: int, count_max: int) -> Sequence[Commit]:
        return [c for c in self._all if c.version > after][:count_max]

    async def find(self, kind: str, object_id: str) -> StoredObject | None:
        states = [StoredObject(c.version, o) for c in self._all for o in c.objects if o.key == (kind, object_id)]
        return states[-1] if states else None

    async def append(self, commit: Commit) -> bool:
        if not self.writes:
            await self.store.writing.acquire()  # a second writer waits for the first, as at a unique key
            self.writes = True
        if any(c.version == commit.version for c in self._all):
            return False
        self.added.append(commit)
        return True

    async def publish(self, events: Sequence[GraphCommitted]) -> None:
        self.events += events

    async def record(self, facts: Sequence[AuditFact]) -> None:
        self.facts += facts

    @property
    def _all(self) -> list[Commit]:
        return [*self.store.stored, *self.added]


@dataclass(frozen=True, slots=True)
class InMemoryClients:
    """The clients of a test."""

    clients: tuple[Client, ...]

    def find(self, client_id: str) -> Client | None:
        return next((c for c in self.clients if c.client_id == client_id), None)


class ReadableSigner:
    """Gives the claims back as text, so that a test can look at them."""

    def __init__(self) -> None:
        self.signed: list[Mapping[str, Any]] = []

    def sign(self, claims: Mapping[str, Any]) -> str:
        self.signed.append(claims)
        return f"token-{len(self.signed)}"
