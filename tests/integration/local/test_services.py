"""Services are started, ended, doubled and started again; a stand-in will do: the runner knows only processes."""

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from deploy.local import plan
from deploy.local.faults import ServiceFailed
from deploy.local.keys import Keyring
from deploy.local.layout import Layout
from deploy.local.orphans import PidFile
from deploy.local.ports import free_port_base
from deploy.local.postgres import Database
from deploy.local.readyz import answers_ready
from deploy.local.services import Services
from deploy.local.wiring import Wiring

STAND_IN = Path(__file__).with_name("stand_in.py")


def _stand_in(service: plan.ServicePlan) -> tuple[str, ...]:
    return sys.executable, str(STAND_IN), service.name


@pytest_asyncio.fixture
async def services(tmp_path: Path) -> AsyncIterator[Services]:
    layout = Layout(tmp_path, free_port_base())
    keyring = Keyring(layout.secrets_dir)
    database = Database("127.0.0.1:1", keyring.passwords(), layout)
    wiring = Wiring(layout, database, keyring, layout.kafka_bootstrap)
    services = Services(wiring, PidFile(tmp_path / "pids.json"), program=_stand_in)
    yield services
    await services.stop_all()


async def test_a_killed_service_no_longer_answers_and_a_restarted_one_does(services: Services) -> None:
    await services.start("router")
    url = services.layout.url("router")
    first = services.child("router").pid
    await services.child("router").kill()
    assert not await answers_ready(url)
    await services.restart("router")
    assert await answers_ready(url)
    assert services.child("router").pid != first


async def test_two_instances_of_a_service_answer_on_ports_of_their_own(services: Services) -> None:
    await services.start("router")
    await services.start("router-2")
    await services.child("router").kill()
    assert await answers_ready(services.layout.url("router", 2))


async def test_a_service_that_ends_at_once_is_told_with_its_reason(services: Services) -> None:
    with pytest.raises(ServiceFailed, match="told to die"):
        await services.start("intake", {"STAND_IN_DIES": "yes"})


async def test_a_restart_forgets_what_only_the_run_before_was_told(services: Services) -> None:
    with pytest.raises(ServiceFailed):
        await services.start("intake", {"STAND_IN_DIES": "yes"})
    await services.restart("intake")
    assert services.child("intake").running
