"""P21 on the real database: steps and commits that meet in Postgres come out as if one came after the other."""

from contextlib import AsyncExitStack
from typing import Any, ClassVar

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from services.registry.adapters.change_store import PostgresChangeStore
from services.registry.usecases.change import Desk
from tests.support.change_fakes import WINDOW, ScriptedRouter
from tests.support.four_eyes import FourEyes
from tests.support.registry_store import history_in
from tests.support.stack import TestPostgres

pytestmark = pytest.mark.stack
EXAMPLES, STEPS = 12, 30


class FourEyesInPostgres(FourEyes):
    """On a database of its own for each run."""

    engine: ClassVar[TestPostgres]

    async def opened(self) -> Desk:
        self.lasting = AsyncExitStack()
        database = await self.engine.fresh_database("registry")
        self.store = await self.lasting.enter_async_context(history_in(database))
        begin = PostgresChangeStore(self.store).begin
        return Desk(begin, self.clock, ScriptedRouter(), lambda _graph, _day: (), WINDOW)

    async def closed(self) -> None:
        await self.lasting.aclose()

    def history(self) -> Any:
        return self.store.begin()


def test_p21_holds_where_steps_meet_in_the_database(postgres_engine: TestPostgres) -> None:
    FourEyesInPostgres.engine, FourEyesInPostgres.commits_seen = postgres_engine, 0
    few = settings(max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None)
    run_state_machine_as_test(FourEyesInPostgres, settings=few)
    assert FourEyesInPostgres.commits_seen > 0, "no change came into force: nothing was tried"
