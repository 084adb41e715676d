"""Notes nothing, accepts one concern twice and ends, for tests that kill it there: `accept_one.py URL FAIL_POINT`."""

import asyncio
import sys

from services.intake.adapters.postgres import PostgresIntake
from services.intake.domain.model import Caller, Submission
from services.intake.usecases import accept_concerns, announce, make_concern, note_decisions
from shared.db.engine import make_engine
from shared.failpoints import FailPoints
from tests.support.clock import NOON
from tests.support.intake_fakes import KEYS, a_concern


async def main(url: str, fail_point: str) -> None:
    """Accept it."""
    engine = make_engine(url, pool_size=2, statement_timeout_seconds=10, name="accept-one")
    store = PostgresIntake(engine, offer=lambda _: None, fail_points=FailPoints.parse(fail_point))
    await note_decisions((), (), begin=store.begin)
    concern = make_concern(Submission(a_concern(), Caller("cases", "cqc")), keys=KEYS, now=NOON)
    for _ in range(2):
        await accept_concerns([announce(concern, client="cases")], begin=store.begin)
    await engine.dispose()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
