"""Engines that somebody else runs are used as they are, and left running."""

from pathlib import Path

import asyncpg
import pytest

from deploy.local.layout import Layout
from deploy.local.ports import free_port_base
from deploy.local.system import External, LocalSystem
from tests.support.stack import TestKafka, reachable_dir

pytestmark = pytest.mark.stack


async def test_running_engines_are_set_up_used_and_left_alone(data_dir: Path, kafka_engine: TestKafka) -> None:
    async with LocalSystem(Layout(data_dir, free_port_base()), external=External(kafka_engine.bootstrap)) as theirs:
        await theirs.start_engines()
        with reachable_dir() as folder:
            external = External(kafka_engine.bootstrap, theirs.database.superuser_url)
            async with LocalSystem(Layout(folder, free_port_base()), external=external) as ours:
                await ours.start_engines()
                connection = await asyncpg.connect(ours.database.url("router_service"))
                assert await connection.fetchval("SELECT current_user") == "router_service"
                await connection.close()
                assert ours.pids == {}
        assert set(theirs.pids) == {"postgres"}
    assert kafka_engine.engine.child.running
