"""What a concern is built on: whether it may be, and the way that the information has come. Pure.

A concern names each source by the notice that told its originator. What that notice let go on becomes a hop, behind
the hops of the source itself; the routing carries them all, so that the digest binds them and no recipient can give a
thing a new beginning by sending it as its own (DECISION, P11).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from services.intake.domain.model import (
    Body,
    ConcernId,
    ConcernRecord,
    Decided,
    Fields,
    SourceFault,
    Thread,
    Told,
    Undone,
    Unsourced,
)


@dataclass(frozen=True, slots=True)
class Source:
    """A concern that others may be built on; `hops` are those of each of its versions."""

    record: ConcernRecord
    hops: Mapping[int, Sequence[Fields]]

    def told(self, notice_id: str, org: str) -> tuple[int, Told] | None:
        """The version of which that notice told the body, and on which terms: those of the round that issued it."""
        rounds = sorted((e for e in self.record.entries if isinstance(e, Decided)), key=lambda e: (e.version, e.round))
        found = ((e.version, row) for e in rounds for row in e.told if (row.notice_id, row.org) == (notice_id, org))
        return next(found, None)

    def was_taken_back(self, notice_id: str) -> bool:
        """By a withdrawal, or by a recall."""
        return any(row.of == notice_id for e in self.record.entries if isinstance(e, Undone) for row in e.notices)


Sources = Mapping[ConcernId, Source]


def cited(body: Body) -> tuple[tuple[ConcernId, str], ...]:
    """Each source with its notice, as the concern names them."""
    return tuple((ConcernId(row["concern_id"]), row["notice_id"]) for row in body.get("provenance") or ())


def trace(body: Body, sources: Sources, thread: Thread | None = None) -> tuple[Fields, ...] | Unsourced:
    """The hops behind a concern, each once, in their order; or every fault of what it says that it is built on.

    A version that follows others (`thread`) names all their sources, too, by the notice that stands now.
    """
    faults = list(_faults(body, sources, thread))
    if faults:
        return Unsourced(tuple(faults))
    hops: dict[str, Fields] = {}
    for row in body.get("provenance") or ():
        source = sources[row["concern_id"]]
        version, told = _told(body, source, row["notice_id"])
        for hop in (*source.hops.get(version, ()), _hop(row, source, told, version)):
            hops.setdefault(hop["notice_id"], hop)
    return tuple(hops.values())


def _told(body: Body, source: Source, notice_id: str) -> tuple[int, Told]:
    found = source.told(notice_id, body["originator"])
    assert found is not None, "looked at before"  # noqa: S101 - see _fault
    return found


def _hop(row: Fields, source: Source, told: Told, version: int) -> Fields:
    hop: Fields = {"from": source.record.originator, "to": told.org, "onward": told.onward, "fields": dict(told.fields)}
    if leave := row.get("leave"):
        hop |= {"granted": sorted(set(leave["to"])), "granted_by": leave["given_by"]}
    return {**hop, "concern_id": source.record.id, "version": version, "notice_id": told.notice_id}


def _faults(body: Body, sources: Sources, thread: Thread | None) -> Iterator[tuple[str, SourceFault]]:
    names: set[str] = set()
    for at, (concern_id, notice_id) in enumerate(cited(body)):
        place = f"/provenance/{at}"
        if concern_id in names:
            yield f"{place}/concern_id", "twice"
        elif fault := _fault(sources.get(concern_id), notice_id, body["originator"], thread):
            yield f"{place}/{'concern_id' if fault in _OF_THE_CONCERN else 'notice_id'}", fault
        names.add(concern_id)
    if thread is not None and not thread.sources <= names:
        yield "/provenance", "left-out"


_OF_THE_CONCERN = frozenset({"recalled", "came-of-this"})


def _fault(source: Source | None, notice_id: str, org: str, thread: Thread | None) -> SourceFault | None:
    """Whether there is no such concern or the body was not told of it cannot be told apart."""
    told = source.told(notice_id, org) if source else None
    if source is None or told is None:
        return "not-told"
    if source.record.recall is not None:
        return "recalled"
    if source.was_taken_back(notice_id):
        return "taken-back"
    if told[0] != source.record.current.version:
        return "older-version"
    if thread is not None and any(hop["concern_id"] == thread.concern_id for hop in source.hops.get(told[0], ())):
        return "came-of-this"
    return None
