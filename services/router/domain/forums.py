"""Which meeting a kind of panel is on a day, as the graph names it, and who belongs to it. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from services.router.domain.convening import PanelKind
from shared.agreements import Snapshot

FORUM_OF: Mapping[PanelKind, str] = {
    "rrp": "rrp",
    "qsg_item": "qsg",
    "sqg_item": "sqg",
    "risk_summit": "risk-summit",
    "rapid_quality_review": "risk-summit",
    "extraordinary_summit": "healthcare-summit-wales",
}


@dataclass(frozen=True, slots=True)
class Forum:
    """A kind of meeting as the graph names it on a day, its source, and who belongs to it; None: any body."""

    id: str
    name: str
    source: tuple[str, ...]
    agreement: str | None
    members: frozenset[str] | None


def forum_on(snapshot: Snapshot, kind: PanelKind, day: date) -> Forum | str:
    """The forum of a kind of meeting on a day, with its members then, successions applied; else why there is none."""
    forums = snapshot.graph.forums
    row = forums.get(FORUM_OF[kind])
    if row is None:
        return "the graph names no such forum"
    if not _begun(row, day):
        return f"{row['name']} begins in {row['established']}"
    after = forums.get(str(row.get("superseded_by")))
    if after is not None and "established" in after and _begun(after, day):
        return f"{row['name']} was superseded by {after['name']} in {after['established']}"
    edition = _edition(snapshot, row.get("agreement"), day)
    if row.get("agreement") and edition is None:
        return f"no edition of {row['agreement']} is in force on {day}"
    members = _members(snapshot, row, edition, day)
    return Forum(row["id"], row["name"], tuple(row.get("source", ())), edition, members)


def _begun(row: Mapping[str, Any], day: date) -> bool:
    """`established` may be a year or a month: it begins with its first day."""
    return str(row.get("established", ""))[:10] <= day.isoformat()


def _edition(snapshot: Snapshot, agreement: str | None, day: date) -> str | None:
    """The version of the agreement's lineage in force on the day: back to one that began, then on while it ended."""
    agreements = snapshot.graph.agreements
    named = agreements.get(agreement or "")
    while named is not None and not named.span.has_begun(day):
        named = agreements.get(named.supersedes or "")
    while named is not None and named.span.has_ended(day):
        named = snapshot.later_version(named.id)
    return named.id if named is not None and named.span.covers(day) else None


def _members(snapshot: Snapshot, row: Mapping[str, Any], edition: str | None, day: date) -> frozenset[str] | None:
    if edition is not None:
        agreement = snapshot.graph.agreements[edition]
        parties = [one.org for one in agreement.parties if one.signed and one.span.covers(day)]
        return _bodies(snapshot, parties, day, personal=agreement.personal)
    if "members" not in row:
        return None
    return _bodies(snapshot, [one["org"] for one in row["members"]], day, personal=False)


def _bodies(snapshot: Snapshot, parties: Iterable[str], day: date, *, personal: bool) -> frozenset[str]:
    bodies = snapshot.bodies(day, frozenset(), frozenset())
    return frozenset(one.org for party in parties for one in bodies.resolve(party, personal=personal))
