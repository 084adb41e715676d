"""Each clause once per direction and discloser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

from shared.agreements.model import SIGNATORIES, Agreement, Clause


@dataclass(frozen=True, slots=True)
class Right:
    """One clause in one direction for one discloser: parties as they signed, `@named` left to the concern.

    Bodies that are parties in another capacity stand here too; the capacity gate turns them away.
    """

    agreement: Agreement
    clause: Clause
    discloser: str
    recipients: tuple[str, ...]


class Tie(NamedTuple):
    """Somebody may tell somebody, whatever the clause: all that the other direction is asked."""

    discloser: str
    recipient: str
    personal: bool


def ties_of(right: Right) -> Iterator[Tie]:
    """Between signatories: a party in another capacity is joined both ways by its own rights."""
    signed = right.agreement.signatories
    for recipient in right.recipients:
        if right.discloser in signed and recipient in signed:
            yield Tie(right.discloser, recipient, right.agreement.personal)


def rights_of(agreement: Agreement) -> Iterator[Right]:
    """The directed readings of an agreement's clauses: `both` is two, `among` is each signatory to every other."""
    for clause in agreement.clauses:
        for disclosers, recipients in _directions(clause):
            for discloser in _parties(disclosers, agreement):
                told = tuple(org for org in _parties(recipients, agreement) if org != discloser)
                yield Right(agreement, clause, discloser, told)
        yield from _in_other_capacity(agreement, clause)


def _directions(clause: Clause) -> list[tuple[tuple[str, ...], tuple[str, ...]]]:
    there = (clause.disclosers, clause.recipients)
    return [there, there[::-1]] if clause.direction == "both" else [there]


def _parties(names: tuple[str, ...], agreement: Agreement) -> tuple[str, ...]:
    found = {org for name in names for org in (agreement.signatories if name == SIGNATORIES else {name})}
    return tuple(sorted(found))


def _in_other_capacity(agreement: Agreement, clause: Clause) -> Iterator[Right]:
    """Aligned, affiliated, in attendance: joined to every other party, and turned away by the capacity gate."""
    everybody = {party.org for party in agreement.parties}
    unsigned = everybody - agreement.signatories
    for org in sorted(everybody if unsigned else ()):
        others = (everybody if org in unsigned else unsigned) - {org}
        yield Right(agreement, clause, org, tuple(sorted(others)))
