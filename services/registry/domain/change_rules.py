"""Who may take which step of a change, and what is still missing until it can be scheduled.

Four people at least: an author, a reviewer, and two who approve. Nobody counts twice, whatever roles they hold.
"""

import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from services.registry.domain.change import (
    APPROVALS_NEEDED,
    Approved,
    Assessed,
    Drafted,
    ObjectsAdded,
    Proposal,
    Reviewed,
    Revised,
    Scheduled,
    Signature,
    Signed,
    Step,
    Withdrawn,
)
from services.registry.domain.model import GraphObject, Row

EDITOR, REVIEWER, APPROVER, SIGNATORY = "registry-editor", "registry-reviewer", "registry-approver", "signatory"
ROLES_OF_A_REGISTRY = frozenset({EDITOR, REVIEWER, APPROVER})
ROLES: Mapping[type[Step], frozenset[str]] = {
    Drafted: frozenset({EDITOR}),
    ObjectsAdded: frozenset({EDITOR}),
    Revised: frozenset({EDITOR}),
    Assessed: frozenset({EDITOR}),
    Scheduled: frozenset({EDITOR}),
    Withdrawn: frozenset({EDITOR}),
    Reviewed: frozenset({REVIEWER}),
    Approved: frozenset({APPROVER}),
    Signed: frozenset({SIGNATORY, EDITOR}),
}
_NO_TERMS = ("suspended", "terminated")


@dataclass(frozen=True, slots=True)
class Actor:
    """Who takes a step: a person's or program's own name, the organisation it acts for, and its roles."""

    principal: str
    org: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True)
class Place:
    """One thing that is wrong: where in what was sent (JSON Pointer, "" is the whole), and what to do."""

    pointer: str
    detail: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """A step that is not taken; nothing was changed. `code` is stable, `remedy` says what to do."""

    code: str
    title: str
    remedy: str
    places: tuple[Place, ...] = ()


@dataclass(frozen=True, slots=True)
class Need:
    """What is missing: the step, who can take it, and in words."""

    step: str
    role: str
    who: str
    detail: str
    signature: Signature | None = None


def forbidden(kind: type[Step], actor: Actor) -> Refusal | None:
    """Where the actor has no role for the step."""
    if actor.roles & ROLES[kind]:
        return None
    roles = " or ".join(sorted(ROLES[kind]))
    return Refusal("forbidden", "Your client may not do this", f"It needs the role {roles}.")


def closed(proposal: Proposal) -> Refusal | None:
    """Where nothing can happen to the change any more."""
    if not proposal.is_closed:
        return None
    remedy = "Draft a new change."
    if proposal.scheduled:
        remedy = f"It became version {proposal.scheduled.version} of the graph. {remedy}"
    return Refusal("change-closed", f"The change is {proposal.state}", remedy)


def unfilled(proposal: Proposal) -> Refusal | None:
    """Where there is nothing, or not yet everything, to look at."""
    if proposal.incomplete:
        return Refusal("change-incomplete", "Further objects are to come", "Send the last part with `more` false.")
    if not proposal.object_count:
        return Refusal("change-empty", "The change proposes nothing", "Add its objects first.")
    return None


def no_review(proposal: Proposal, actor: Actor) -> Refusal | None:
    """Why this person cannot review it."""
    if refusal := unfilled(proposal) or own_change(proposal, actor):
        return refusal
    if proposal.reviewer is not None:
        return Refusal("already-reviewed", "It is reviewed", "A revision would have to be reviewed again.")
    return None


def own_change(proposal: Proposal, actor: Actor) -> Refusal | None:
    """Nobody judges what they wrote themselves."""
    if actor.principal not in proposal.authors:
        return None
    remedy = "Somebody who has written no part of the change must do it."
    return Refusal("own-change", "You wrote this change, or a part of it", remedy)


def no_approval(proposal: Proposal, actor: Actor, difference: str) -> Refusal | None:
    """Why this person cannot approve the difference of that digest."""
    return (
        unfilled(proposal)
        or own_change(proposal, actor)
        or _second_time(proposal, actor)
        or _not_ready_to_approve(proposal)
        or _another(proposal, difference)
    )


def _second_time(proposal: Proposal, actor: Actor) -> Refusal | None:
    remedy = "A person counts once, whatever their roles: somebody else must approve."
    if actor.principal == proposal.reviewer:
        return Refusal("already-counted", "You reviewed this change", remedy)
    if actor.principal in proposal.approvers:
        return Refusal("already-counted", "You approved this difference before", remedy)
    return None


def _not_ready_to_approve(proposal: Proposal) -> Refusal | None:
    if proposal.reviewer is None:
        return Refusal("not-reviewed", "Nobody has reviewed the change", "It must be reviewed before it is approved.")
    if proposal.assessment is None:
        remedy = "An editor must assess it; then approve the digest of what comes out."
        return Refusal("not-assessed", "What the change would do is not known", remedy)
    return None


def _another(proposal: Proposal, difference: str) -> Refusal | None:
    if proposal.assessment is None or difference == proposal.assessment.difference:
        return None
    remedy = "Read the difference as it is now, and approve the digest in its ETag."
    places = (Place("/difference", "this is not the digest of the stored difference"),)
    return Refusal("other-difference", "That is another difference", remedy, places)


