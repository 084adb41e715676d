"""The real Postgres and Kafka for integration tests: started once per session, in a folder of their own.

Fixtures: `postgres_engine`, `kafka_engine`, and `engines` for both. A test that needs tables of its own takes
`await postgres_engine.fresh_database("intake")`; one that needs a topic of its own `await kafka_engine.fresh_topic()`.
"""

import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
import pytest_asyncio

from deploy.local.kafka import KafkaEngine
from deploy.local.keys import SUPERUSER, Keyring
from deploy.local.layout import Layout
from deploy.local.migrations import migrate
from deploy.local.plan import DATABASE
from deploy.local.ports import free_port_base
from deploy.local.postgres import PostgresEngine
from deploy.local.topics import create_topics, open_groups
from shared.contracts.topics import Topic

_PRISTINE = "pristine"
_numbers = itertools.count(1)


@dataclass(frozen=True, slots=True)
class TestDatabase:
    """One database of the session's Postgres, seen by any role."""

    __test__ = False

    postgres: "TestPostgres"
    name: str

    def url(self, service: str, role: str = "service") -> str:
        """What a service is given; role "owner" is the one that migrates."""
        return _with_database(self.postgres.engine.database.service_url(service, role), self.name)

    @property
    def superuser_url(self) -> str:
        """`postgresql://` of the superuser, as asyncpg takes it."""
        return self.postgres.engine.database.url(SUPERUSER, database=self.name)

    async def migrate(self, *services: str) -> None:
        """Bring the schemas of these services to their newest version."""
        urls = {service: self.url(service, "owner") for service in services}
        await migrate(urls, self.postgres.layout.log(f"migrate-{self.name}"))


@dataclass(frozen=True, slots=True)
class TestPostgres:
    """The session's Postgres."""

    __test__ = False

    layout: Layout
    engine: PostgresEngine
    templates: dict[tuple[str, ...], str] = field(default_factory=dict)

    @property
    def shared(self) -> TestDatabase:
        """The database `concordat`, which all tests share."""
        return TestDatabase(self, DATABASE)

    @property
    def superuser_url(self) -> str:
        """The superuser's way to the shared database."""
        return self.shared.superuser_url

    def database_url(self, service: str, role: str = "service") -> str:
        """The way of a service (or of its owner) to the shared database."""
        return self.shared.url(service, role)

    async def migrate(self, *services: str) -> None:
        """Migrate the shared database."""
        await self.shared.migrate(*services)

    async def fresh_database(self, *services: str) -> TestDatabase:
        """A database of its own with the schemas of these services migrated; a copy, so it takes about 0.1 s."""
        template = self.templates.get(services) or await self._template(services)
        return await self._copy(template, f"test_{next(_numbers)}")

    async def _template(self, services: tuple[str, ...]) -> str:
        database = await self._copy(_PRISTINE, f"template_{next(_numbers)}")
        if services:
            await database.migrate(*services)
        self.templates[services] = database.name
        return database.name

    async def _copy(self, template: str, name: str) -> TestDatabase:
        connection = await asyncpg.connect(self.engine.database.url(SUPERUSER, database="postgres"))
        try:
            await connection.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        finally:
            await connection.close()
        return TestDatabase(self, name)


@dataclass(frozen=True, slots=True)
class TestKafka:
    """The session's Kafka; the topics of the system are there."""

    __test__ = False

    engine: KafkaEngine

    @property
    def bootstrap(self) -> str:
        """Where it answers."""
        return self.engine.bootstrap

    async def fresh_topic(self, prefix: str = "test", partitions: int = 1) -> Topic:
        """A topic that no other test uses."""
        topic = Topic(f"{prefix}.{next(_numbers)}", partitions)
        await create_topics(self.bootstrap, [topic])
        return topic


@dataclass(frozen=True, slots=True)
class Engines:
    """Both engines."""

    postgres: TestPostgres
    kafka: TestKafka

    @property
    def superuser_url(self) -> str:
        """The superuser's way to the shared database."""
        return self.postgres.superuser_url

    @property
    def kafka_bootstrap(self) -> str:
        """Where Kafka answers."""
        return self.kafka.bootstrap

    def database_url(self, service: str, role: str = "service") -> str:
        """The way of a service (or of its owner) to the shared database."""
        return self.postgres.database_url(service, role)

    async def migrate(self, *services: str) -> None:
        """Migrate the shared database."""
        await self.postgres.migrate(*services)

    async def fresh_database(self, *services: str) -> TestDatabase:
        """A database of its own, with the schemas of these services migrated."""
        return await self.postgres.fresh_database(*services)

    async def fresh_topic(self, prefix: str = "test", partitions: int = 1) -> Topic:
        """A topic that no other test uses."""
        return await self.kafka.fresh_topic(prefix, partitions)


@contextmanager
def reachable_dir() -> Iterator[Path]:
    """A temporary folder that the unprivileged Postgres user can pass through, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="concordat-"))
    if os.geteuid() == 0:
        folder.chmod(0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, onerror=_unless_it_is_gone)


def _unless_it_is_gone(_: object, __: str, fault: tuple[type[BaseException], BaseException, object]) -> None:
    """An engine that had to be killed may still tidy up after itself: what is gone need not be removed."""
    if not isinstance(fault[1], FileNotFoundError):
        raise fault[1]


@pytest.fixture
def data_dir() -> Iterator[Path]:
    """A data folder for one test."""
    with reachable_dir() as folder:
        yield folder


@pytest.fixture(scope="session")
def stack_layout() -> Iterator[Layout]:
    """Folder and ports of the session's engines."""
    with reachable_dir() as folder:
        yield Layout(folder, free_port_base())


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres_engine(stack_layout: Layout) -> AsyncIterator[TestPostgres]:
    """The session's Postgres, with the schemas, roles and extensions of `init.sql`."""
    engine = PostgresEngine(stack_layout, Keyring(stack_layout.secrets_dir).passwords())
    try:
        await engine.start()
        await engine.database.create_objects()
        postgres = TestPostgres(stack_layout, engine)
        await postgres._copy(DATABASE, _PRISTINE)
        yield postgres
    finally:
        await engine.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def kafka_engine(stack_layout: Layout) -> AsyncIterator[TestKafka]:
    """The session's Kafka, with the topics of the system."""
    engine = KafkaEngine(stack_layout)
    try:
        await engine.start()
        await create_topics(engine.bootstrap)
        await open_groups(engine.bootstrap)
        yield TestKafka(engine)
    finally:
        await engine.stop()


@pytest.fixture(scope="session")
def engines(postgres_engine: TestPostgres, kafka_engine: TestKafka) -> Engines:
    """Both engines of the session."""
    return Engines(postgres_engine, kafka_engine)


def _with_database(url: str, database: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{database}"))
