"""Taking notices in: into the ledger once each, and said to be there."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import orjson

from services.notifier.domain import escalation, message, policy, redaction
from services.notifier.domain.model import Entry, NoticeId, Subject
from services.notifier.domain.retry import GIVE_UP_AFTER
from services.notifier.ports import Begin, FactRecord, Lanes, Ledger, LedgerStore, Opener, Recorded
from services.notifier.usecases.told import outcome_of
from shared.agreements import sentence
from shared.clock import Clock
from shared.contracts.envelope import rfc3339
from shared.contracts.notice import Notice, NoticeIssued
from shared.contracts.outcome import CANCELLED, REGISTERED, NoticeOutcome
from shared.records import Batch, Span

REGISTERED_AFTER = timedelta(seconds=10)
SWEEP_ROWS_MAX = 500
UNDOING = frozenset({"withdrawal", "recall"})
WITHDRAWN = "withdrawn before anybody was told"
WITHDRAWN_TOLD = "withdrawn; the recipient may know of it and is told so"


@dataclass(frozen=True, slots=True)
class Registration:
    """What became of a batch of notices."""

    inserted_count: int
    repeat_count: int


async def register_notices(
    batch: Batch[NoticeIssued], *, opener: Opener, clock: Clock, lanes: Lanes, store: LedgerStore
) -> Registration:
    """Put notices into the ledger, once each, and start the first attempts of those that find room.

    A repeat says that its sender has not heard of us: it is told again what became of the notice. Raises NotOpened
    or KeyError for a notice that cannot be opened or redacted: nothing of the batch takes effect.
    """
    now = clock.now()
    entries = {entry.subject: entry for event in batch.events for entry in [prepare(event, opener, now=now)]}
    if any(subject.kind in UNDOING for subject in entries):
        inserted = await _register_and_undo(list(entries.values()), batch.spans, store, lanes, now=now)
    else:
        inserted = await _register(list(entries.values()), batch.spans, store, lanes)
    repeats = {s: e.notice_id for s, e in entries.items() if e.notice_id not in inserted}
    if repeats:
        async with store.begin() as ledger:
            await _answer_repeats(repeats, ledger, now=now)
    return Registration(len(inserted), len(batch.events) - len(inserted))


async def _register(
    entries: Sequence[Entry], spans: Sequence[Span], store: LedgerStore, lanes: Lanes
) -> frozenset[NoticeId]:
    slots = lanes.reserve(entries)
    inserted: frozenset[NoticeId] = frozenset()
    try:
        leased = frozenset(slot.notice_id for slot in slots)
        inserted = await store.register(entries, leased=leased, spans=spans)
    finally:
        lanes.fill(slots, inserted)
    return inserted


async def _register_and_undo(
    entries: Sequence[Entry], spans: Sequence[Span], store: LedgerStore, lanes: Lanes, *, now: datetime
) -> frozenset[NoticeId]:
    """Nothing of such a batch starts at once: what it undoes may be in it."""
    async with store.begin(spans) as ledger:
        inserted = await ledger.register(entries, leased=frozenset())
        await _undo([entry.subject for entry in entries if entry.subject.kind in UNDOING], ledger, lanes, now=now)
    return inserted


async def _undo(undone: Sequence[Subject], ledger: Ledger, lanes: Lanes, *, now: datetime) -> None:
    """Cancel what is still pending of what is withdrawn; where nobody can know of it, nobody needs the withdrawal."""
    cancelled = await ledger.withdraw(undone, now=now)
    lanes.cancel([one.notice_id for one in cancelled])
    outcomes = [
        outcome_of(CANCELLED, (one.notice_id, one.subject), at=now, detail=WITHDRAWN_TOLD if one.told else WITHDRAWN)
        for one in cancelled
    ]
    await ledger.note_outcomes(outcomes)
    await ledger.publish(outcomes)


async def confirm_registered(*, clock: Clock, begin: Begin) -> Sequence[Recorded]:
    """Say that we have the notices of which nothing else could be said within ten seconds."""
    now = clock.now()
    async with begin() as ledger:
        untold = await ledger.untold(before=now - REGISTERED_AFTER, row_count_max=SWEEP_ROWS_MAX)
        outcomes = [outcome_of(REGISTERED, (r.notice_id, r.subject), at=now) for r in untold]
        await ledger.note_outcomes(outcomes)
        await ledger.publish(outcomes)
    return untold


async def keep_facts(batch: Batch[FactRecord], *, begin: Begin) -> None:
    """Append what the services recorded to the audit log, once each."""
    async with begin(batch.spans) as ledger:
        await ledger.keep_facts(batch.events)


def prepare(event: NoticeIssued, opener: Opener, *, now: datetime) -> Entry:
    """Open, redact and serialise a notice. Raises NotOpened, KeyError."""
    notice = event.data
    subject = Subject(notice.concern_id, notice.version, notice.recipient, notice.kind, notice.ref)
    told, rest = _message(event, opener)
    body = orjson.dumps(told)
    within = escalation.limit_of(notice.kind, notice.duties, notice.routing.get("nation"))
    as_of = datetime.fromisoformat(notice.routing["received_at"])
    return Entry(
        notice_id=NoticeId(notice.notice_id),
        decision_id=notice.decision_id,
        subject=subject,
        lane=notice.lane,
        body=body,
        body_digest=hashlib.sha256(body).hexdigest(),
        registered_at=now,
        give_up_at=now + GIVE_UP_AFTER,
        valid_until=policy.basis_ends_at(notice.valid_until, as_of=as_of, accepted_at=notice.accepted_at),
        acknowledge_within=within,
        escalate_at=escalation.first_look_at(now, within),
        retry_seconds=tuple(notice.retry_seconds) if notice.retry_seconds else None,
        rest=rest,
    )


def _message(event: NoticeIssued, opener: Opener) -> tuple[message.Json, bytes | None]:
    """What is sent, and what its recipient can ask the rest from: it stays sealed."""
    notice, sealed = event.data, event.data.sealed.model_dump()
    detail = opener.open(sealed, concern_id=notice.concern_id, version=notice.version)
    terms = redaction.Terms(notice.fields, notice.pointer_only)
    if notice.kind in UNDOING:  # what is taken back is not told once more: a pointer says which it was
        terms = redaction.Terms(notice.fields, pointer_only=True)
    concern = redaction.redact(
        notice.routing, detail, terms, lambda klass, value: opener.pseudonym(notice.recipient, klass, value)
    )
    found = redaction.left_out(notice.routing, detail, terms)
    leaves_rest = notice.kind == "tell" and bool(notice.because and (found or notice.pointer_only))
    data = {
        "notice": _about(notice) | ({"detail": message.detail_path(notice.notice_id)} if leaves_rest else {}),
        "concern": concern,
        "because": message.clauses([b.model_dump() for b in notice.because]),
        "duties": notice.duties,
        "onward": notice.onward,
        "reason": {"code": notice.reason, "sentence": sentence(notice.reason)},
        "withheld": message.withheld_in_words(notice.withheld, found),
    }
    told = message.cloud_event(
        notice.kind, notice_id=notice.notice_id, concern_id=notice.concern_id, time=rfc3339(event.time), data=data
    )
    return told, orjson.dumps({"routing": notice.routing, "sealed": sealed}) if leaves_rest else None


def _about(notice: Notice) -> message.Json:
    about = message.reference(notice.notice_id, notice.concern_id, notice.version)
    graph = {"version": notice.graph_version, "root": notice.graph_root}
    return about | {
        "kind": notice.kind,
        "recipient": notice.recipient,
        "decision_id": notice.decision_id,
        "pointer_only": notice.pointer_only,
        "graph": graph,
    }


async def _answer_repeats(repeats: Mapping[Subject, NoticeId], ledger: Ledger, *, now: datetime) -> None:
    known = await ledger.recorded(list(repeats))
    fresh = [r for r in known if r.outcome is None]
    registered = [outcome_of(REGISTERED, (r.notice_id, r.subject), at=now) for r in fresh]
    await ledger.note_outcomes(registered)
    # A sender that gave the same notice another id waits for an answer under that id.
    renamed = [r for r in known if repeats[r.subject] != r.notice_id]
    also = [outcome_of(REGISTERED, (repeats[r.subject], r.subject), at=now, detail=r.notice_id) for r in renamed]
    await ledger.publish([*registered, *also])
    await ledger.republish([*also, *(NoticeOutcome.model_validate_json(r.outcome) for r in known if r.outcome)])
