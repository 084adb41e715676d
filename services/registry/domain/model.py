"""The words of the registry: graph objects, commits of the graph, and the clients that may call."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

import orjson

Row = Mapping[str, Any]
EventName = Literal["IMPORTED", "CHANGED", "SUSPENDED", "RESUMED", "TERMINATED"]


@dataclass(frozen=True, slots=True)
class GraphObject:
    """One object of the graph as it stands in one version; `body` is its canonical JSON, kept to the byte."""

    kind: str
    id: str
    body: bytes

    @property
    def key(self) -> tuple[str, str]:
        """What identifies it in the graph."""
        return self.kind, self.id

    def row(self) -> Row:
        """The object as the reader of the graph takes it."""
        row: Row = orjson.loads(self.body)
        return row


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object with the version of the commit that last changed it."""

    version: int
    item: GraphObject


@dataclass(frozen=True, slots=True)
class Commit:
    """One change of the graph, whole or not at all. `objects` are the new and changed ones, sorted by key.

    `parent_root` is the root before it, "" for the first; `root` the root after it.
    """

    version: int
    parent_root: str
    root: str
    committed_at: datetime
    principal: str
    reason: str
    event: EventName
    objects: tuple[GraphObject, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody asks for: these objects, on top of the version that they have seen."""

    parent_version: int
    principal: str
    reason: str
    objects: tuple[GraphObject, ...]
    event: EventName = "CHANGED"


@dataclass(frozen=True, slots=True)
class Committed:
    """The change is part of the graph now."""

    commit: Commit


@dataclass(frozen=True, slots=True)
class Unchanged:
    """Every object is already as asked: a repeat, or nothing to do. `head` is the newest commit."""

    head: Commit


@dataclass(frozen=True, slots=True)
class Stale:
    """The graph has moved on from the version that the change was made for. `head` is the newest commit."""

    head: Commit


@dataclass(frozen=True, slots=True)
class Defect:
    """One thing wrong with a change. `index` is the object's place in it; None: another object would break."""

    index: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class Refused:
    """The graph would not be one that can be decided on; every defect is listed."""

    defects: tuple[Defect, ...]


Outcome = Committed | Unchanged | Stale | Refused


@dataclass(frozen=True, slots=True)
class Client:
    """A program that may ask for tokens: for which organisation it acts and what it may do at most.

    `person` is who it acts for, "" for nobody but itself: clients of one person count as one where two must agree.
    """

    client_id: str
    secret_sha256: str
    org: str
    scopes: frozenset[str]
    roles: frozenset[str]
    person: str = ""

    @property
    def subject(self) -> str:
        """Who takes what is done with its tokens."""
        return self.person or self.client_id


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """Who asks for a token and how it proves itself; `scopes` empty asks for all that the client holds."""

    grant_type: str
    client_id: str
    secret: str = field(repr=False)
    scopes: frozenset[str] = frozenset()
