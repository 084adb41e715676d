"""Intake's routes on the in-memory store: made once, bare at the start of each test."""

from collections.abc import AsyncIterator

import httpx
import pytest

from tests.support.intake_fakes import Front, InMemoryIntake, front_of

STORE = InMemoryIntake()
FRONT = front_of(STORE)


@pytest.fixture
def store() -> InMemoryIntake:
    STORE.clear()
    return STORE


@pytest.fixture
def front(store: InMemoryIntake) -> Front:
    FRONT.renew()
    return FRONT


@pytest.fixture
async def client(front: Front) -> AsyncIterator[httpx.AsyncClient]:
    async with front.client() as client:
        yield client
