"""What the router works with: concerns, what was decided about them, and what waits for a person."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal, get_args

from shared.agreements import Class, Decision, Outcome
from shared.agreements.days import instant_of
from shared.agreements.fast import Swift

ENGINE = "1"
"""The version of the evaluator: raised whenever the same graph and concern could give other bytes."""
FIRST_ROUND = 1

ItemKind = Literal["unroutable", "held", "gap", "refused", "returned", "correlation", "emergency", "derived"]
ITEM_KINDS: tuple[ItemKind, ...] = get_args(ItemKind)
OF_THE_DECISION: frozenset[ItemKind] = frozenset({"unroutable", "held", "gap"})
"""What a decision leaves to people: it ends, or stands on, with the next. All else ends by its own resolution."""
ItemEventName = Literal["opened", "assigned", "waits", "pointer-proposed", "overdue", "resolved"]
ItemState = Literal["open", "waiting", "closed"]
Resolution = Literal["routed", "closed", "graph-arrived", "superseded"]
Encode = Callable[[dict[str, Any]], bytes]


@dataclass(frozen=True, slots=True)
class Concern:
    """A version of a concern as intake accepted it: `routing` in clear, `sealed` passed on unopened.

    `descendants` are the concerns that came of its earlier versions.
    """

    concern_id: str
    version: int
    digest: str
    accepted_at: datetime
    routing: Mapping[str, Any]
    sealed: Mapping[str, str]
    traceparent: str | None = None
    descendants: tuple[str, ...] = ()

    @property
    def received_at(self) -> datetime:
        """When the originator says it was received; when it was accepted, where that cannot be read."""
        try:
            return instant_of(self.routing["received_at"])
        except (KeyError, TypeError, ValueError, OverflowError):
            return self.accepted_at


@dataclass(frozen=True, slots=True)
class Recall:
    """The originator takes a concern back in all its versions, with the concerns that came of it."""

    concern_id: str
    reason: str
    descendants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class PastRouting:
    """The clear part of a version of a concern, as canonical JSON; never the sealed one."""

    concern_id: str
    version: int
    received_at: datetime
    routing: bytes


@dataclass(frozen=True, slots=True)
class RoutingCursor:
    """Where a page of past routings ends: they are listed by receipt, then by id and version."""

    received_at: datetime
    concern_id: str
    version: int


@dataclass(frozen=True, slots=True)
class DecisionKey:
    """A concern is decided once per version and round."""

    concern_id: str
    version: int
    round: int = FIRST_ROUND


@dataclass(frozen=True, slots=True)
class Head:
    """A version of the graph and its root; version 0 is no graph at all."""

    version: int = 0
    root: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one decision says to the world, with its canonical bytes; shared by all concerns that are decided alike.

    `kept` is for what is worked out from it once and serves them all; it is no part of its value.
    """

    told: tuple[Outcome, ...]
    available: tuple[str, ...]
    held: tuple[str, ...]
    gaps: tuple[Outcome, ...]
    hold: tuple[str, ...]
    unroutable: bool
    totals: Mapping[str, int]
    body: bytes
    body_digest: str
    kept: dict[Hashable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    @classmethod
    def of(cls, decision: Decision | Swift, encode: Encode) -> Verdict:
        """Take from a total decision what others hear of it; the whole of it stays in `body`."""
        body = encode(decision.to_json())
        return cls(
            told=decision.told,
            available=decision.names(Class.AVAILABLE),
            held=decision.names(Class.HELD),
            gaps=decision.of_class(Class.GAP),
            hold=decision.hold,
            unroutable=decision.unroutable,
            totals=decision.totals(),
            body=body,
            body_digest=hashlib.sha256(body).hexdigest(),
        )


@dataclass(frozen=True, slots=True)
class DecisionRecord:
    """A decision as it is kept. `digest` covers the decision's bytes, the graph's root, the concern and the engine."""

    decision_id: str
    key: DecisionKey
    originator: str
    concern_digest: str
    digest: str
    body_digest: str
    body: bytes
    graph: Head
    engine: str
    as_of: str
    decided_at: datetime


@dataclass(frozen=True, slots=True)
class WorkItem:
    """Something about a concern that a person must look at: codes say why, bodies whom it touches.

    `owner` has taken it on; it may wait until a day; `resolution` ends it. `ref` is the notice that came back, or which
    subject of the concern recurs; `due_at`, where there is one, is until when it must be resolved.
    """

    item_id: str
    kind: ItemKind
    key: DecisionKey
    codes: tuple[str, ...]
    bodies: tuple[str, ...]
    opened_at: datetime
    ref: str = ""
    owner: str = ""
    waits_until: datetime | None = None
    resolution: Resolution | None = None
    resolved_at: datetime | None = None
    due_at: datetime | None = None

    def is_overdue(self, now: datetime) -> bool:
        """Whether it should have been resolved by now, also where it waits."""
        return self.resolution is None and self.due_at is not None and self.due_at <= now

    def state(self, now: datetime) -> ItemState:
        """`closed` once it is resolved, `waiting` until its day, else `open`."""
        if self.resolution is not None:
            return "closed"
        return "waiting" if self.waits_until is not None and self.waits_until > now else "open"


@dataclass(frozen=True, slots=True)
class ItemQuery:
    """Which work items are asked for: of a kind, in a state (None: all that are not closed), behind a cursor."""

    now: datetime
    limit: int
    kind: ItemKind | None = None
    state: ItemState | None = None
    after: ItemCursor | None = None


@dataclass(frozen=True, slots=True)
class StaleHold:
    """A version of a concern that waits for a newer graph, and the place of its item in the queue."""

    concern_id: str
    version: int
    place: ItemCursor


@dataclass(frozen=True, slots=True)
class ItemEvent:
    """One thing that happened to a work item: who did it, and what was said."""

    event: ItemEventName
    at: datetime
    principal: str
    body: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ItemCursor:
    """Where a page of work items ends: items are listed by when they were opened, then by id."""

    opened_at: datetime
    item_id: str
