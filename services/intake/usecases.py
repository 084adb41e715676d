"""The flows of intake: accept a concern exactly once, and tell its originator what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.intake.domain.errors import Contended
from services.intake.domain.model import (
    Answer,
    Caller,
    Concern,
    ConcernId,
    Decided,
    Entry,
    Fields,
    Followed,
    NaturalKey,
    Parts,
    Recall,
    RecallAnswer,
    RecallReason,
    RecallReceipt,
    Receipt,
    Submission,
    Thread,
    Undone,
    Unsourced,
)
from services.intake.domain.policy import admit, admit_receipt, follow, settle, settle_recall, split
from services.intake.domain.provenance import cited, trace
from services.intake.ports import Accept, Acceptance, Begin, BeginSteps, Recalling, Register
from shared.canonical import canonical
from shared.clock import Clock
from shared.contracts.audit import AuditFact
from shared.contracts.concern import (
    ConcernRecalled,
    ConcernSubmitted,
    RecalledConcern,
    Sealed,
    SubmittedConcern,
    concern_digest,
)
from shared.contracts.envelope import rfc3339
from shared.ids import derived_id, new_id
from shared.records import Span
from shared.sealing import SecretKey, seal
from shared.trace import current_trace


@dataclass(frozen=True, slots=True)
class FollowUpDesk:
    """What amending, recalling and building on other concerns need."""

    begin: BeginSteps
    clock: Clock


@dataclass(frozen=True, slots=True)
class Keys:
    """`sealing` wraps the data keys of sealed detail; `subject` makes subject tokens and body fingerprints."""

    sealing: SecretKey
    subject: SecretKey

    def token_of(self, scheme: str, normalised: str) -> Fields:
        """The token of an identifier: keyed, so that nobody can guess it from the identifier alone."""
        token = self.subject.mac(b"subject", scheme.encode(), normalised.encode()).hex()
        return {"kid": self.subject.kid, "token": token}

    def fingerprint(self, submission: Submission) -> bytes:
        """Equal for two submissions that say the same."""
        return self.subject.mac(b"body", canonical(submission.body))


async def submit_concern(
    submission: Submission, *, keys: Keys, desk: FollowUpDesk, allow_historic: bool, accept: Accept
) -> Answer:
    """Take one concern in; returns when it is on disk. Raises an IntakeFault, StoreUnavailable, Overloaded."""
    now = desk.clock.now()
    admit(submission, now=now, allow_historic=allow_historic)
    if cited(submission.body):
        return await derive_concern(submission, keys=keys, desk=desk, now=now)
    concern = make_concern(submission, keys=keys, now=now)
    return await accept(announce(concern, client=submission.caller.client))


async def derive_concern(submission: Submission, *, keys: Keys, desk: FollowUpDesk, now: datetime) -> Answer:
    """Take in a concern that is built on others; nobody recalls or corrects those meanwhile.

    What is stored already is answered as it was, whatever became of its sources. Raises Contended, StoreUnavailable.
    """
    async with desk.begin() as steps:
        concern = make_concern(submission, keys=keys, now=now)
        stored = await steps.known(concern.key)
        if stored is not None:
            return settle(concern, stored)
        hops = trace(submission.body, await steps.sources(_names(submission)))
        if isinstance(hops, Unsourced):
            return hops
        concern = make_concern(submission, keys=keys, now=now, hops=hops)
        if await steps.derive(announce(concern, client=submission.caller.client)):
            return Receipt(concern.id, concern.key.version, concern.flags, replayed=False)
    raise Contended


async def accept_concerns(acceptances: Sequence[Acceptance], *, register: Register) -> Sequence[Answer]:
    """Store a batch, all or none of it; one answer for each, in order."""
    concerns = [acceptance.concern for acceptance in acceptances]
    new = await register.accept(acceptances)
    repeats = {concern.key for concern in concerns if concern.id not in new}
    stored = await register.stored(sorted(repeats)) if repeats else {}
    return [
        Receipt(c.id, c.key.version, c.flags, replayed=False) if c.id in new else settle(c, stored[c.key])
        for c in concerns
    ]


async def amend_concern(
    concern_id: ConcernId, submission: Submission, *, desk: FollowUpDesk, keys: Keys, allow_historic: bool
) -> Followed | None:
    """Take in a version that follows others; None where the caller has no such concern.

    Raises an IntakeFault, StoreUnavailable.
    """
    now = desk.clock.now()
    admit_receipt(submission, now=now, allow_historic=allow_historic)
    version = int(submission.body["version"])
    async with desk.begin() as steps:
        thread = await steps.thread(concern_id, version)
        if thread is None or thread.originator != submission.caller.org:
            return None
        concern = make_concern(submission, keys=keys, now=now, thread=thread)
        said = follow(submission, concern, thread)
        if said is not None:
            return said
        hops = trace(submission.body, await steps.sources(_names(submission)), thread)
        if isinstance(hops, Unsourced):
            return hops
        if hops:
            concern = make_concern(submission, keys=keys, now=now, thread=thread, hops=hops)
        descendants = await steps.descendants(concern_id)
        if await steps.follow(announce(concern, client=submission.caller.client, descendants=descendants)):
            return Receipt(concern_id, version, concern.flags, replayed=False)
    raise Contended


async def recall_concern(
    concern_id: ConcernId, reason: RecallReason, caller: Caller, *, desk: FollowUpDesk
) -> RecallAnswer | None:
    """Take a concern back, in all its versions, with all that came of it; None where the caller has no such concern.

    Raises Contended, StoreUnavailable.
    """
    recall = Recall(reason, desk.clock.now())
    async with desk.begin() as steps:
        thread = await steps.thread(concern_id, 1)
        if thread is None or thread.originator != caller.org:
            return None
        said = settle_recall(thread, reason)
        if said is not None:
            return said
        descendants = await steps.descendants(concern_id)
        if await steps.recall(announce_recall(thread, recall, client=caller.client, descendants=descendants)):
            return RecallReceipt(concern_id, recall, replayed=False)
    raise Contended


async def note_decisions(decisions: Sequence[Decided | Undone], spans: Sequence[Span], *, begin: Begin) -> None:
    """The router has these versions and said what it decided: close their announcements, keep the answer.

    What it took back is kept as well, and it has the recalls that it speaks of.
    """
    decided = [said for said in decisions if isinstance(said, Decided)]
    undone = [said for said in decisions if isinstance(said, Undone)]
    recalled = [said.concern_id for said in undone if said.kind == "recall"]
    async with begin(spans) as tx:
        if decided:
            await tx.close([(decision.concern_id, decision.version) for decision in decided])
        if recalled:
            await tx.close_recalls(recalled)
        kept: list[Entry] = [*decided, *(said for said in undone if said.notices)]
        if kept:
            await tx.note(kept)


async def note_outcomes(outcomes: Sequence[Entry], spans: Sequence[Span], *, begin: Begin) -> None:
    """Keep what became of the notices."""
    async with begin(spans) as tx:
        if outcomes:
            await tx.note(outcomes)


def make_concern(
    submission: Submission, *, keys: Keys, now: datetime, thread: Thread | None = None, hops: Sequence[Fields] = ()
) -> Concern:
    """The concern as it will be stored: split, its detail sealed under a fresh key, its digest taken.

    A version that follows others (`thread`) keeps their id and their partition key, whatever it is about now. `hops`
    is the way that it has come.
    """
    body = submission.body
    concern_id = thread.concern_id if thread else ConcernId(new_id("con"))
    parts = split(body, token_of=keys.token_of)
    received_at = submission.received_at or now
    routing = {**parts.routing, "received_at": rfc3339(received_at)}
    if hops:
        routing["provenance"] = list(hops)
    sealed = _seal(parts, keys, f"{concern_id}/{body['version']}")
    return Concern(
        id=concern_id,
        key=NaturalKey(body["originator"], body["originator_ref"], body["version"]),
        partition_key=thread.partition_key if thread else parts.first_token or concern_id,
        body_mac=keys.fingerprint(submission),
        digest=concern_digest(routing, sealed),
        accepted_at=now,
        received_at=received_at,
        routing=routing,
        sealed=sealed,
        flags=parts.flags,
        built_on=cited(body) if hops else (),
    )


def announce(concern: Concern, *, client: str, descendants: Sequence[ConcernId] = ()) -> Acceptance:
    """The concern with the event and the audit fact that must be written in its transaction.

    `descendants` came of earlier versions of it.
    """
    version = concern.key.version
    event = ConcernSubmitted(
        id=derived_id("evt", "concern-submitted", concern.id, version),
        source="/concordat/intake",
        time=concern.accepted_at,
        subject=concern.id,
        traceparent=current_trace(),
        data=SubmittedConcern(
            concern_id=concern.id,
            version=version,
            digest=concern.digest,
            accepted_at=concern.accepted_at,
            routing=concern.routing,
            sealed=Sealed(**concern.sealed),
            descendants=list(descendants) or None,
        ),
    )
    fact = AuditFact(
        fact_id=derived_id("fct", "concern-received", concern.id, version),
        kind="concern-received",
        concern_id=concern.id,
        at=concern.accepted_at,
        service="intake",
        actor=client,
        body={"version": version, "digest": concern.digest, "originator": concern.key.originator},
    )
    return Acceptance(concern, event, fact)


def announce_recall(thread: Thread, recall: Recall, *, client: str, descendants: Sequence[ConcernId] = ()) -> Recalling:
    """The recall with the event and the audit fact that must be written in its transaction."""
    event = ConcernRecalled(
        id=derived_id("evt", "concern-recalled", thread.concern_id),
        source="/concordat/intake",
        time=recall.at,
        subject=thread.concern_id,
        traceparent=current_trace(),
        data=RecalledConcern(
            concern_id=thread.concern_id,
            recalled_at=recall.at,
            reason=recall.reason,
            descendants=list(descendants),
        ),
    )
    fact = AuditFact(
        fact_id=derived_id("fct", "concern-recalled", thread.concern_id),
        kind="concern-recalled",
        concern_id=thread.concern_id,
        at=recall.at,
        service="intake",
        actor=client,
        body={"version": thread.last, "reason": recall.reason, "originator": thread.originator},
    )
    return Recalling(thread, recall, event, fact)


def _names(submission: Submission) -> Sequence[ConcernId]:
    return sorted({concern_id for concern_id, _ in cited(submission.body)})


def _seal(parts: Parts, keys: Keys, bound_to: str) -> dict[str, str]:
    return seal(parts.detail, keys.sealing, bound_to=bound_to)
