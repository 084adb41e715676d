"""Collected where `make check-interop` has installed what these tests need: `make check` needs none of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from tests.support.stack import reachable_dir

if TYPE_CHECKING:
    from tests.interop.traffic import Traffic

collect_ignore_glob = [] if find_spec("cloudevents") and find_spec("jwcrypto") else ["*.py"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def traffic(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Traffic]:
    """What a real system has sent; the receivers' answers too."""
    from tests.interop.traffic import Play, Traffic, a_system, npm_receiver, pypi_receiver, records_of

    folder: Path = tmp_path_factory.mktemp("receivers")
    async with AsyncExitStack() as running:
        data = running.enter_context(reachable_dir())
        receivers = {
            "gmc": await running.enter_async_context(npm_receiver(folder)),
            "cqc": await running.enter_async_context(pypi_receiver(folder)),
        }
        system, concordat = await running.enter_async_context(a_system(data))
        sent = Traffic(receivers)
        await Play(concordat, sent).run()
        sent.records = await records_of(system.bootstrap)
        yield sent
