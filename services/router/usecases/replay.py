"""Decide again what was decided, on the graph of then: every byte must come out."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from services.router.domain.model import ENGINE
from services.router.domain.policy import CurrentJudge, Judge
from services.router.domain.rounds import PastDecision
from services.router.ports import DecisionStore, History
from services.router.usecases.judging import chosen
from shared.agreements.reasons import HOLD_FAULT
from shared.canonical import digest
from shared.contracts.envelope import rfc3339

Finding = Literal["bytes", "digest", "graph", "engine", "faulted-then"]


@dataclass(frozen=True, slots=True)
class Difference:
    """A decision that did not come out as it was stored: what differs, and both digests."""

    decision_id: str
    concern_id: str
    version: int
    round: int
    finding: Finding
    stored: str
    again: str


@dataclass(frozen=True, slots=True)
class Replayed:
    """A page of history decided again; `last` is the id to go on behind, None at the end."""

    count: int
    differences: tuple[Difference, ...]
    last: str | None


@dataclass(frozen=True, slots=True)
class Ground:
    """On what to decide again: the law of a day, the graph of a version or as known at a moment (None: as it is)."""

    as_of: datetime | None = None
    known_at: datetime | None = None
    version: int | None = None


async def replay(after: str, limit: int, *, store: DecisionStore, history: History) -> Replayed:
    """Decide a page of history again on its recorded graphs. Raises RegistryUnavailable, GraphUnfit, NoSuchGraph."""
    page = await store.past_decisions(after, limit)
    found = []
    for past in sorted(page, key=lambda one: one.record.graph.version):
        difference = await _compare(past, await history.judge_at(past.record.graph.version))
        if difference is not None:
            found.append(difference)
    last = page[-1].record.decision_id if len(page) == limit else None
    return Replayed(len(page), tuple(found), last)


async def judge_on(ground: Ground, current: CurrentJudge, history: History) -> Judge:
    """The judge of that ground. Raises NoGraphYet, RegistryUnavailable, GraphUnfit, NoSuchGraph."""
    if ground.version is not None:
        return await history.judge_at(ground.version)
    if ground.known_at is not None:
        return await history.judge_at(await history.version_at(ground.known_at))
    return current.get()


def on_day(routing: Mapping[str, Any], as_of: datetime | None) -> Mapping[str, Any]:
    """The routing as if it had been received then."""
    return routing if as_of is None else {**routing, "received_at": rfc3339(as_of)}


async def _compare(past: PastDecision, judge: Judge) -> Difference | None:
    record = past.record
    if record.engine != ENGINE:
        return _difference(past, "engine", record.engine, ENGINE)
    if record.graph != judge.head:
        return _difference(past, "graph", record.graph.root, judge.head.root)
    body = await _again(past, judge)
    whole = digest(body, record.graph.root.encode(), record.concern_digest.encode(), record.engine.encode())
    if body != record.body:
        finding: Finding = "faulted-then" if HOLD_FAULT.encode() in record.body else "bytes"
        return _difference(past, finding, record.digest, whole)
    return None if whole == record.digest else _difference(past, "digest", record.digest, whole)


async def _again(past: PastDecision, judge: Judge) -> bytes:
    """The bytes by the reference evaluator, or those of the fast path where these are the ones that differ."""
    by_reference = await asyncio.to_thread(judge.choose_by_reference, past.concern, past.choices)
    body = by_reference.verdict.body
    return body if body != past.record.body else (await chosen(judge, past.concern, past.choices)).verdict.body


def _difference(past: PastDecision, finding: Finding, stored: str, now: str) -> Difference:
    key = past.record.key
    return Difference(past.record.decision_id, key.concern_id, key.version, key.round, finding, stored, now)
