"""Attempts and what is written of them; never a transaction over HTTP."""

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from services.notifier.domain import encryption, message, policy, retry, signature
from services.notifier.domain.model import (
    REPLAY,
    Answer,
    Attempt,
    EndpointId,
    Leased,
    NoticeId,
    Result,
    Retry,
    Returned,
    Target,
)
from services.notifier.ports import Begin, Chance, Ledger, LedgerStore, Settled, Wire
from services.notifier.usecases.suspend import suspend_endpoints
from services.notifier.usecases.told import fact_of, settlement_of
from shared.clock import Clock
from shared.contracts.audit import AuditFact
from shared.faults import StoreUnavailable, fault_name

ENDED_ROWS_MAX = 500


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of one message on the wire. `copy_digest` is of its bytes where they were an encrypted copy."""

    answer: Answer
    copy_digest: str


Send = Callable[[Leased, Target, datetime], Awaitable[Sent]]


async def attempt_notice(notice: Leased, target: Target | None, *, send: Send, clock: Clock, chance: Chance) -> Result:
    """Send a leased notice once, unless it may not be sent any more; what cannot be made ready goes back unsent.

    An error that nobody foresaw is a failed attempt of this notice, and stops no other.
    """
    started, fault = clock.now(), ""
    if ended := policy.stop(notice, now=started):
        return Result(notice, started, ended)
    if target is None:
        return Result(notice, started, Returned())
    try:
        sent = await send(notice, target, started)
    except StoreUnavailable:
        return Result(notice, started, Returned())
    except Exception as error:  # noqa: BLE001 - one notice or endpoint that nobody foresaw must not stop the others
        fault = fault_name(error)
        sent = Sent(Answer(None, error=f"not sent: {fault}"), "")
    ended_at, attempt_no = clock.now(), notice.attempt_count + 1
    attempt = Attempt(target.endpoint_id, attempt_no, started, ended_at - started, sent.answer, sent.copy_digest)
    schedule = retry.schedule_of(notice.retry_seconds or target.retry_seconds)
    verdict = policy.judge(notice, sent.answer, now=ended_at, fraction=chance(), schedule=schedule)
    return Result(notice, ended_at, verdict, attempt, fault)


async def send_notice(notice: Leased, target: Target, at: datetime, *, wire: Wire, store: LedgerStore) -> Sent:
    """Sign and send. Touches no database, but for the copy that is encrypted to the endpoint's key, made once.

    Raises StoreUnavailable where that copy cannot be had.
    """
    body, digest, key = notice.body, "", target.encryption_key
    if key:
        body = await store.copy(
            notice.message_id, encryption.kid_of(key), lambda: encryption.encrypted(notice.body, key)
        )
        digest = hashlib.sha256(body).hexdigest()
    return Sent(await wire.post(target.url, _headers(notice, target, body, at=at), body, target.access), digest)


async def claim_due(
    free: Mapping[str, int], held: Sequence[NoticeId], *, clock: Clock, begin: Begin
) -> Sequence[Leased]:
    """Lease what is due for these recipients, up to the free slots of each."""
    if not free:
        return ()
    async with begin() as ledger:
        return await ledger.claim(free, held=held, now=clock.now())


async def renew_leases(held: Sequence[Leased], *, begin: Begin) -> frozenset[NoticeId]:
    """Keep what is held by this process, in one statement; gives what is still ours."""
    if not held:
        return frozenset()
    async with begin() as ledger:
        return await ledger.renew(held)


async def settle_results(results: Sequence[Result], *, store: LedgerStore) -> Sequence[Result]:
    """Write results, attempts, outcomes and audit facts, all or none; gives those whose lease was still ours."""
    ordered = sorted(results, key=lambda result: result.notice.notice_id)
    if any(map(_suspends, ordered)):
        async with store.begin() as ledger:
            return await _settle(ordered, ledger)
    ours = await store.settle([Settled(settlement_of(r), _fact_of(r)) for r in ordered])
    return [result for result in ordered if result.notice.notice_id in ours]


async def end_notices(*, clock: Clock, begin: Begin) -> Sequence[Result]:
    """Expire pending notices whose basis or time has ended, also those that no endpoint waits for."""
    now = clock.now()
    async with begin() as ledger:
        ended = await ledger.claim_ended(now=now, row_count_max=ENDED_ROWS_MAX)
        results = [Result(n, now, stop) for n in ended if (stop := policy.stop(n, now=now))]
        return await _settle(results, ledger)


def _headers(notice: Leased, target: Target, body: bytes, *, at: datetime) -> Mapping[str, str]:
    signed = signature.signed_headers(
        target.keys, webhook_id=notice.message_id, timestamp=int(at.timestamp()), body=body
    )
    again = {message.REPLAYED_HEADER: "1"} if notice.subject.kind == REPLAY else {}
    return {"content-type": message.CONTENT_TYPE, **signed, **again}


async def _settle(results: Sequence[Result], ledger: Ledger) -> Sequence[Result]:
    settlements = {r.notice.notice_id: settlement_of(r) for r in results}
    ours = await ledger.settle(list(settlements.values()))
    settled = [r for r in results if r.notice.notice_id in ours]
    told = [s.outcome for r in settled if (s := settlements[r.notice.notice_id]).outcome]
    await ledger.publish(told)
    await ledger.record([fact for r in settled if (fact := _fact_of(r))])
    gone: dict[EndpointId, Result] = {r.attempt.endpoint_id: r for r in settled if r.attempt and _suspends(r)}
    if gone:
        await suspend_endpoints(dict.fromkeys(gone, "the endpoint answered 410 Gone"), ledger, at=results[-1].at)
    return settled


def _fact_of(result: Result) -> AuditFact | None:
    """What was given back unsent is nothing that happened."""
    return None if isinstance(result.verdict, Returned) else fact_of(result)


def _suspends(result: Result) -> bool:
    return isinstance(result.verdict, Retry) and result.verdict.suspends
