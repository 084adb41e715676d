"""What a concern says that can change a decision, and nothing else: no names, no text, no references."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from shared.agreements.days import civil_day, instant_of

DEFAULT_PURPOSES = ("regulatory-function",)
DEFAULT_URGENCY = "emerging"
NOT_GIVEN = "omit"

Terms = frozenset[str]
NONE: Terms = frozenset()


@dataclass(frozen=True, slots=True)
class SubjectFacts:
    """One subject: its kind, the registers it stands on, and its id when it is an organisation of the graph."""

    kind: str
    registers: Terms = NONE
    org: str | None = None


@dataclass(frozen=True, slots=True)
class GatewayFact:
    """A person's recorded decision that opens `<bar>/<gateway>`."""

    id: str
    decided_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Hop:
    """One step that the information has already made, with the onward term under which it was given.

    `fields` is what each field class was given as; a class that is not in it was not given. None: it is not stated.
    """

    sender: str
    recipient: str
    onward: str
    clause: str | None = None
    granted: Terms = NONE
    fields: tuple[tuple[str, str], ...] | None = None

    def given_as(self, field: str) -> str | None:
        """The policy under which this class was given; None where the hop does not say what was given."""
        return None if self.fields is None else dict(self.fields).get(field, NOT_GIVEN)


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything of a concern's routing that can change a decision; build it with `facts_of`."""

    originator: str
    received_at: datetime
    categories: Terms
    incident_date: date | None = None
    topics: Terms = NONE
    functions: Terms = NONE
    flags: Terms = NONE
    purposes: Terms = frozenset(DEFAULT_PURPOSES)
    urgency: str = DEFAULT_URGENCY
    nation: str | None = None
    setting: str | None = None
    victim: str | None = None
    fault_holder: str | None = None
    provider_status: str | None = None
    sensitivity: Terms = NONE
    named_recipients: Terms = NONE
    subjects: tuple[SubjectFacts, ...] = ()
    gateways: tuple[GatewayFact, ...] = ()
    necessity: bool = False
    onward: str | None = None
    marking: str | None = None
    provenance: tuple[Hop, ...] = ()
    field_classes: Terms = NONE
    min_graph_token: str | None = None

    @property
    def day(self) -> date:
        """The civil day of receipt: the day on which the law is read."""
        return civil_day(self.received_at)

    @property
    def incident_day(self) -> date:
        """Defaults: without a date of the incident, the day of receipt."""
        return self.incident_date or self.day

    @property
    def opened(self) -> Terms:
        return frozenset(gateway.id for gateway in self.gateways)

    def key(self) -> Hashable:
        """Equal for two concerns that no graph can decide differently: the time of day, the persons who decided
        and the order of subjects are left out."""
        return (
            self.originator,
            self.day,
            self.incident_date,
            (self.categories, self.topics, self.functions, self.flags, self.purposes),
            (self.urgency, self.nation, self.setting, self.victim, self.fault_holder, self.provider_status),
            (self.sensitivity, self.named_recipients, self.field_classes),
            frozenset(self.subjects),
            self.opened,
            (self.necessity, self.onward, self.marking),
            self.provenance,
        )


def facts_of(routing: Mapping[str, Any]) -> Facts:
    """The facts of a concern's clear routing object, with the defaults applied (an empty list means the default).

    Raises KeyError without originator or received_at, ValueError for a malformed date: intake checks the form first.
    """
    lists = {name: _terms(routing, name) for name in LISTS}
    words = {name: routing.get(name) for name in WORDS}
    stated: dict[str, Any] = {**lists, **words}
    return Facts(
        originator=routing["originator"],
        received_at=instant_of(routing["received_at"]),
        incident_date=_day(routing.get("incident_date")),
        purposes=_terms(routing, "purposes") or frozenset(DEFAULT_PURPOSES),
        urgency=routing.get("urgency") or DEFAULT_URGENCY,
        subjects=tuple(_subject(row) for row in routing.get("subjects") or ()),
        gateways=tuple(_gateway(row) for row in routing.get("gateways") or ()),
        necessity=bool(routing.get("necessity")),
        provenance=tuple(_hop(row) for row in routing.get("provenance") or ()),
        **stated,
    )


LISTS = ("categories", "topics", "functions", "flags", "sensitivity", "named_recipients", "field_classes")
WORDS = (
    "nation",
    "setting",
    "victim",
    "fault_holder",
    "provider_status",
    "onward",
    "marking",
    "min_graph_token",
)


def _terms(row: Mapping[str, Any], name: str) -> Terms:
    return frozenset(row.get(name) or ())


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _subject(row: Mapping[str, Any]) -> SubjectFacts:
    return SubjectFacts(row["kind"], _terms(row, "registers"), row.get("org"))


def _gateway(row: Mapping[str, Any]) -> GatewayFact:
    return GatewayFact(row["id"], row.get("decided_by") or "", row.get("reason") or "")


def _hop(row: Mapping[str, Any]) -> Hop:
    fields = row.get("fields")
    given = None if fields is None else tuple(sorted(fields.items()))
    return Hop(row["from"], row["to"], row["onward"], row.get("clause"), _terms(row, "granted"), given)
