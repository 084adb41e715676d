"""The changes of the graph in memory, and a router that says what a test wants; conformance holds them to Postgres."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from services.registry.domain.change import ChangeEvent, ChangeLog, ChangePlace, Part
from services.registry.domain.change_difference import Past, PastConcern
from services.registry.domain.errors import HistoryUnavailable
from services.registry.domain.model import GraphObject, Row
from services.registry.domain.timeline import Key
from services.registry.ports import History
from services.registry.usecases.change import Analyse, Desk
from shared.clock import Clock
from shared.contracts.envelope import rfc3339
from tests.support.registry_fakes import InMemoryHistory

WINDOW = timedelta(days=183)


@dataclass(slots=True)
class InMemoryChanges:
    """Changes whose transactions take effect when they end well, with the history in the same transaction."""

    history: InMemoryHistory = field(default_factory=InMemoryHistory)
    events: dict[str, list[ChangeEvent]] = field(default_factory=dict)
    parts: dict[str, list[Part]] = field(default_factory=lambda: defaultdict(list))
    differences: dict[tuple[str, int], bytes] = field(default_factory=dict)
    held: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["InMemoryChangeTransaction"]:
        async with AsyncExitStack() as held, self.history.begin() as history:
            opened = InMemoryChangeTransaction(self, history, held)
            yield opened
            for change_id, event in opened.events:
                self.events.setdefault(change_id, []).append(event)
            for change_id, part in opened.parts:
                self.parts[change_id].append(part)
            self.differences |= opened.differences


@dataclass(slots=True)
class InMemoryChangeTransaction:
    """One transaction: it sees what is stored and what it added itself."""

    store: InMemoryChanges
    past: History
    held: AsyncExitStack
    events: list[tuple[str, ChangeEvent]] = field(default_factory=list)
    parts: list[tuple[str, Part]] = field(default_factory=list)
    differences: dict[tuple[str, int], bytes] = field(default_factory=dict)

    def history(self) -> History:
        return self.past

    async def hold(self, change_id: str) -> None:
        await self.held.enter_async_context(self.store.held[change_id])

    async def log(self, change_id: str) -> ChangeLog | None:
        found = [*self.store.events.get(change_id, ()), *(e for name, e in self.events if name == change_id)]
        return ChangeLog(change_id, tuple(found)) if found else None

    async def logs(self, *, before: ChangePlace | None, count_max: int) -> Sequence[ChangeLog]:
        logs = [ChangeLog(name, tuple(events)) for name, events in self.store.events.items()]
        placed = sorted(((log.events[0].at, log.change_id), log) for log in logs)
        found = [log for place, log in placed if before is None or place < (before.drafted_at, before.change_id)]
        return found[::-1][:count_max]

    async def add(self, change_id: str, event: ChangeEvent) -> bool:
        log = await self.log(change_id)
        if log and any(known.number == event.number for known in log.events):
            return False
        self.events.append((change_id, event))
        return True

    async def add_objects(self, change_id: str, part: Part) -> None:
        self.parts.append((change_id, part))

    async def objects(self, change_id: str, revision: int) -> Sequence[GraphObject]:
        own = [part for name, part in self.parts if name == change_id]
        parts = [part for part in (*self.store.parts[change_id], *own) if part.revision == revision]
        return [item for part in sorted(parts, key=lambda part: part.first) for item in part.objects]

    async def proposed(self, change_id: str, revision: int, keys: Collection[Key]) -> Collection[Key]:
        return {item.key for item in await self.objects(change_id, revision)} & set(keys)

    async def add_difference(self, change_id: str, number: int, body: bytes) -> None:
        self.differences[change_id, number] = body

    async def difference(self, change_id: str, number: int) -> bytes | None:
        return {**self.store.differences, **self.differences}.get((change_id, number))


@dataclass(slots=True)
class ScriptedRouter:
    """Gives these routings as the concerns of the past; `away`: it does not answer."""

    routings: Sequence[Row] = ()
    away: bool = False
    asked: list[tuple[datetime, datetime]] = field(default_factory=list)

    async def between(self, since: datetime, until: datetime) -> Past:
        self.asked.append((since, until))
        if self.away:
            raise HistoryUnavailable
        concerns = [PastConcern(f"con_{n}", 1, row["received_at"], row) for n, row in enumerate(self.routings, 1)]
        return Past(rfc3339(since), rfc3339(until), tuple(concerns))


def desk_of(
    changes: InMemoryChanges,
    *,
    clock: Clock,
    router: ScriptedRouter | None = None,
    analyse: Analyse = lambda _g, _d: (),
) -> Desk:
    """A desk on changes in memory."""
    return Desk(changes.begin, clock, router or ScriptedRouter(), analyse, WINDOW)
