"""What Kafka brings: notices to deliver, and the audit facts of all services."""

from collections.abc import Awaitable, Callable

from services.notifier.ports import FactRecord
from services.notifier.usecases import Registration
from shared.contracts.audit import AuditRecorded
from shared.contracts.notice import NoticeIssued
from shared.records import Batch
from shared.telemetry import Telemetry


def read_fact(raw: bytes) -> FactRecord:
    """An audit event with its exact bytes. Raises ValueError."""
    return FactRecord(AuditRecorded.model_validate_json(raw).data, raw)


def notices_handler(
    register: Callable[[Batch[NoticeIssued]], Awaitable[Registration]], telemetry: Telemetry
) -> Callable[[Batch[NoticeIssued]], Awaitable[None]]:
    """One batch, one line."""

    async def handle(batch: Batch[NoticeIssued]) -> None:
        with telemetry.unit("notices.registered", items=len(batch.events)) as line:
            registration = await register(batch)
            line["inserted"], line["repeated"] = registration.inserted_count, registration.repeat_count

    return handle


def facts_handler(
    keep: Callable[[Batch[FactRecord]], Awaitable[None]], telemetry: Telemetry
) -> Callable[[Batch[FactRecord]], Awaitable[None]]:
    """One batch, one line."""

    async def handle(batch: Batch[FactRecord]) -> None:
        with telemetry.unit("facts.kept", items=len(batch.events)):
            await keep(batch)

    return handle
