"""Agreements and bodies on a day, as they were known at a moment."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TypeVar

from services.registry.domain.intervals import AGREEMENT, ORGANISATION, covers
from services.registry.domain.model import Row, StoredObject
from services.registry.domain.standing import Standing
from services.registry.domain.standing_of_parties import AgreementOnDay, GraphOnDay, successors_of
from services.registry.domain.timeline import Key, Search
from services.registry.ports import History
from shared.agreements.load.build import build
from shared.agreements.load.objects import Shelf

SCAN_COUNT = 100
SCANS_MAX = 20
"""Steps in which one page of a list looks for what it may show; a page may then be short, and the next goes on."""
AGREEMENTS_OF_A_BODY_MAX = 200
View = TypeVar("View", "StoredAgreement", "OrganisationOnDay")


@dataclass(frozen=True, slots=True)
class StoredAgreement:
    """An agreement on a day, and the version of the commit that last changed it."""

    version: int
    on_day: AgreementOnDay

    @property
    def id(self) -> str:
        """The agreement's id."""
        return str(self.on_day.row["id"])


@dataclass(frozen=True, slots=True)
class OrganisationOnDay:
    """A body on a day, and the version of the commit that last changed it.

    `taken_over` and `passed_on` are the successions in which it is the successor and the predecessor.
    """

    version: int
    row: Row
    exists: bool
    remits: tuple[Row, ...]
    taken_over: tuple[Row, ...]
    passed_on: tuple[Row, ...]

    @property
    def id(self) -> str:
        """The body's id."""
        return str(self.row["id"])


@dataclass(frozen=True, slots=True)
class Wanted:
    """A page of a list: what is searched for, above id `after`, `count_max` at most."""

    search: Search
    after: str
    count_max: int


async def list_agreements(
    wanted: Wanted, keep: Callable[[AgreementOnDay], bool], *, history: History
) -> tuple[Sequence[StoredAgreement], str | None]:
    """One page of the agreements that `keep` likes, sorted by id, and where the next begins; None: there is none."""

    async def read(stored: Sequence[StoredObject]) -> Sequence[StoredAgreement]:
        views = await _agreements(stored, wanted.search, history)
        return [view for view in views if keep(view.on_day)]

    return await _page(wanted, read, history)


async def find_agreement(object_id: str, search: Search, *, history: History) -> StoredAgreement | None:
    """One agreement on the day."""
    stored = await history.states([(AGREEMENT, object_id)], search.version)
    views = await _agreements(stored, search, history)
    return views[0] if views else None


async def list_organisations(
    wanted: Wanted, keep: Callable[[Row], bool], *, history: History
) -> tuple[Sequence[OrganisationOnDay], str | None]:
    """One page of the bodies that `keep` likes, sorted by id, and where the next begins; None: there is none."""

    async def read(stored: Sequence[StoredObject]) -> Sequence[OrganisationOnDay]:
        views = await _organisations(stored, wanted.search, history)
        return [view for view in views if keep(view.row)]

    return await _page(wanted, read, history)


async def find_organisation(object_id: str, search: Search, *, history: History) -> OrganisationOnDay | None:
    """One body on the day."""
    stored = await history.states([(ORGANISATION, object_id)], search.version)
    views = await _organisations(stored, search, history)
    return views[0] if views else None


async def agreements_of(org: str, search: Search, *, history: History) -> tuple[Sequence[tuple[Row, Standing]], bool]:
    """The agreements that the body itself is a party to on the day, 200 at most; True: there are more."""
    of_body = replace(search, kind=AGREEMENT, party=org)
    ids = await history.search(of_body, after="", count_max=AGREEMENTS_OF_A_BODY_MAX + 1)
    shown = ids[:AGREEMENTS_OF_A_BODY_MAX]
    stored = await history.states(_keys(AGREEMENT, shown), search.version)
    views = await _agreements(stored, search, history)
    return [(view.on_day.row, view.on_day.standing) for view in views], len(ids) > len(shown)


async def list_successions(search: Search, *, history: History) -> Sequence[Row]:
    """Every succession that is known, sorted by id, whether it has happened on the day or not."""
    return [stored.item.row() for stored in await history.of_kind("succession", search.version)]


async def standings_on(day: date, version: int, *, history: History) -> dict[str, Standing]:
    """How each agreement of the graph at that version stands on the day."""
    stored = await history.of_kind(AGREEMENT, version)
    return await _standings(stored, Search(AGREEMENT, version, day), history)


async def _page(
    wanted: Wanted, read: Callable[[Sequence[StoredObject]], Awaitable[Sequence[View]]], history: History
) -> tuple[Sequence[View], str | None]:
    found: list[View] = []
    after, search = wanted.after, wanted.search
    for _ in range(SCANS_MAX):
        ids = await history.search(search, after=after, count_max=SCAN_COUNT)
        found += await read(await history.states(_keys(search.kind, ids), search.version))
        if len(found) > wanted.count_max:
            return found[: wanted.count_max], found[wanted.count_max - 1].id
        if len(ids) < SCAN_COUNT:
            return found, None
        after = ids[-1]
    return found, after


async def _agreements(stored: Sequence[StoredObject], search: Search, history: History) -> list[StoredAgreement]:
    rows = [each.item.row() for each in stored]
    on_day = await _graph_on_day(rows, search, history) if rows else None
    pairs = zip(stored, rows, strict=True) if on_day else ()
    return [StoredAgreement(each.version, on_day.agreement(row)) for each, row in pairs if on_day]


async def _standings(stored: Sequence[StoredObject], search: Search, history: History) -> dict[str, Standing]:
    rows = [each.item.row() for each in stored]
    on_day = await _graph_on_day(rows, search, history) if rows else None
    return {row["id"]: on_day.standing(row["id"]) for row in rows if on_day}


async def _graph_on_day(rows: Sequence[Row], search: Search, history: History) -> GraphOnDay:
    """The part of the graph that these agreements need: their lineages, and every body that may act for a party."""
    lineages = await history.lineages({row["lineage"] for row in rows}, search.version)
    others = set(lineages) - {row["id"] for row in rows}
    versions = await history.states(_keys(AGREEMENT, others), search.version)
    agreements = [*rows, *_rows(versions)]
    successions = list(_rows(await history.of_kind("succession", search.version)))
    parties = {party["org"] for row in agreements for party in row["parties"]}
    bodies = await history.states(_keys(ORGANISATION, successors_of(parties, successions)), search.version)
    words = [*await history.of_kind("vocabulary", search.version), *await history.of_kind("policy", search.version)]
    needed = [*agreements, *successions, *_rows(bodies), *_rows(words)]
    return GraphOnDay(build(Shelf(needed)), search.day)


async def _organisations(stored: Sequence[StoredObject], search: Search, history: History) -> list[OrganisationOnDay]:
    successions = await list_successions(search, history=history)
    return [_organisation(each, search.day, successions) for each in stored]


def _organisation(stored: StoredObject, day: date, successions: Sequence[Row]) -> OrganisationOnDay:
    row = stored.item.row()
    return OrganisationOnDay(
        version=stored.version,
        row=row,
        exists=covers(row["exists"], day),
        remits=tuple(remit for remit in row["remits"] if covers(remit, day)),
        taken_over=tuple(each for each in successions if each["to"] == row["id"]),
        passed_on=tuple(each for each in successions if each["from"] == row["id"]),
    )


def _rows(stored: Iterable[StoredObject]) -> Iterator[Row]:
    return (each.item.row() for each in stored)


def _keys(kind: str, ids: Iterable[str]) -> list[Key]:
    return [(kind, object_id) for object_id in ids]
