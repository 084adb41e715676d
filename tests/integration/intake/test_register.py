"""What the real Postgres alone can show of the register."""

from dataclasses import replace

import asyncpg
import pytest

from services.intake.adapters.postgres import PostgresRegister
from services.intake.domain.model import Caller, Submission
from services.intake.ports import Acceptance
from services.intake.usecases import announce, make_concern
from shared.db.outbox import OutboxRow
from shared.db.writer import Writer
from shared.failpoints import FailPoints
from tests.support.clock import NOON
from tests.support.intake_fakes import KEYS, a_concern
from tests.support.stack import TestPostgres

pytestmark = pytest.mark.stack


def acceptance(reference: str) -> Acceptance:
    body = a_concern(originator_ref=reference)
    return announce(make_concern(Submission(body, Caller("cases", "cqc")), keys=KEYS, now=NOON), client="cases")


async def test_a_batch_that_cannot_be_stored_whole_leaves_nothing(postgres_engine: TestPostgres) -> None:
    database = await postgres_engine.fresh_database("intake")
    writer = Writer(database.url("intake"), pool_size=2, statement_timeout_seconds=10, name="test")
    offered: list[OutboxRow] = []
    register = PostgresRegister(writer, offer=offered.extend, fail_points=FailPoints())
    one, other = acceptance("R-1"), acceptance("R-2")
    same_id = replace(other, concern=replace(other.concern, id=one.concern.id))
    with pytest.raises(asyncpg.UniqueViolationError):
        await register.accept([one, same_id])
    assert not offered
    assert not await register.stored([one.concern.key, other.concern.key])
    await writer.close()