def fails(failed: Sequence[Mapping[str, str]]) -> Refusal:
    """The assessment does not pass: each example that comes out otherwise than agreed."""
    places = tuple(Place("", f"{row['agreement']}, example {row['name']!r}: {row['detail']}") for row in failed)
    remedy = "Revise the change, or the examples with it, and assess it again."
    return Refusal("assessment-fails", "Examples of agreements would come out otherwise", remedy, places)


def terms_digest(item: GraphObject) -> str:
    """What a party signs: SHA-256 in hex over the canonical agreement without its suspensions and its termination."""
    return _digest_of(item, item.row())


def _digest_of(item: GraphObject, row: Row) -> str:
    if not any(name in row for name in _NO_TERMS):
        return hashlib.sha256(item.body).hexdigest()  # canonical already
    terms = {name: value for name, value in row.items() if name not in _NO_TERMS}
    text = json.dumps(terms, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def required_signatures(base: Iterable[GraphObject], asked: Iterable[GraphObject], day: date) -> frozenset[Signature]:
    """Whose signatures the change needs: every signatory of an agreement that is new or whose terms are others.

    A party that has left by the day signs no more. A statute, a body or a policy has no signatories.
    """
    proposed = [item for item in asked if item.kind == "agreement"]
    keys = {item.key for item in proposed}
    before = {item.key: terms_digest(item) for item in base if item.key in keys}
    return frozenset(s for item in proposed for s in _signatories(item, before.get(item.key), day))


def _signatories(item: GraphObject, signed: str | None, day: date) -> Iterator[Signature]:
    """`signed` is the digest of the terms that stand; None where nothing does."""
    row, today = item.row(), day.isoformat()
    terms = _digest_of(item, row)
    for party in row.get("parties", ()) if terms != signed else ():
        if party.get("capacity") == "signatory" and not (party.get("to") and party["to"] <= today):
            yield Signature(item.id, party["org"], terms)


def no_signature(step: Signed, actor: Actor, required: Collection[Signature]) -> Refusal | None:
    """Why these signatures cannot be taken; every one that is wrong is named."""
    wrong = [(number, s) for number, s in enumerate(step.signatures) if s not in required]
    if wrong:
        by_party = {(s.agreement, s.party): s.terms_digest for s in required}
        places = tuple(_wrong(f"/signatures/{number}", s, by_party) for number, s in wrong)
        remedy = "Read the change: `needs` names each signature with the digest of its terms."
        return Refusal("not-needed", "These signatures are not what the change needs", remedy, places)
    return _recorded(step) if step.recorded else _not_own(step, actor)


def _wrong(pointer: str, signature: Signature, by_party: Mapping[tuple[str, str], str]) -> Place:
    asked = by_party.get((signature.agreement, signature.party))
    if asked is None:
        who = f"{signature.party} has nothing to sign of {signature.agreement} in this change"
        return Place(f"{pointer}/party", who)
    return Place(f"{pointer}/terms_digest", f"the terms of {signature.agreement} have the digest {asked}")


def _recorded(step: Signed) -> Refusal | None:
    if step.evidence.strip():
        return None
    places = (Place("/evidence", "name the signed document"),)
    return Refusal("no-evidence", "A recorded signature needs its document", "State where the document is.", places)


def _not_own(step: Signed, actor: Actor) -> Refusal | None:
    others = sorted({s.party for s in step.signatures} - {actor.org})
    if SIGNATORY in actor.roles and not others:
        return None
    remedy = "A signatory signs for its own organisation; an editor records others' signatures with `evidence`."
    return Refusal("forbidden", "You cannot sign for another organisation", remedy)


def needs(proposal: Proposal, required: frozenset[Signature]) -> tuple[Need, ...]:
    """Everything that is missing until the change can be scheduled, in the order in which it is done."""
    if proposal.is_closed:
        return ()
    found = [*_content_needs(proposal), *_people_needs(proposal)]
    found += [_signature_need(s) for s in sorted(required - proposal.signatures)]
    return tuple(found)


def _content_needs(proposal: Proposal) -> Iterator[Need]:
    if refusal := unfilled(proposal):
        yield Need("objects", EDITOR, "an editor", refusal.remedy)


def _people_needs(proposal: Proposal) -> Iterator[Need]:
    if proposal.reviewer is None:
        yield Need("review", REVIEWER, "a reviewer who wrote no part of it", "It must be reviewed.")
    if proposal.assessment is None:
        yield Need("assessment", EDITOR, "an editor", "It must be worked out what the change would do.")
    elif not proposal.assessment.passes:
        yield Need("revision", EDITOR, "an editor", "The assessment does not pass.")
    if missing := APPROVALS_NEEDED - len(proposal.approvers):
        words = f"The difference needs {APPROVALS_NEEDED} approvals and has {APPROVALS_NEEDED - missing}."
        yield Need("approval", APPROVER, "approvers who neither wrote nor reviewed it", words)


def _signature_need(signature: Signature) -> Need:
    words = f"{signature.party} must sign the terms of {signature.agreement}."
    return Need("signature", SIGNATORY, signature.party, words, signature)


def not_ready(missing: Sequence[Need]) -> Refusal | None:
    """Why it cannot be scheduled, with everything that is missing."""
    if not missing:
        return None
    places = tuple(Place("", f"{need.step}: {need.detail}") for need in missing)
    return Refusal("not-ready", "The change cannot be scheduled yet", "Each entry of `errors` is missing.", places)
