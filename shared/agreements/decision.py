"""What was decided, as values. Plain enough to be written as canonical JSON, the same bytes for the same inputs."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from shared.agreements.model import Limit


class Class(Enum):
    """Rule 15: the first that applies to a body."""

    ORIGINATOR = "originator"
    TOLD = "told"
    AVAILABLE = "available"
    HELD = "held"
    GAP = "gap"
    WITHHELD = "withheld"
    NO_PATH = "no_path"


@dataclass(frozen=True, slots=True)
class SignedAs:
    """The parties as they stand in the agreement."""

    discloser: str
    recipient: str


@dataclass(frozen=True, slots=True)
class Because:
    """A clause that tells (or would tell) a body; `path` leads from the party that signed to the body."""

    agreement: str
    clause: str
    signed_as: SignedAs
    path: tuple[str, ...]

    @property
    def cite(self) -> str:
        return f"{self.agreement}/{self.clause}"

    def to_json(self) -> dict[str, Any]:
        signed_as = {"discloser": self.signed_as.discloser, "recipient": self.signed_as.recipient}
        return {"agreement": self.agreement, "clause": self.clause, "signed_as": signed_as, "path": list(self.path)}


@dataclass(frozen=True, slots=True)
class Withheld:
    """A field class that does not travel, and what leaves it out: a bar, a clause, or the default policy."""

    field: str
    by: str

    def to_json(self) -> dict[str, Any]:
        return {"field": self.field, "by": self.by}


@dataclass(frozen=True, slots=True)
class Duties:
    """The strictest limit of each name, and every task, channel and marking that a telling clause sets."""

    limits: tuple[Limit, ...] = ()
    tasks: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    marking: str | None = None

    def to_json(self) -> dict[str, Any]:
        limits = {row.name: {"amount": row.amount, "unit": row.unit, "by": row.by} for row in self.limits}
        return {
            "limits": limits,
            "tasks": list(self.tasks),
            "channels": list(self.channels),
            "marking": self.marking,
        }


@dataclass(frozen=True, slots=True)
class Payload:
    """What a body that is told receives: a transform per field class, duties, and how far it may pass it on."""

    fields: tuple[tuple[str, str], ...]
    withheld: tuple[Withheld, ...]
    pointer_only: bool
    duties: Duties
    onward: str
    valid_until: datetime | None

    def to_json(self) -> dict[str, Any]:
        return {
            "fields": dict(self.fields),
            "withheld": [row.to_json() for row in self.withheld],
            "pointer_only": self.pointer_only,
            "duties": self.duties.to_json(),
            "onward": self.onward,
            "valid_until": None if self.valid_until is None else f"{self.valid_until:%Y-%m-%dT%H:%M:%SZ}",
        }


@dataclass(frozen=True, slots=True)
class Outcome:
    """One body's class and reason. `because` are the clauses that tell it, or that make it available or held;
    `nearest` is the citation of its furthest clause when it is none of these; `payload` is there when it is told."""

    org: str
    klass: Class
    reason: str
    because: tuple[Because, ...] = ()
    flags: tuple[str, ...] = ()
    nearest: str | None = None
    payload: Payload | None = None

    @property
    def told(self) -> bool:
        return self.klass is Class.TOLD

    @property
    def fields(self) -> dict[str, str]:
        return dict(self.payload.fields) if self.payload else {}

    @property
    def withheld(self) -> tuple[Withheld, ...]:
        return self.payload.withheld if self.payload else ()

    @property
    def pointer_only(self) -> bool:
        return self.payload is not None and self.payload.pointer_only

    @property
    def duties(self) -> Duties:
        return self.payload.duties if self.payload else Duties()

    @property
    def onward(self) -> str | None:
        return self.payload.onward if self.payload else None

    @property
    def valid_until(self) -> datetime | None:
        return self.payload.valid_until if self.payload else None

    @property
    def via(self) -> tuple[str, ...]:
        """The parties as signed that are not the body itself."""
        return tuple(sorted({row.signed_as.recipient for row in self.because} - {self.org}))

    def to_json(self) -> dict[str, Any]:
        """The row of a body that is told, complete."""
        return {
            "org": self.org,
            "reason": self.reason,
            "because": [row.to_json() for row in self.because],
            "flags": list(self.flags),
            **(self.payload.to_json() if self.payload else {}),
        }


@dataclass(frozen=True, slots=True)
class Lead:
    """Who may lead by a rule; `nominated` when the rules leave exactly one, else a person is asked."""

    rules: tuple[str, ...]
    any_of: tuple[str, ...]
    nominated: str | None

    def to_json(self) -> dict[str, Any]:
        return {"rules": list(self.rules), "any_of": list(self.any_of), "nominated": self.nominated}


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of a concern: every organisation of the snapshot once, sorted by id.

    `hold` names why something waits for a person, `detail` the terms that are not known; both are empty as a rule.
    """

    originator: str
    outcomes: tuple[Outcome, ...]
    hold: tuple[str, ...] = ()
    detail: tuple[str, ...] = ()
    unroutable: bool = False
    lead: Lead | None = None
    originator_leads: bool = False
    flags: tuple[str, ...] = ()

    @property
    def told(self) -> tuple[Outcome, ...]:
        return self.of_class(Class.TOLD)

    def of_class(self, klass: Class) -> tuple[Outcome, ...]:
        return tuple(outcome for outcome in self.outcomes if outcome.klass is klass)

    def names(self, klass: Class) -> tuple[str, ...]:
        """The bodies of a class, sorted."""
        return tuple(outcome.org for outcome in self.outcomes if outcome.klass is klass)

    def of(self, org: str) -> Outcome:
        """The outcome of one body. Raises KeyError when the snapshot has no such body."""
        for outcome in self.outcomes:
            if outcome.org == org:
                return outcome
        raise KeyError(org)

    def totals(self) -> dict[str, int]:
        """How many bodies are in each class; they add up to all organisations."""
        count = Counter(outcome.klass for outcome in self.outcomes)
        return {klass.value: count[klass] for klass in Class}

    def to_json(self) -> dict[str, Any]:
        """Plain JSON values: told rows complete, bodies that may be chosen with their clauses, others by reason."""
        return {
            "originator": self.originator,
            "totals": self.totals(),
            "told": [outcome.to_json() for outcome in self.told],
            "available": [outcome.to_json() for outcome in self.of_class(Class.AVAILABLE)],
            "not_told": {klass.value: self._by_reason(klass) for klass in _GROUPED if self.of_class(klass)},
            "hold": list(self.hold),
            "detail": list(self.detail),
            "unroutable": self.unroutable,
            "lead": self.lead.to_json() if self.lead else None,
            "originator_leads": self.originator_leads,
            "flags": list(self.flags),
        }

    def _by_reason(self, klass: Class) -> dict[str, list[str]]:
        grouped: dict[str, list[str]] = {}
        for outcome in self.of_class(klass):
            grouped.setdefault(outcome.reason, []).append(outcome.org)
        return grouped


_GROUPED = (Class.HELD, Class.GAP, Class.WITHHELD, Class.NO_PATH)
