"""What one body may say, clause by clause and body by body: read from the agreements once, nothing of them kept."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from sys import intern
from typing import Any, NamedTuple, TypeVar

from shared.agreements.fast.days import Force, Spans, force_of, spans_of
from shared.agreements.fast.terrain import Terrain
from shared.agreements.model import NAMED, Agreement, Clause, Effect, Graph, Mode, Scope, Terms
from shared.agreements.rights import Right
from shared.agreements.snapshot import Snapshot

Same = TypeVar("Same")


class Manner(NamedTuple):
    effect: Effect
    mode: Mode
    switched_off: bool


class Ceiling(NamedTuple):
    """Rule 12: `agreed` by the clause or the agreement, else what the instrument carries."""

    agreed: bool
    carries: Terms


class Unbarred(NamedTuple):
    """All of a clause that a gateway may ask for."""

    cite: str | None
    agreement: str | None
    standing_necessity: bool
    sector: str


class Speech(NamedTuple):
    """One right of the body: where it stands, and everything of it that a gate looks at."""

    agreement: str
    clause: str
    discloser: str
    scope: Scope
    manner: Manner
    purposes: Terms
    ceiling: Ceiling
    force: Force
    personal: bool


class Lane(NamedTuple):
    """A right towards one body that may receive for a party. Lanes of one body stand together."""

    body: int
    party: str
    personal: bool
    speech: int
    signed: bool
    sides: tuple[Spans, Spans]
    unbarred: Unbarred | None


class Found(NamedTuple):
    """All of it; `heard`: who may tell a party for which the body acts; `names`: whether a clause names bodies."""

    speeches: list[Speech]
    lanes: list[Lane]
    rights: dict[Unbarred, Right]
    heard: frozenset[tuple[str, str, bool]]
    names: bool


class Finder:
    """Reads the lanes of bodies of one snapshot."""

    def __init__(self, snapshot: Snapshot, terrain: Terrain) -> None:
        self._snapshot = snapshot
        self._graph: Graph = snapshot.graph
        self._terrain = terrain
        self._bodies: dict[str, tuple[int, ...]] = {}
        gateways = [gateway for bar in self._graph.bars.values() for gateway in bar.gateways]
        self._cites = {gateway.permits for gateway in gateways if gateway.permits}
        self._agreements = {name for gateway in gateways for name in gateway.agreements or ()}
        self._shared: dict[Any, Any] = {}

    def find(self, originator: str) -> Found:
        """Everything that the body may ever say."""
        acting = self._snapshot.acting_for(originator)
        found = Found([], [], {}, frozenset(), names=False)
        heard, names, held = set[tuple[str, str, bool]](), False, None
        for right in self._snapshot.rights_around(originator):
            if held is None or held.agreement is not right.agreement:
                held = _Read(right.agreement, self._snapshot.later_day(right.agreement.id))
            heard |= set(_heard(right, acting))
            if right.discloser in acting:
                names = names or NAMED in right.clause.recipients
                found.lanes.extend(self._lanes(right, held, found, self._terrain.number.get(originator)))
        return found._replace(heard=frozenset(heard), names=names)

    def _lanes(self, right: Right, read: _Read, found: Found, originator: int | None) -> Iterator[Lane]:
        at = len(found.speeches)
        found.speeches.append(self._speech(right, read))
        own, personal = read.spans.get(right.discloser, ()), right.agreement.personal
        signs = right.discloser in right.agreement.signatories
        for party in right.recipients:
            signed = signs and party in right.agreement.signatories
            sides = self._one((own, read.spans.get(party, ())))
            for body in self._bodies_of(party):
                if body != originator:
                    unbarred = self._unbarred(right, body)
                    found.rights.setdefault(unbarred, right)
                    yield Lane(body, party, personal, at, signed, sides, unbarred)

    def _speech(self, right: Right, read: _Read) -> Speech:
        agreement, clause = right.agreement, right.clause
        admitted = self._graph.policy.admits_assumed(agreement.id)
        return Speech(
            agreement=intern(agreement.id),
            clause=intern(clause.cite.removeprefix(f"{agreement.id}/")),
            discloser=right.discloser,
            scope=clause.when,
            manner=self._one(Manner(clause.effect, clause.mode, clause.assumed and not admitted)),
            purposes=clause.purposes,
            ceiling=self._one(self._ceiling(agreement, clause)),
            force=self._one(read.force),
            personal=agreement.personal,
        )

    def _ceiling(self, agreement: Agreement, clause: Clause) -> Ceiling:
        own = clause.sensitivity_max if clause.sensitivity_max is not None else agreement.sensitivity_cap
        if own is not None:
            return Ceiling(agreed=True, carries=own)
        organisations, policy = self._graph.organisations, self._graph.policy
        public = all(organisations[org].sector == "public" for org in agreement.signatories)
        caps = policy.caps_public if public else policy.caps_other
        return Ceiling(agreed=False, carries=caps.get(agreement.instrument, frozenset()))

    def _unbarred(self, right: Right, body: int) -> Unbarred:
        sector = self._graph.organisations[self._terrain.names[body]].sector
        cite = right.clause.cite if right.clause.cite in self._cites else None
        agreement = right.agreement.id if right.agreement.id in self._agreements else None
        return self._one(Unbarred(cite, agreement, right.clause.standing_necessity, sector))

    def _bodies_of(self, party: str) -> tuple[int, ...]:
        if party == NAMED:
            return ()
        if party not in self._bodies:
            number = self._terrain.number
            self._bodies[party] = tuple(sorted(number[org] for org in self._terrain.bodies_of(party)))
        return self._bodies[party]

    def _one(self, value: Same) -> Same:
        """What many clauses say alike is held once."""
        held: Same = self._shared.setdefault(value, value)
        return held


class _Read:
    __slots__ = ("agreement", "force", "spans")

    def __init__(self, agreement: Agreement, later: date | None) -> None:
        self.agreement = agreement
        self.spans: Mapping[str, Spans] = spans_of(agreement)
        self.force = force_of(agreement, later)


def _heard(right: Right, acting: frozenset[str]) -> Iterator[tuple[str, str, bool]]:
    """As `ties_of` has it, towards these parties."""
    signed = right.agreement.signatories
    if right.discloser in signed:
        for recipient in acting.intersection(right.recipients):
            if recipient in signed:
                yield right.discloser, recipient, right.agreement.personal
