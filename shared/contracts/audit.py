"""Audit facts: what happened, in digests and metadata; never personal data."""

from typing import Literal

from shared.contracts.envelope import CloudEvent, Contract, Instant, JsonObject

FactKind = Literal[
    "agreement-event",
    "graph-commit",
    "concern-received",
    "concern-recalled",
    "decision",
    "work-item",
    "access",
    "delivery-attempt",
    "recipient-receipt",
    "escalation",
]


class AuditFact(Contract):
    """One thing that happened. `concern_id` is absent for facts of the graph; `body` holds digests and ids."""

    fact_id: str
    kind: FactKind
    concern_id: str | None = None
    at: Instant
    service: str
    actor: str
    body: JsonObject


class AuditRecorded(CloudEvent):
    """A service recorded an audit fact in the transaction of the change that it describes."""

    type: Literal["uk.concordat.audit.recorded.v1"] = "uk.concordat.audit.recorded.v1"
    data: AuditFact
