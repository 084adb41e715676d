"""An agreement on a day, with the bodies that act for its parties: who signed stays as written, whoever acts today."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date

from services.registry.domain.intervals import covers
from services.registry.domain.model import Row
from services.registry.domain.standing import INHERITED, Standing, standing
from shared.agreements.model import Agreement, Graph, Succession
from shared.agreements.succession import Lineage, Reached


@dataclass(frozen=True, slots=True)
class Acting:
    """A body that acts for a party: the way there over successions, and what a reader must know of that way.

    `by_function`: the party was split, and which part applies depends on the concern.
    """

    org: str
    path: tuple[str, ...]
    flags: tuple[str, ...]
    by_function: bool


@dataclass(frozen=True, slots=True)
class PartyOnDay:
    """A party as it is written, and who acts for it on the day."""

    party: Row
    acting: tuple[Acting, ...]


@dataclass(frozen=True, slots=True)
class VersionOnDay:
    """Another version of the lineage."""

    agreement: Agreement
    standing: Standing


@dataclass(frozen=True, slots=True)
class AgreementOnDay:
    """Everything that is asked of one agreement on one day."""

    row: Row
    standing: Standing
    parties: tuple[PartyOnDay, ...]
    earlier: tuple[VersionOnDay, ...]
    later: tuple[VersionOnDay, ...]


class GraphOnDay:
    """A graph, or the part of it that a question needs, on one civil day in Europe/London."""

    def __init__(self, graph: Graph, day: date) -> None:
        self._agreements = graph.agreements
        self._day = day
        self._later = {row.supersedes: row for row in graph.agreements.values() if row.supersedes}
        rows = _by_predecessor(graph.successions)
        # Which part of a split body applies depends on a concern; without one every part is named.
        self._bodies = Lineage(rows, graph.organisations, day, frozenset(), frozenset())

    def agreement(self, row: Row) -> AgreementOnDay:
        """The agreement of that object, which is one of this graph."""
        own = self._agreements[row["id"]]
        parties = tuple(self._parties(row, own))
        others = sorted((other for other in self._lineage_of(own) if other.id != own.id), key=_begins)
        return AgreementOnDay(
            row=row,
            standing=self.standing(row["id"], parties),
            parties=parties,
            earlier=tuple(self._version(other) for other in others if _begins(other) < _begins(own)),
            later=tuple(self._version(other) for other in others if _begins(other) > _begins(own)),
        )

    def standing(self, agreement_id: str, parties: Iterable[PartyOnDay] | None = None) -> Standing:
        """The standing of the agreement of that id, which is one of this graph."""
        own = self._agreements[agreement_id]
        if parties is None:
            parties = self._parties_of(own)
        flags = {flag.lower() for party in parties for acting in party.acting for flag in acting.flags}
        return standing(own, self._day, self._later.get(agreement_id), flags)

    def _parties_of(self, own: Agreement) -> Iterator[PartyOnDay]:
        for party in own.parties:
            if party.span.covers(self._day):
                yield PartyOnDay({"org": party.org}, self._acting(party.org, own))

    def _parties(self, row: Row, own: Agreement) -> Iterator[PartyOnDay]:
        for party in row["parties"]:
            if covers(party, self._day):
                yield PartyOnDay(party, self._acting(party["org"], own))

    def _acting(self, org: str, own: Agreement) -> tuple[Acting, ...]:
        return tuple(map(_acting, self._bodies.resolve(org, personal=own.personal)))

    def _lineage_of(self, own: Agreement) -> Iterator[Agreement]:
        return (other for other in self._agreements.values() if other.lineage == own.lineage)

    def _version(self, other: Agreement) -> VersionOnDay:
        return VersionOnDay(other, self.standing(other.id))


def successors_of(parties: Iterable[str], rows: Iterable[Row]) -> set[str]:
    """The parties, and every body that may act for one of them on some day, by rows of kind succession."""
    follows: dict[str, set[str]] = {}
    for row in rows:
        follows.setdefault(row["from"], set()).add(row["to"])
    seen, ahead = set[str](), set(parties)
    while ahead:
        seen |= ahead
        ahead = {after for org in ahead for after in follows.get(org, ())} - seen
    return seen


def _acting(reached: Reached) -> Acting:
    flags = sorted(novation.upper() for novation in reached.novations if novation != INHERITED)
    return Acting(reached.org, reached.path, tuple(flags), reached.ambiguous)


def _by_predecessor(successions: Iterable[Succession]) -> Mapping[str, tuple[Succession, ...]]:
    rows: dict[str, tuple[Succession, ...]] = {}
    for row in sorted(successions, key=lambda item: item.id):
        rows[row.predecessor] = (*rows.get(row.predecessor, ()), row)
    return rows


def _begins(agreement: Agreement) -> tuple[date, str]:
    return agreement.span.start or date.min, agreement.id
