"""What the registry's use cases need from outside, in the registry's own words."""

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

from services.registry.domain.change import ChangeEvent, ChangeLog, ChangePlace, Part
from services.registry.domain.change_difference import Past
from services.registry.domain.model import Client, Commit, GraphObject, StoredObject
from services.registry.domain.timeline import Key, Recorded, Search
from shared.contracts.audit import AuditFact
from shared.contracts.graph import GraphCommitted


class Timeline(Protocol):
    """The graph as it was known at any time, and when its objects apply. All methods raise StoreUnavailable."""

    async def known_at(self, moment: datetime) -> Commit | None:
        """The newest commit made at that moment or before it; None where there was none."""
        ...

    async def search(self, search: Search, *, after: str, count_max: int) -> Sequence[str]:
        """The ids of the objects that are asked for, above `after`, by code point."""
        ...

    async def lineages(self, names: Collection[str], version: int) -> Sequence[str]:
        """The ids of the agreements of these lineages in the graph at that version, sorted."""
        ...

    async def states(self, keys: Collection[Key], version: int) -> Sequence[StoredObject]:
        """These objects as they stood after the commit of that version, sorted by kind and id; unknown ones are not."""
        ...

    async def of_kind(self, kind: str, version: int) -> Sequence[StoredObject]:
        """Every object of a kind as it stood after the commit of that version, sorted by id."""
        ...

    async def past(self, kind: str, object_id: str) -> Sequence[Recorded]:
        """Every state of one object, oldest first."""
        ...

    async def touched(self, after: int, until: int) -> Sequence[Key]:
        """The objects that commits above version `after`, up to `until`, added or changed, sorted."""
        ...


class History(Timeline, Protocol):
    """The history of the graph in one transaction: everything said through it happens, or none of it does.

    Nothing in it is ever changed or deleted. All methods raise StoreUnavailable.
    """

    async def head(self) -> Commit | None:
        """The newest commit, without its objects; None while the graph is empty."""
        ...

    async def commit(self, version: int) -> Commit | None:
        """The commit of that version, without its objects."""
        ...

    async def graph(self, version: int) -> Sequence[GraphObject]:
        """Every object as it stood after the commit of that version, sorted by kind and id."""
        ...

    async def commits(self, *, after: int, count_max: int) -> Sequence[Commit]:
        """The commits with a version above `after`, oldest first, with their objects."""
        ...

    async def find(self, kind: str, object_id: str) -> StoredObject | None:
        """The newest state of one object."""
        ...

    async def append(self, commit: Commit) -> bool:
        """Add the commit and its objects. False, and nothing added, where another commit took the version first."""
        ...

    async def publish(self, events: Sequence[GraphCommitted]) -> None:
        """Tell the routers, in this order."""
        ...

    async def record(self, facts: Sequence[AuditFact]) -> None:
        """Hand facts to the audit log."""
        ...


Begin = Callable[[], AbstractAsyncContextManager[History]]


class Clients(Protocol):
    """The clients that may ask for tokens."""

    def find(self, client_id: str) -> Client | None:
        """The client of that id, as the deployment states it now."""
        ...


class Signer(Protocol):
    """The key that tokens are signed with."""

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The claims as a signed access token (RFC 9068)."""
        ...


class ChangeTransaction(Protocol):
    """The changes on their way into the graph, in one transaction with its history.

    Events are added, never changed or deleted. All methods raise StoreUnavailable.
    """

    def history(self) -> History:
        """The history of the graph, in the same transaction."""
        ...

    async def hold(self, change_id: str) -> None:
        """From now to the end of the transaction nobody else adds to this change."""
        ...

    async def log(self, change_id: str) -> ChangeLog | None:
        """All events of a change; None where there is no such change."""
        ...

    async def logs(self, *, before: ChangePlace | None, count_max: int) -> Sequence[ChangeLog]:
        """Changes with all their events, the one that was drafted last first, behind that place."""
        ...

    async def add(self, change_id: str, event: ChangeEvent) -> bool:
        """Add an event. False, and nothing added, where its number is taken."""
        ...

    async def add_objects(self, change_id: str, part: Part) -> None:
        """Add what an event of this transaction brings. No object may be in the revision already."""
        ...

    async def objects(self, change_id: str, revision: int) -> Sequence[GraphObject]:
        """What the revision proposes, in the order in which it came."""
        ...

    async def proposed(self, change_id: str, revision: int, keys: Collection[Key]) -> Collection[Key]:
        """Which of these objects the revision proposes already."""
        ...

    async def add_difference(self, change_id: str, number: int, body: bytes) -> None:
        """Keep the difference that an event of this transaction speaks of, to the byte."""
        ...

    async def difference(self, change_id: str, number: int) -> bytes | None:
        """The difference that the event of that number speaks of."""
        ...


BeginChange = Callable[[], AbstractAsyncContextManager[ChangeTransaction]]


class DocumentTransaction(Protocol):
    """Graph files as people wrote them, in one transaction with the changes. All methods raise StoreUnavailable."""

    def changes(self) -> ChangeTransaction:
        """The changes, in the same transaction."""
        ...

    async def of_change(self, change_id: str, revision: int) -> Mapping[str, bytes]:
        """The files of a change in that revision, by path."""
        ...

    async def add(self, change_id: str, revision: int, files: Mapping[str, bytes]) -> None:
        """Keep files that are not there yet."""
        ...

    async def as_of(self, version: int) -> Mapping[str, bytes]:
        """Each file as it was written last in a change that is part of the graph up to that version."""
        ...


BeginDocuments = Callable[[], AbstractAsyncContextManager[DocumentTransaction]]


class PastConcerns(Protocol):
    """The concerns of the past, as the router decided on them."""

    async def between(self, since: datetime, until: datetime) -> Past:
        """What was received in `[since, until)`. Raises HistoryUnavailable."""
        ...
