"""Audit facts on their way out: each becomes a row of the outbox in the transaction of the change it describes."""

from shared.contracts.audit import AuditFact, AuditRecorded
from shared.contracts.topics import AUDIT
from shared.db.outbox import OutboxRow
from shared.trace import current_trace


def audit_row(fact: AuditFact) -> OutboxRow:
    """The outbox row of a fact; all facts of a concern lie in one partition."""
    key = fact.concern_id or fact.kind
    event = AuditRecorded(
        id=fact.fact_id,
        source=f"/concordat/{fact.service}",
        time=fact.at,
        subject=fact.concern_id,
        traceparent=current_trace(),
        data=fact,
    )
    return OutboxRow(fact.fact_id, AUDIT.name, AUDIT.partition_of(key), key, event.encode())
