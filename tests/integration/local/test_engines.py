"""The embedded engines are the real ones, set up as the services expect."""

from pathlib import Path

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient

from shared.contracts.topics import ALL
from tests.support.stack import Engines, TestKafka, TestPostgres

pytestmark = pytest.mark.stack


def _plain(url: str) -> str:
    return url.replace("+asyncpg", "")


async def test_postgres_18_runs_with_checksums_fsync_and_our_extensions(postgres_engine: TestPostgres) -> None:
    connection = await asyncpg.connect(postgres_engine.superuser_url)
    shown = {name: await connection.fetchval(f"SHOW {name}") for name in ("fsync", "data_checksums", "max_connections")}
    extensions = {row["extname"] for row in await connection.fetch("SELECT extname FROM pg_extension")}
    version = await connection.fetchval("SHOW server_version_num")
    await connection.close()
    assert shown == {"fsync": "on", "data_checksums": "on", "max_connections": "200"}
    assert extensions >= {"btree_gist", "pg_stat_statements", "pg_trgm"}
    assert int(version) // 10_000 == 18


async def test_a_service_reaches_its_own_schema_alone(postgres_engine: TestPostgres) -> None:
    connection = await asyncpg.connect(_plain(postgres_engine.database_url("notifier")))
    schemas = await connection.fetch(
        "SELECT nspname AS name, has_schema_privilege(nspname, 'USAGE') AS use,"
        " has_schema_privilege(nspname, 'CREATE') AS make FROM pg_namespace"
        " WHERE nspname IN ('intake', 'registry', 'router', 'notifier', 'audit')"
    )
    await connection.close()
    assert {row["name"] for row in schemas if row["use"]} == {"notifier", "audit"}
    assert not any(row["make"] for row in schemas)
    assert len(schemas) == 5


async def test_a_stranger_with_a_wrong_password_is_refused(postgres_engine: TestPostgres) -> None:
    url = f"postgresql://intake_service:wrong@{postgres_engine.engine.database.address}/concordat"
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url)


async def test_a_fresh_database_has_the_schemas_and_nothing_of_its_siblings(postgres_engine: TestPostgres) -> None:
    first, second = await postgres_engine.fresh_database(), await postgres_engine.fresh_database()
    one = await asyncpg.connect(_plain(first.url("intake", "owner")))
    await one.execute("CREATE TABLE intake.only_here (id int)")
    await one.close()
    other = await asyncpg.connect(_plain(second.url("intake", "owner")))
    tables = await other.fetch("SELECT FROM pg_tables WHERE schemaname = 'intake'")
    await other.close()
    assert tables == []


def test_kafka_starts_from_the_classes_that_an_earlier_start_prepared(kafka_engine: TestKafka) -> None:
    maps = Path(f"/proc/{kafka_engine.engine.child.pid}/maps").read_text()
    assert ".aot" in maps


async def test_the_topics_are_there_with_their_partitions(engines: Engines) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=engines.kafka_bootstrap)
    await admin.start()
    described = await admin.describe_topics([topic.name for topic in ALL])
    await admin.close()
    assert {t["topic"]: len(t["partitions"]) for t in described} == {t.name: t.partitions for t in ALL}


async def test_what_is_produced_is_consumed(engines: Engines) -> None:
    topic = await engines.fresh_topic("round-trip")
    producer = AIOKafkaProducer(bootstrap_servers=engines.kafka_bootstrap, acks="all", enable_idempotence=True)
    consumer = AIOKafkaConsumer(
        topic.name, bootstrap_servers=engines.kafka_bootstrap, auto_offset_reset="earliest", group_id=None
    )
    async with producer, consumer:
        await producer.send_and_wait(topic.name, b"told")
        record = await consumer.getone()
    assert record.value == b"told"
