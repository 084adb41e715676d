"""Graph files in memory; conformance holds them to Postgres."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from services.registry.domain.change import Revised, Scheduled
from services.registry.domain.documents import SEED
from services.registry.ports import ChangeTransaction
from tests.support.change_fakes import InMemoryChanges

Place = tuple[str, int]


@dataclass(slots=True)
class InMemoryDocuments:
    """Files whose transactions take effect when they end well, with the changes in the same transaction."""

    store: InMemoryChanges = field(default_factory=InMemoryChanges)
    files: dict[Place, dict[str, bytes]] = field(default_factory=dict)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator["InMemoryDocumentTransaction"]:
        async with self.store.begin() as changes:
            opened = InMemoryDocumentTransaction(self, changes)
            yield opened
            for place, files in opened.added.items():
                self.files.setdefault(place, {}).update(files)

    def made(self) -> dict[int, Place]:
        """Each version with the change, and its revision, that became it."""
        found = {1: (SEED, 1)}
        for change_id, events in self.store.events.items():
            revision = 1 + sum(isinstance(event.step, Revised) for event in events)
            versions = [event.step.version for event in events if isinstance(event.step, Scheduled)]
            found.update(dict.fromkeys(versions, (change_id, revision)))
        return found


@dataclass(slots=True)
class InMemoryDocumentTransaction:
    """One transaction: it sees what is stored."""

    documents: InMemoryDocuments
    past: ChangeTransaction
    added: dict[Place, dict[str, bytes]] = field(default_factory=dict)

    def changes(self) -> ChangeTransaction:
        return self.past

    async def of_change(self, change_id: str, revision: int) -> Mapping[str, bytes]:
        return dict(self.documents.files.get((change_id, revision), {}))

    async def add(self, change_id: str, revision: int, files: Mapping[str, bytes]) -> None:
        self.added.setdefault((change_id, revision), {}).update(files)

    async def as_of(self, version: int) -> Mapping[str, bytes]:
        found: dict[str, bytes] = {}
        for made, place in sorted(self.documents.made().items()):
            if made <= version:
                found |= self.documents.files.get(place, {})
        return found
