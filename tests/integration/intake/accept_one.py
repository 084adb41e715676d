"""Notes nothing, accepts one concern twice and ends, for tests that kill it there: `accept_one.py URL FAIL_POINT`."""

import asyncio
import sys

from services.intake.adapters.postgres import PostgresRegister, PostgresTimeline
from services.intake.domain.model import Caller, Submission
from services.intake.usecases import accept_concerns, announce, make_concern, note_decisions
from shared.db.engine import make_engine
from shared.db.writer import Writer
from shared.failpoints import FailPoints
from tests.support.clock import NOON
from tests.support.intake_fakes import KEYS, a_concern


async def main(url: str, fail_point: str) -> None:
    """Accept it."""
    engine = make_engine(url, pool_size=2, statement_timeout_seconds=10, name="accept-one")
    writer = Writer(url, pool_size=2, statement_timeout_seconds=10, name="accept-one")
    register = PostgresRegister(writer, offer=lambda _: None, fail_points=FailPoints.parse(fail_point))
    await note_decisions((), (), begin=PostgresTimeline(engine, offer=lambda _: None).begin)
    concern = make_concern(Submission(a_concern(), Caller("cases", "cqc")), keys=KEYS, now=NOON)
    for _ in range(2):
        await accept_concerns([announce(concern, client="cases")], register=register)
    await engine.dispose()
    await writer.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
