"""The agreement graph as values. Built by `load`; read by everything else. Nothing here decides."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import Any

from shared.agreements.days import Span
from shared.agreements.vocabulary import Vocabulary

SIGNATORIES = "@signatories"
NAMED = "@named"
PERSONAL_LINEAGE = "ecp"

Terms = frozenset[str]


class Effect(Enum):
    PERMIT = "PERMIT"
    REQUIRE = "REQUIRE"
    FORBID = "FORBID"


class Mode(Enum):
    PUSH = "push"
    INVITE = "invite"
    FEED = "feed"
    RECORD = "record"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a `when` or a remit asks of a concern; None is no limit. Categories are fine ones, parents resolved."""

    categories: Terms = frozenset()
    needs_all: Terms | None = None
    nations: Terms | None = None
    subject_kinds: Terms | None = None
    registers: Terms | None = None
    settings: Terms | None = None
    victims: Terms | None = None
    provider_status: Terms | None = None
    fault_holders: Terms | None = None
    topics: Terms | None = None
    topics_none: Terms | None = None
    urgency_at_least: str | None = None
    flags_all: Terms | None = None
    functions: Terms | None = None
    subject_not: Terms | None = None
    purposes: Terms | None = None
    by_incident: bool = False
    needs_remit: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """A time limit, and the clause (or policy) that sets it."""

    name: str
    amount: int
    unit: str
    by: str


@dataclass(frozen=True, slots=True)
class Clause:
    """One directed rule of an agreement, duty or gateway; `cite` is `<agreement>/<clause>`."""

    cite: str
    effect: Effect
    mode: Mode
    direction: str
    disclosers: tuple[str, ...]
    recipients: tuple[str, ...]
    when: Scope
    purposes: Terms
    onward: str
    fields: Mapping[str, str]
    sensitivity_max: Terms | None
    limits: tuple[Limit, ...]
    tasks: tuple[str, ...]
    channel: str | None
    marking: str | None
    standing_necessity: bool
    assumed: bool
    summary: str


@dataclass(frozen=True, slots=True)
class Party:
    org: str
    signed: bool
    span: Span


@dataclass(frozen=True, slots=True)
class Agreement:
    """An agreement, a statutory duty, or the clauses that a bar's gateways permit.

    `record` is the object as written, with every text that decides nothing.
    """

    id: str
    lineage: str
    instrument: str
    parties: tuple[Party, ...]
    span: Span
    nations: Terms
    clauses: tuple[Clause, ...]
    supports: str | None = None
    supersedes: str | None = None
    sensitivity_cap: Terms | None = None
    suspended: tuple[Span, ...] = ()
    terminated: date | None = None
    review_due: date | None = None
    record: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)

    signatories: Terms = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "signatories", frozenset(party.org for party in self.parties if party.signed))

    @property
    def personal(self) -> bool:
        """Rule 8: a signature under the Emerging Concerns Protocol does not pass to a successor."""
        return self.lineage == PERSONAL_LINEAGE

    def is_review_overdue(self, day: date) -> bool:
        """A flag: it changes nothing of what the agreement permits."""
        return self.review_due is not None and self.review_due < day


@dataclass(frozen=True, slots=True)
class Remit:
    scope: Scope
    span: Span
    assumed: bool


@dataclass(frozen=True, slots=True)
class Organisation:
    id: str
    name: str
    sector: str
    exists: Span
    remits: tuple[Remit, ...]
    deliver_to: str | None = None
    record: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Succession:
    """One body takes over from another. `partial`: a split or a partial transfer, followed by function."""

    id: str
    predecessor: str
    successor: str
    kind: str
    effective: date | None
    functions: Terms
    categories: Terms
    novation: str
    carries_ecp_signature: bool

    @property
    def partial(self) -> bool:
        return self.kind in ("split", "partial_transfer")

    def has_happened(self, day: date) -> bool:
        """False for a planned one, for ever: it has no day."""
        return self.effective is not None and self.effective <= day


@dataclass(frozen=True, slots=True)
class Gateway:
    """A lawful way through a bar; `cite` is `<bar>/<gateway>`, `permits` the citation of the clause it opens."""

    cite: str
    by_person: bool
    agreements: Terms | None
    to_sector: Terms | None
    needs_necessity: bool
    permits: str | None


@dataclass(frozen=True, slots=True)
class Bar:
    """A statutory bar on what its holders originate; `withholds` all, or else leaves out `fields`."""

    id: str
    holders: tuple[str, ...]
    span: Span
    withholds: bool
    fields: Terms
    gateways: tuple[Gateway, ...]
    recipient_onward: str | None
    tasks: tuple[str, ...]
    permitted: Agreement
    record: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class LeadStep:
    """One line of a lead rule; no candidates = a person decides."""

    when: Scope
    candidates: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LeadRule:
    id: str
    agreement: str | None
    by_incident: bool
    not_before: date | None
    steps: tuple[LeadStep, ...]


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What a concern cannot say at once: one of these words of each of the fields named."""

    id: str
    says: tuple[tuple[str, Terms], ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """What the deployment decides for itself (domain of `policy.yaml`)."""

    assumed_clauses: bool
    assumed_by_agreement: Mapping[str, bool]
    assumed_remits: bool
    acknowledge: Mapping[str, Limit]
    caps_public: Mapping[str, Terms]
    caps_other: Mapping[str, Terms]
    fields: Mapping[str, str]
    correlation_window: Limit
    correlation_count: int
    emergency_review: Limit | None = None
    """How soon a person reviews what was told in an emergency; None: nobody is told so."""
    operator: str | None = None
    """The body of the graph that runs the deployment, where one does: what is about it, a person decides."""
    contradictions: tuple[Contradiction, ...] = ()

    def admits_assumed(self, agreement: str) -> bool:
        return self.assumed_by_agreement.get(agreement, self.assumed_clauses)


@dataclass(frozen=True, slots=True)
class Graph:
    """Everything that `load` read, by id. Forums and sources decide nothing and stay as written."""

    organisations: Mapping[str, Organisation]
    agreements: Mapping[str, Agreement]
    duties: Mapping[str, Agreement]
    bars: Mapping[str, Bar]
    successions: tuple[Succession, ...]
    vocabularies: Vocabulary
    policy: Policy
    lead_rules: tuple[LeadRule, ...]
    forums: Mapping[str, Mapping[str, Any]]
    sources: Mapping[str, Mapping[str, Any]]

    def sharing(self) -> dict[str, Agreement]:
        """Every agreement, duty and gateway clause by the id under which its clauses are cited."""
        permitted = {bar.id: bar.permitted for bar in self.bars.values()}
        return {**self.agreements, **self.duties, **permitted}
