"""Synthetic graphs of any size, the same for the same number: the packaged seed, and more made in its likeness.

What the seed's clauses and remits say is taken as it stands, so that every vocabulary occurs with the weight that it
has there. Who is party to what follows Zipf's law (the body of rank r is drawn in proportion to 1/r), and one hub is
party to three agreements in ten. Bodies merge, split and rename each other in chains; agreements come in versions,
with parents, and some are suspended or terminated.
"""

from __future__ import annotations

from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random  # noqa: TID251 - the generator is where chance comes from: a number gives the whole graph
from typing import Any

from services.registry.adapters.seed_files import read_objects
from shared.agreements.load.overlaps import scope_of
from shared.agreements.model import NAMED, SIGNATORIES

Row = dict[str, Any]
HUB = "cqc"
HUB_SHARE = 0.3
SUCCESSION_SHARE = 0.06
PARTY_COUNTS = (2, 2, 2, 2, 2, 2, 2, 3, 3, 4, 5, 8)
CLAUSE_COUNTS = (1, 1, 2, 2, 2, 2, 3)
SUCCESSION_KINDS = ("merge", "rename", "abolish_with_transfer", "split", "partial_transfer", "planned")
NOVATIONS = ("inherited", "inherited_pending_review", "inherited_assumed", "not_carried")
FIRST_YEAR, LAST_YEAR = 2008, 2027


@dataclass(frozen=True, slots=True)
class Size:
    """How many organisations and agreements the whole graph has, the seed's among them."""

    organisations: int
    agreements: int


LARGE = Size(10_000, 100_000)


def synthetic(size: Size, number: int = 1) -> list[Row]:
    """The objects of a graph of that size; another number gives another graph of the same kind."""
    return list(_Maker(size, Random(number)).objects())  # noqa: S311 - no secret is made here


