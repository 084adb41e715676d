"""The flows of intake: accept a concern exactly once, and tell its originator what came of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from services.intake.domain.model import (
    Answer,
    Concern,
    ConcernId,
    Decided,
    Entry,
    Fields,
    NaturalKey,
    Parts,
    Receipt,
    Submission,
)
from services.intake.domain.policy import admit, settle, split
from services.intake.ports import Accept, Acceptance, Begin, Register
from shared.canonical import canonical
from shared.clock import Clock
from shared.contracts.audit import AuditFact
from shared.contracts.concern import ConcernSubmitted, Sealed, SubmittedConcern, concern_digest
from shared.contracts.envelope import rfc3339
from shared.ids import derived_id, new_id
from shared.records import Span
from shared.sealing import SecretKey, seal
from shared.trace import current_trace


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
    submission: Submission, *, keys: Keys, clock: Clock, allow_historic: bool, accept: Accept
) -> Answer:
    """Take one concern in; returns when it is on disk. Raises an IntakeFault, StoreUnavailable, Overloaded."""
    now = clock.now()
    admit(submission, now=now, allow_historic=allow_historic)
    concern = make_concern(submission, keys=keys, now=now)
    return await accept(announce(concern, client=submission.caller.client))


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


async def note_decisions(decisions: Sequence[Decided], spans: Sequence[Span], *, begin: Begin) -> None:
    """The router has these versions and said what it decided: close their announcements, keep the answer."""
    async with begin(spans) as tx:
        if decisions:
            await tx.close([(decision.concern_id, decision.version) for decision in decisions])
            await tx.note(decisions)


async def note_outcomes(outcomes: Sequence[Entry], spans: Sequence[Span], *, begin: Begin) -> None:
    """Keep what became of the notices."""
    async with begin(spans) as tx:
        if outcomes:
            await tx.note(outcomes)


def make_concern(submission: Submission, *, keys: Keys, now: datetime) -> Concern:
    """The concern as it will be stored: split, its detail sealed under a fresh key, its digest taken."""
    body, concern_id = submission.body, ConcernId(new_id("con"))
    parts = split(body, token_of=keys.token_of)
    received_at = submission.received_at or now
    routing = {**parts.routing, "received_at": rfc3339(received_at)}
    sealed = _seal(parts, keys, f"{concern_id}/{body['version']}")
    return Concern(
        id=concern_id,
        key=NaturalKey(body["originator"], body["originator_ref"], body["version"]),
        partition_key=parts.first_token or concern_id,
        body_mac=keys.fingerprint(submission),
        digest=concern_digest(routing, sealed),
        accepted_at=now,
        received_at=received_at,
        routing=routing,
        sealed=sealed,
        flags=parts.flags,
    )


def announce(concern: Concern, *, client: str) -> Acceptance:
    """The concern with the event and the audit fact that must be written in its transaction."""
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


def _seal(parts: Parts, keys: Keys, bound_to: str) -> dict[str, str]:
    return seal(parts.detail, keys.sealing, bound_to=bound_to)
