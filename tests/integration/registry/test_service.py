"""The whole registry as a process on the real engines: seed, tokens, commits, and what a kill leaves behind."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import httpx
import pytest
from aiokafka import AIOKafkaConsumer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from deploy.local.ports import free_port_base
from services.registry.adapters.seed_files import read_objects
from shared.agreements.load import load
from shared.clock import SystemClock
from shared.contracts.graph import GraphCommitted, GraphDocument
from shared.contracts.topics import GRAPH
from shared.graphroot import graph_root
from shared.http.auth import Verifier
from shared.http.jwks import PublishedKeys
from shared.ids import new_id
from shared.settings import TokenIssuer
from tests.support.registry_app import SECRET, change, write_clients
from tests.support.registry_changes import Carrier
from tests.support.small_graph import source
from tests.support.stack import Engines, TestDatabase
from tests.support.waiting import until

pytestmark = pytest.mark.stack
START_SECONDS = 90
ANSWER_SECONDS = 60


@dataclass
class Setting:
    """One database and what a registry on it is told."""

    database: TestDatabase
    variables: dict[str, str]
    errors_file: Path
    port: int = field(default_factory=free_port_base)

    @asynccontextmanager
    async def started(self, **more: str) -> AsyncIterator[asyncio.subprocess.Process]:
        """A registry process; it is ended with the block."""
        variables = {**os.environ, **self.variables, "REGISTRY_HTTP_PORT": str(self.port), **more}  # noqa: TID251 - a child inherits the test's surroundings
        with self.errors_file.open("ab") as errors:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "services.registry",
                env=variables,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=errors,
            )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()

    async def client(self) -> httpx.AsyncClient:
        """A client of the process, once it answers."""
        url = f"http://127.0.0.1:{self.port}"
        client = httpx.AsyncClient(base_url=url, trust_env=False, timeout=ANSWER_SECONDS)

        async def is_up() -> bool:
            try:
                return (await client.get("/readyz")).status_code == 200
            except httpx.TransportError:
                return False

        await until(is_up, seconds=START_SECONDS, what="the registry is ready")
        return client

    async def ask(self, query: str) -> int:
        """One number from the database."""
        connection = await asyncpg.connect(self.database.superuser_url)
        try:
            return int(await connection.fetchval(query))
        finally:
            await connection.close()


@pytest.fixture
async def setting(engines: Engines, tmp_path: Path) -> Setting:
    database = await engines.fresh_database("registry")
    pem = Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    made = Setting(database, {}, tmp_path / "stderr")
    url = f"http://127.0.0.1:{made.port}"
    made.variables |= {
        "REGISTRY_DATABASE_URL": database.url("registry"),
        "REGISTRY_KAFKA_BOOTSTRAP_SERVERS": engines.kafka_bootstrap,
        "REGISTRY_TOKEN_ISSUERS": json.dumps([{"issuer": url, "jwks_url": f"{url}/.well-known/jwks.json"}]),
        "REGISTRY_ISSUER": url,
        "REGISTRY_SIGNING_KEY_FILE": str(tmp_path / "key.pem"),
        "REGISTRY_CLIENTS_FILE": str(write_clients(tmp_path)),
    }
    return made


async def token(client: httpx.AsyncClient, client_id: str = "operator") -> str:
    form = {"grant_type": "client_credentials", "client_id": client_id, "client_secret": SECRET}
    return str((await client.post("/oauth2/token", data=form)).raise_for_status().json()["access_token"])


async def commit_new_source(client: httpx.AsyncClient) -> int:
    async def headers(client_id: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {await token(client, client_id)}"}

    return await Carrier(client, headers).carried(change(1, source(new_id("page"))))


async def published(engines: Engines, root: str) -> GraphCommitted:
    """The commit that ends in this root, read from the topic's start."""
    consumer = AIOKafkaConsumer(GRAPH.name, bootstrap_servers=engines.kafka_bootstrap, auto_offset_reset="earliest")
    await consumer.start()
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            async for record in consumer:
                event = GraphCommitted.model_validate_json(record.value)
                if event.data.root == root:
                    return event
    finally:
        await consumer.stop()
    raise AssertionError("the topic ended")


