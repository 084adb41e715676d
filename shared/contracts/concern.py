"""A concern on its way from intake to the router: clear routing, sealed detail."""

import hashlib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field

from shared.canonical import canonical, digest
from shared.contracts.envelope import CloudEvent, Contract, Instant, JsonObject


class Sealed(Contract):
    """Identifiable detail under AES-256-GCM; the data key is wrapped by the key-encrypting key named `kid`.

    All byte fields are standard base64. Only intake seals and only the notifier opens.
    """

    alg: Literal["A256GCM"] = "A256GCM"
    kid: str
    wrapped_key: str
    nonce: str
    ciphertext: str


class SubmittedConcern(Contract):
    """`routing` holds the clear fields of the concern; `digest` = SHA-256(canonical routing + SHA-256(sealed)), hex.

    `descendants` of a version that corrects another: the concerns that came of it, which stand on what was said before.
    """

    concern_id: str
    version: int = Field(ge=1)
    digest: str
    accepted_at: Instant
    routing: JsonObject
    sealed: Sealed
    descendants: list[str] | None = None


class ConcernSubmitted(CloudEvent):
    """Intake accepted a version of a concern and has it on disk."""

    type: Literal["uk.concordat.concern.submitted.v1"] = "uk.concordat.concern.submitted.v1"
    data: SubmittedConcern


class RecalledConcern(Contract):
    """`reason` is a code, never a text. `descendants` are all concerns that came of it, and of those."""

    concern_id: str
    recalled_at: Instant
    reason: str
    descendants: list[str] = Field(default_factory=list)


class ConcernRecalled(CloudEvent):
    """The originator took a concern back, in all its versions: whoever has it must stop using it."""

    type: Literal["uk.concordat.concern.recalled.v1"] = "uk.concordat.concern.recalled.v1"
    data: RecalledConcern


ConcernEvent = Annotated[ConcernSubmitted | ConcernRecalled, Field(discriminator="type")]
"""What lies in the topic of concerns, in the order of each concern."""


def concern_digest(routing: Mapping[str, Any], sealed: Mapping[str, str]) -> str:
    """The digest of a version, in hex; an auditor takes it again. It binds the sealed bytes without opening them.

    Guessing does not help: the sealed part holds random keys. Raises NotCanonical for what has no canonical form.
    """
    return digest(canonical(routing), hashlib.sha256(canonical(sealed)).digest())