class _Maker:
    def __init__(self, size: Size, chance: Random) -> None:
        self._chance = chance
        self._seed = read_objects()
        self._bodies = _ids(self._seed, "organisation")
        made = max(size.organisations - len(self._bodies), 0)
        self._made = [f"body-{number:05}" for number in range(made)]
        self._count = max(size.agreements - len(_ids(self._seed, "agreement")), 0)
        self._remits = [remit for row in _rows(self._seed, "organisation") for remit in row["remits"]]
        self._clauses = [clause for row in _rows(self._seed, "agreement") for clause in row["clauses"]]
        self._shells = _rows(self._seed, "agreement")
        self._everybody = [HUB, *self._made, *(body for body in self._bodies if body != HUB)]
        self._weights = list(accumulate(1 / rank for rank in range(1, len(self._everybody) + 1)))

    def objects(self) -> Iterator[Row]:
        yield from self._seed
        yield from map(self._body, self._made)
        yield from self._successions()
        yield from self._agreements()

    def _body(self, name: str) -> Row:
        remits = {scope_of(remit): remit for remit in self._chance.sample(self._remits, self._chance.randint(0, 3))}
        return {
            "kind": "organisation",
            "id": name,
            "name": f"Body number {name[5:]}",
            "sector": self._chance.choice(("public", "public", "public", "private", "other")),
            "exists": {"from": None, "to": None},
            "remits": [_plain(remit) for remit in remits.values()],
            "certainty": "assumed",
        }

    def _successions(self) -> Iterator[Row]:
        """From a body to one later in the list, so that chains of any length come about and no circle does."""
        gone = self._chance.sample(range(len(self._made) or 1), int(len(self._made) * SUCCESSION_SHARE))
        for place in sorted(gone):
            heirs = self._made[place + 1 : place + 40]
            kind = self._chance.choice(SUCCESSION_KINDS)
            chosen = self._chance.sample(heirs, min(len(heirs), 2 if kind == "split" else 1))
            for number, heir in enumerate(chosen):
                yield self._succession(self._made[place], heir, kind, number)

    def _succession(self, before: str, after: str, kind: str, number: int) -> Row:
        part = kind in ("split", "partial_transfer")
        categories = self._categories()[number::2]
        return {
            "kind": "succession",
            "id": f"{before}-to-{after}",
            "from": before,
            "to": after,
            "type": kind,
            "effective": None if kind == "planned" else self._day(),
            "novation": self._chance.choice(NOVATIONS),
            "ecp_signature": "not_carried",
            "certainty": "assumed",
            **({"scope": "one part", "categories": categories} if part else {}),
        }

    def _categories(self) -> list[str]:
        words = next(row for row in self._seed if row["kind"] == "vocabulary" and row["id"] == "categories")
        return self._chance.sample([term["id"] for term in words["terms"]], 6)

    def _agreements(self) -> Iterator[Row]:
        older: Row | None = None
        for number in range(self._count):
            row = self._agreement(f"pact-{number:06}")
            if older is not None and self._chance.random() < 0.05 and older["in_force"]["to"]:
                row = _later_version(row, older)
            elif older is not None and self._chance.random() < 0.1:
                row["supports"] = older["id"]
            yield _ending_after_it_began(row)
            older = row

    def _agreement(self, name: str) -> Row:
        parties = self._parties()
        shell = self._chance.choice(self._shells)
        clauses = [self._clause(f"c{n}", parties) for n in range(1, self._chance.choice(CLAUSE_COUNTS) + 1)]
        return {
            "kind": "agreement",
            "id": name,
            "lineage": name,
            "instrument": shell["instrument"],
            "title": f"{shell['title']}, number {name[5:]}",
            "parties": [self._party(org) for org in parties],
            "in_force": self._interval(),
            "status": "current",
            "nations": shell["nations"],
            "binding": shell["binding"],
            "certainty": "assumed",
            "source": shell.get("source", [])[:1],
            "clauses": clauses,
            **self._life(),
        }

    def _life(self) -> Row:
        if (lot := self._chance.random()) < 0.01:
            return {"suspended": [{"from": "2024-01-10", "to": "2024-03-10"}]}
        if lot < 0.02:
            return {"terminated": self._day()}
        return {"review_due": self._day()} if lot < 0.4 else {}

    def _parties(self) -> list[str]:
        found = {HUB} if self._chance.random() < HUB_SHARE else set[str]()
        wanted = min(self._chance.choice(PARTY_COUNTS), len(self._everybody))
        while len(found) < wanted:
            lot = self._chance.random() * self._weights[-1]
            org = self._everybody[min(bisect(self._weights, lot), len(self._everybody) - 1)]
            if org != HUB or self._chance.random() < 0.05:
                found.add(org)
        return sorted(found)

    def _party(self, org: str) -> Row:
        start = self._day() if self._chance.random() < 0.05 else None
        return {"org": org, "capacity": "signatory", "from": start, "to": None}

    def _clause(self, name: str, parties: Sequence[str]) -> Row:
        model = self._chance.choice(self._clauses)
        if SIGNATORIES in model["from"] or NAMED in model["to"]:
            sides = {"from": model["from"], "to": model["to"]}
            if not {*model["from"], *model["to"]} <= {SIGNATORIES, NAMED}:
                sides = {"from": [SIGNATORIES], "to": [SIGNATORIES]}
        else:
            discloser = self._chance.choice(parties)
            sides = {"from": [discloser], "to": [org for org in parties if org != discloser]}
        direction = model["direction"] if model["direction"] != "among" or sides["from"] == sides["to"] else "one_way"
        when = {key: value for key, value in model["when"].items() if key != "subject_not"}
        kept = {key: value for key, value in model.items() if key not in ("source", "note")}
        return {**kept, "id": name, **sides, "direction": direction, "when": when}

    def _interval(self) -> Row:
        lot = self._chance.random()
        start = self._day() if lot < 0.7 else None
        end = f"{LAST_YEAR + self._chance.randint(1, 9)}-04-01" if lot < 0.3 else None
        return {"from": start, "to": end}

    def _day(self) -> str:
        year, month = self._chance.randint(FIRST_YEAR, LAST_YEAR), self._chance.randint(1, 12)
        return f"{year}-{month:02}-{self._chance.choice((1, 15)):02}"


def _later_version(row: Row, older: Row) -> Row:
    """The next version of a lineage begins on the day on which the older one ends."""
    lineage = {"lineage": older["lineage"], "supersedes": older["id"]}
    return {**row, **lineage, "in_force": {"from": older["in_force"]["to"], "to": None}}


def _ending_after_it_began(row: Row) -> Row:
    start = row["in_force"]["from"]
    if start and row.get("terminated", start) < start:
        row["terminated"] = start
    return row


def _plain(remit: Mapping[str, Any]) -> Row:
    return {key: value for key, value in remit.items() if key not in ("source", "note")}


def _rows(objects: Sequence[Row], kind: str) -> list[Row]:
    return [row for row in objects if row["kind"] == kind]


def _ids(objects: Sequence[Row], kind: str) -> list[str]:
    return [row["id"] for row in _rows(objects, kind)]