async def test_the_packaged_seed_is_imported_served_and_published_and_can_be_changed(
    engines: Engines, setting: Setting
) -> None:
    async with setting.started():
        client = await setting.client()
        document = GraphDocument.model_validate_json((await client.get("/v1/graph")).content)
        assert document.root == graph_root(document.objects) == graph_root(read_objects())
        assert load(document.objects).organisations
        assert await commit_new_source(client) == 2
        changed = GraphDocument.model_validate_json((await client.get("/v1/graph")).content)
        event = await published(engines, changed.root)
        assert (event.data.version, event.data.parent_root) == (2, document.root)
        await client.aclose()


async def test_a_token_of_the_process_verifies_by_its_published_keys(setting: Setting) -> None:
    async with setting.started():
        client = await setting.client()
        url = str(client.base_url)
        issuers = [TokenIssuer(issuer=url, jwks_url=f"{url}/.well-known/jwks.json")]
        verifier = Verifier(PublishedKeys(issuers), audience="concordat", clock=SystemClock())
        principal = await verifier.principal(f"Bearer {await token(client)}")
        assert (principal.subject, principal.is_operator) == ("operator", True)
        await client.aclose()


async def test_two_registries_that_start_at_once_make_one_first_commit(setting: Setting) -> None:
    other = Setting(setting.database, setting.variables, setting.errors_file)
    other.port = setting.port + 1
    async with setting.started(), other.started():
        for client in (await setting.client(), await other.client()):
            assert (await client.get("/v1/graph")).json()["version"] == 1
            await client.aclose()
    assert await setting.ask("SELECT count(*) FROM registry.commits") == 1
    assert await setting.ask("SELECT count(*) FROM registry.outbox") == 3


async def test_a_kill_before_the_commit_leaves_nothing_and_the_next_start_makes_it(
    setting: Setting, tmp_path: Path
) -> None:
    marker = tmp_path / "reached"
    async with setting.started(REGISTRY_FAIL_POINT=f"registry.before-commit:kill:1:{marker}") as process:
        await process.wait()
    assert marker.read_text() == "registry.before-commit"
    assert await setting.ask("SELECT count(*) FROM registry.commits") == 0
    async with setting.started():
        client = await setting.client()
        assert (await client.get("/v1/graph")).json()["version"] == 1
        await client.aclose()


async def test_a_kill_after_the_commit_is_published_by_the_next_start(setting: Setting, tmp_path: Path) -> None:
    marker = tmp_path / "reached"
    async with setting.started(REGISTRY_FAIL_POINT=f"registry.after-commit:kill:1:{marker}") as process:
        await process.wait()
    assert marker.read_text() == "registry.after-commit"
    unpublished = "SELECT count(*) FROM registry.outbox_unpublished"
    assert await setting.ask(unpublished) == 3

    async def all_published() -> bool:
        return await setting.ask(unpublished) == 0

    async with setting.started():
        await until(all_published, seconds=START_SECONDS)


async def test_a_seed_with_faults_stops_the_start_with_each_of_them(setting: Setting, tmp_path: Path) -> None:
    seed = tmp_path / "seed"
    seed.mkdir()
    (seed / "categories.yaml").write_text("format: concordat.graph/1\n")
    (seed / "policy.yaml").write_text("format: concordat.graph/1\npolicy: {colour: red}\n")
    async with setting.started(REGISTRY_SEED_FOLDER=str(seed)) as process:
        assert await process.wait() == 1
    said = setting.errors_file.read_text()
    assert "has the unknown key 'colour'" in said
    assert "lacks 'correlation'" in said
    assert await setting.ask("SELECT count(*) FROM registry.commits") == 0
