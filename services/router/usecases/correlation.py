"""Follow what was decided, keep what it shows about subjects, and suggest to a person what adds up. Nobody is told."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from services.router.domain.correlation import (
    Cluster,
    Rule,
    Sighting,
    Source,
    Suggested,
    SuggestionCode,
    Token,
    Viewer,
    busiest,
    may_suggest,
    sightings_in,
    suggestion,
)
from services.router.domain.model import DecisionKey, PastRouting, WorkItem
from services.router.domain.policy import CurrentJudge
from services.router.ports import SightingStore
from services.router.usecases.desk import ROUTER, Desk
from services.router.usecases.queues import Moment
from services.router.usecases.undoing import recall_late
from shared.contracts.audit import AuditFact
from shared.ids import derived_id, new_id

PAGE = 500


@dataclass(frozen=True, slots=True)
class Followed:
    """How many concerns were followed, and what they suggest."""

    count: int
    suggested: tuple[WorkItem, ...] = ()


@dataclass(frozen=True, slots=True)
class Correlation:
    """One subject of a concern: what the viewer sees about it within the window that holds the concern."""

    subject: int
    kind: str
    cluster: Cluster
    rule: Rule


async def follow_concerns(desk: Desk) -> Followed:
    """Keep the sightings of a page of concerns, and open what they suggest; what was recalled before is recalled.

    The same page again changes nothing. Raises NoGraphYet, GraphBehind.
    """
    rule = rule_in_office(desk.current)
    async with desk.begin() as tx:
        page = await tx.unfollowed(PAGE)
        fresh = [seen for one in page for seen in _shown(one)]
        if page:
            await tx.keep_sightings(page, fresh)
        suggested = await _suggest(fresh, rule, Moment(tx, desk.clock.now())) if fresh else ()
        if page:
            await recall_late([one.concern_id for one in page], desk.sitting(tx))
    return Followed(len(page), tuple(suggested))


async def correlations_of(
    concern_id: str, viewer: Viewer, *, store: SightingStore, current: CurrentJudge
) -> list[Correlation] | None:
    """What the viewer's own slice says about each subject of a concern; None where it may not know of the concern.

    Raises NoGraphYet, GraphBehind.
    """
    rule = rule_in_office(current)
    shown = await store.sightings_of(concern_id, viewer)
    if shown is None:
        return None
    found = []
    for tokens in _subjects(shown):
        since, until = _reach(shown, rule)
        known = await store.slice_of([one.token for one in tokens], viewer, since, until)
        found.append(Correlation(tokens[0].subject, tokens[0].kind, busiest(known, concern_id, rule), rule))
    return found


def rule_in_office(current: CurrentJudge) -> Rule:
    """The policy of the newest graph. Raises NoGraphYet, GraphBehind."""
    policy = current.get().snapshot.graph.policy
    return Rule.of(policy.correlation_window, policy.correlation_count)


async def _suggest(fresh: Sequence[Sighting], rule: Rule, where: Moment) -> list[WorkItem]:
    """Only what could suggest something is read whole: a subject may have been spoken of a thousand times."""
    reach = _reach(fresh, rule)
    tokens = sorted({one.token for one in fresh})
    standing = {token: list(rows) for token, rows in (await where.tx.suggested(tokens)).items()}
    sources = await where.tx.sources(tokens, *reach)
    subjects = [one for one in _subjects(fresh) if may_suggest(_had(one, standing), _spoke(one, sources), rule)]
    if not subjects:
        return []
    known = _by_token(await where.tx.seen(sorted({seen.token for one in subjects for seen in one}), *reach))
    opened = []
    for subject in subjects:
        own = [seen.token for seen in subject]
        about = [one for token in own for one in known.get(token, ())]
        made = suggestion(subject[0], about, _had(subject, standing), rule)
        if made and _is_newest(subject[0], about):
            opened.append(await _open(subject[0], own, made, where))
            for token in own:
                standing.setdefault(token, []).append(Suggested(opened[-1].item_id, where.now))
    return opened


def _is_newest(first: Sighting, about: Sequence[Sighting]) -> bool:
    return any((one.concern_id, one.version) == (first.concern_id, first.version) for one in about)


def _had(subject: Sequence[Sighting], standing: Mapping[Token, Sequence[Suggested]]) -> list[Suggested]:
    rows = {row.item_id: row for seen in subject for row in standing.get(seen.token, ())}
    return list(rows.values())


def _spoke(subject: Sequence[Sighting], sources: Mapping[Token, Collection[Source]]) -> set[Source]:
    return {source for seen in subject for source in sources.get(seen.token, ())}


def _by_token(sightings: Sequence[Sighting]) -> dict[Token, list[Sighting]]:
    found: dict[Token, list[Sighting]] = {}
    for one in sightings:
        found.setdefault(one.token, []).append(one)
    return found


async def _open(seen: Sighting, tokens: list[Token], made: tuple[SuggestionCode, Cluster], where: Moment) -> WorkItem:
    item = _item(seen, made, where.now)
    await where.tx.suggest(item, tokens, _fact(item, made[1]))
    return item


def _item(seen: Sighting, made: tuple[SuggestionCode, Cluster], now: datetime) -> WorkItem:
    code, cluster = made
    return WorkItem(
        item_id=derived_id("wrk", "correlation", seen.concern_id, seen.version, seen.subject),
        kind="correlation",
        key=DecisionKey(seen.concern_id, seen.version),
        codes=(code,),
        bodies=tuple(sorted({one.originator for one in cluster.sightings})),
        opened_at=now,
        ref=f"subjects/{seen.subject}",
    )


def _fact(item: WorkItem, cluster: Cluster) -> AuditFact:
    """Ids and numbers; never a token."""
    return AuditFact(
        fact_id=new_id("fct"),
        kind="work-item",
        concern_id=item.key.concern_id,
        at=item.opened_at,
        service="router",
        actor=ROUTER.principal,
        body={
            "item_id": item.item_id,
            "kind": item.kind,
            "version": item.key.version,
            "event": "opened",
            "codes": list(item.codes),
            "concerns": len(cluster.concerns),
            "sources": len(cluster.sources),
        },
    )


def _shown(one: PastRouting) -> list[Sighting]:
    return sightings_in(one.concern_id, one.version, one.received_at, json.loads(one.routing))


def _subjects(sightings: Sequence[Sighting]) -> list[list[Sighting]]:
    """The sightings of each subject of each concern: one person may be known by several tokens."""
    found: dict[tuple[datetime, str, int, int], list[Sighting]] = {}
    for one in sightings:
        found.setdefault((one.received_at, one.concern_id, one.version, one.subject), []).append(one)
    return [found[key] for key in sorted(found)]


def _reach(sightings: Sequence[Sighting], rule: Rule) -> tuple[datetime, datetime]:
    """Between which moments whatever shares a window with one of these was received."""
    moments = [one.received_at for one in sightings]
    return _moved(min(moments), -rule.window), _moved(max(moments), rule.window)


def _moved(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:  # the calendar has no other side
        return datetime(9999 if by > timedelta() else 1, 1, 1, tzinfo=UTC)
