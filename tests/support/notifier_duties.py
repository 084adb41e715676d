"""Two notifiers on one ledger in memory, and what became of the duties to tell that they were given."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

from services.notifier.adapters.keys import KeyedOpener
from services.notifier.domain.acknowledgement import Word
from services.notifier.domain.model import (
    REPLAY,
    Answer,
    EndpointId,
    EndpointState,
    Entry,
    Keys,
    Leased,
    NoticeId,
    NoticeState,
    Result,
    Target,
)
from services.notifier.domain.policy import GONE
from services.notifier.ports import InboxPage, Shown
from services.notifier.usecases import attempt_notice, register_notices, send_notice
from shared.contracts.notice import NoticeIssued
from shared.records import Batch
from tests.support.clock import NOON, FrozenClock
from tests.support.notifier_conversation import Row
from tests.support.notifier_fakes import LEASE, SEALING, TOKENS, InMemoryStore, ScriptedWire, a_notice

BODIES = ("gmc", "nmc")
NO_CONTENT = 204
ENDPOINTS = ("gmc", "gmc/alternate", "nmc")
T = TypeVar("T")


def done(work: Coroutine[Any, Any, T]) -> T:
    """What a flow gives that waits for nothing but memory."""
    try:
        work.send(None)
    except StopIteration as end:
        answer: T = end.value
        return answer
    raise AssertionError("it waits for something")


@dataclass(slots=True)
class Process:
    """What one notifier has in memory: leases with the moment each is good from, and results not yet written."""

    world: TwoNotifiers
    held: dict[NoticeId, tuple[Leased, datetime]] = field(default_factory=dict)
    flying: list[Result] = field(default_factory=list)

    def reserve(self, entries: Sequence[Entry]) -> Sequence[Leased]:
        found = [Row(e).leased for e in entries if self.world.endpoints[e.subject.recipient] is EndpointState.ACTIVE]
        return [_first_lease(notice) for notice in found if notice.notice_id not in self.busy()]

    def fill(self, slots: Sequence[Leased], inserted: frozenset[NoticeId]) -> None:
        self.hold([slot for slot in slots if slot.notice_id in inserted])

    def cancel(self, notice_ids: Sequence[NoticeId]) -> None:
        for notice_id in notice_ids:
            self.held.pop(notice_id, None)

    def hold(self, notices: Sequence[Leased]) -> None:
        self.held |= {notice.notice_id: (notice, self.world.now) for notice in notices}

    def busy(self) -> list[NoticeId]:
        return [*self.held, *(result.notice.notice_id for result in self.flying)]

    def live(self) -> list[NoticeId]:
        return [notice_id for notice_id, (_, since) in self.held.items() if since + LEASE >= self.world.now]


class TwoNotifiers:
    """Their ledger, their clock, what was issued to them, who said what, and of what somebody may know."""

    def __init__(self) -> None:
        super().__init__()
        self.store, self.clock, self.wire = InMemoryStore(), FrozenClock(NOON), ScriptedWire()
        self.endpoints = dict.fromkeys(ENDPOINTS, EndpointState.ACTIVE)
        self.keys = Keys(b"k" * 32, b"e" * 32)
        self.processes = (Process(self), Process(self))
        self.issued: list[NoticeIssued] = []
        self.said: dict[str, list[Word]] = {}
        self.may_know: set[str] = set()
        self.arrived: set[str] = set()
        self.note_endpoints()

    @property
    def now(self) -> datetime:
        return self.clock.moment

    def said_of(self, row: Row) -> set[str]:
        """The outcomes and the steps of its escalation that were told of a notice."""
        own = [o for o in self.store.outcomes if o.data.notice_id == row.entry.notice_id]
        return {o.type.split(".")[-2] for o in own} | {o.data.step for o in own if o.data.step}

    def take(self, at: int, *events: NoticeIssued) -> None:
        known = {issued.data.notice_id for issued in self.issued}
        self.issued += [one for one in events if one.data.notice_id not in known]
        opener, lanes = KeyedOpener(SEALING, TOKENS), self.processes[at]
        done(register_notices(Batch(events, ()), opener=opener, clock=self.clock, lanes=lanes, store=self.store))

    def attempted(self, notice: Leased, answer: Answer) -> Result:
        name, target = notice.lane_name, None
        if self.endpoints[name] is EndpointState.ACTIVE:
            org = notice.subject.recipient
            target = Target(EndpointId(f"end_{name}"), org, "https://a.example", (self.keys,), notice.alternate)
        self.wire.script[:] = [Answer(503) if answer.status == GONE and notice.alternate else answer]
        before = len(self.wire.sent)
        send = partial(send_notice, wire=self.wire, store=self.store)
        result = done(attempt_notice(notice, target, send=send, clock=self.clock, chance=lambda: 0.5))
        if len(self.wire.sent) > before:
            self.may_know.add(notice.message_id)
            self.arrived |= {notice.message_id} if answer.status == NO_CONTENT else set()
        return result

    def note_endpoints(self) -> None:
        self.store.with_endpoint = {o for o in BODIES if self.endpoints[o] is not EndpointState.REMOVED}
        self.store.with_alternate = {"gmc"} if self.endpoints["gmc/alternate"] is EndpointState.ACTIVE else set()

    async def has_endpoint(self, recipient: str) -> bool:
        return any(
            s is not EndpointState.REMOVED
            for n, s in self.endpoints.items()
            if n.removesuffix("/alternate") == recipient
        )

    async def inbox(self, page: InboxPage, *, now: datetime) -> Sequence[Shown]:
        rows = [row for row in self.store.rows.values() if row.entry.subject.recipient == page.recipient]
        return [_shown(row) for row in rows if _is_shown(row, now)]


def undoing(told: NoticeIssued, kind: str) -> NoticeIssued:
    one = told.data
    return a_notice(one.recipient, concern_id=one.concern_id, version=one.version, kind=kind, ref=one.notice_id)


def _first_lease(notice: Leased) -> Leased:
    return replace(notice, fencing=1)


def _is_shown(row: Row, now: datetime) -> bool:
    until, gone = row.entry.valid_until, (NoticeState.CANCELLED, NoticeState.EXPIRED)
    is_over = row.state is NoticeState.PENDING and until is not None and until <= now
    return row.entry.subject.kind != REPLAY and row.state not in gone and not is_over


def _shown(row: Row) -> Shown:
    entry = row.entry
    return Shown(
        entry.notice_id, entry.subject, 1, entry.body, row.state, entry.registered_at, row.acknowledge_by,
        entry.acknowledge_within, row.read_at,
    )  # fmt: skip
