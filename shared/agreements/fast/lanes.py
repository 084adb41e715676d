"""What one body may say, clause by clause and body by body: read from the agreements once, nothing of them kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date
from sys import intern
from typing import Any, NamedTuple, TypeVar

from shared.agreements.fast.days import ALWAYS, Force, Spans, force_of, spans_of
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


class Opened(NamedTuple):
    """All of a clause that a gateway may ask for."""

    cite: str | None
    agreement: str | None
    standing_necessity: bool


class Unbarred(NamedTuple):
    """The same towards a body of that sector."""

    clause: Opened
    sector: str


class Said(NamedTuple):
    """Where a right stands."""

    agreement: str
    clause: str
    discloser: str
    personal: bool


class Speech(NamedTuple):
    """One right of the body, and everything of it that a gate looks at. `names`: it is towards whom a concern names."""

    said: Said
    scope: Scope
    manner: Manner
    purposes: Terms
    ceiling: Ceiling
    force: Force
    opened: Opened
    signs: bool
    present: Spans
    names: bool


class Signature(NamedTuple):
    """Whether both sides signed, and when each is a party."""

    signed: bool
    sides: tuple[Spans, Spans]


class Lane(NamedTuple):
    """A right towards one body that may receive for a party. Lanes of one body stand together."""

    body: int
    party: str
    speech: Speech
    signed: bool
    sides: tuple[Spans, Spans]
    unbarred: Unbarred
    moves: bool


class Tied(NamedTuple):
    """Who may tell a party for which the body acts."""

    discloser: str
    recipient: str
    personal: bool


class Found(NamedTuple):
    """What a body may say and hear: `naming` are the rights towards whom a concern names, `rights` one of each kind
    that gateways tell apart, `heard` counts in how many clauses."""

    lanes: list[Lane]
    naming: list[Speech]
    rights: dict[Opened, Right]
    heard: Counter[Tied]


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

    def find(self, originator: str, among: Collection[str] | None = None) -> Found:
        """Everything that the body may ever say; with `among`, by these agreements alone."""
        acting = self._snapshot.acting_for(originator)
        itself, held = self._terrain.number.get(originator), None
        found = Found([], [], {}, Counter())
        for right in self._snapshot.rights_around(originator, among):
            if held is None or held.agreement is not right.agreement:
                held = _Read(right.agreement, self._snapshot.later_day(right.agreement.id))
            found.heard.update(_heard(right, acting))
            if right.discloser in acting:
                speech = self._speech(right, held)
                found.rights.setdefault(speech.opened, right)
                found.lanes.extend(self._lanes(right, speech, held.spans, itself))
                if speech.names:
                    found.naming.append(speech)
        return found

    def named(self, originator: str, naming: Iterable[Speech], parties: Iterable[str]) -> Iterator[Lane]:
        """The lanes of these rights towards parties that a concern names: they need no signature.

        Where such a party is one of the agreement as well, its own lane comes no further than this one.
        """
        itself, named = self._terrain.number.get(originator), sorted(parties)
        for speech in naming:
            sides = self._one((speech.present, ALWAYS))
            for party in named:
                yield from self._towards(party, speech, itself, Signature(speech.signs, sides))

    def _lanes(
        self, right: Right, speech: Speech, spans: Mapping[str, Spans], originator: int | None
    ) -> Iterator[Lane]:
        signatories = right.agreement.signatories
        for party in right.recipients:
            sides = self._one((speech.present, spans.get(party, ())))
            signature = Signature(speech.signs and party in signatories, sides)
            yield from self._towards(party, speech, originator, signature)

    def _towards(self, party: str, speech: Speech, originator: int | None, signature: Signature) -> Iterator[Lane]:
        for body in self._bodies_of(party):
            if body != originator:
                sector = self._graph.organisations[self._terrain.names[body]].sector
                unbarred = self._one(Unbarred(speech.opened, sector))
                yield Lane(body, party, speech, *signature, unbarred, party not in self._terrain.still)

    def _speech(self, right: Right, read: _Read) -> Speech:
        agreement, clause = right.agreement, right.clause
        switched_off = clause.assumed and not self._graph.policy.admits_assumed(agreement.id)
        short = intern(clause.cite.removeprefix(f"{agreement.id}/"))
        cite = clause.cite if clause.cite in self._cites else None
        gateway = agreement.id if agreement.id in self._agreements else None
        return Speech(
            said=Said(intern(agreement.id), short, right.discloser, agreement.personal),
            scope=clause.when,
            manner=self._one(Manner(clause.effect, clause.mode, switched_off)),
            purposes=clause.purposes,
            ceiling=self._one(self._ceiling(agreement, clause)),
            force=self._one(read.force),
            opened=self._one(Opened(cite, gateway, clause.standing_necessity)),
            signs=right.discloser in agreement.signatories,
            present=read.spans.get(right.discloser, ()),
            names=NAMED in right.recipients,
        )

    def _ceiling(self, agreement: Agreement, clause: Clause) -> Ceiling:
        own = clause.sensitivity_max if clause.sensitivity_max is not None else agreement.sensitivity_cap
        if own is not None:
            return Ceiling(agreed=True, carries=own)
        organisations, policy = self._graph.organisations, self._graph.policy
        public = all(organisations[org].sector == "public" for org in agreement.signatories)
        caps = policy.caps_public if public else policy.caps_other
        return Ceiling(agreed=False, carries=caps.get(agreement.instrument, frozenset()))

    def _bodies_of(self, party: str) -> tuple[int, ...]:
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


def _heard(right: Right, acting: frozenset[str]) -> Iterator[Tied]:
    """As `ties_of` has it, towards these parties."""
    signed = right.agreement.signatories
    if right.discloser in signed:
        for recipient in acting.intersection(right.recipients):
            if recipient in signed:
                yield Tied(right.discloser, recipient, right.agreement.personal)
