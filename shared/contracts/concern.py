"""A concern on its way from intake to the router: clear routing, sealed detail."""

from typing import Literal

from pydantic import Field

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
    """`routing` holds the clear fields of the concern; `digest` = SHA-256(canonical routing + SHA-256(sealed)), hex."""

    concern_id: str
    version: int = Field(ge=1)
    digest: str
    accepted_at: Instant
    routing: JsonObject
    sealed: Sealed


class ConcernSubmitted(CloudEvent):
    """Intake accepted a version of a concern and has it on disk."""

    type: Literal["uk.concordat.concern.submitted.v1"] = "uk.concordat.concern.submitted.v1"
    data: SubmittedConcern
