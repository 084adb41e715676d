"""The whole system under faults: nothing accepted is lost, nobody is told twice as if it were new."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaConsumer, TopicPartition
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from deploy.bench.load import OpenLoop
from deploy.client import Refused
from deploy.local.keys import SUPERUSER
from deploy.local.topics import create_topics
from shared.clock import SystemClock
from shared.contracts.topics import CONCERNS, GRAPH, NOTICES, Topic
from shared.faults import LogUnavailable
from shared.kafka.producer import Producer, Record
from tests.support.stack import reachable_dir
from tests.support.waiting import until
from tests.support.world import ONE_RECIPIENT, OTHER_RECIPIENT, SHORT_SESSIONS, World, a_world, times_received

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]
COUNT = 20
IN_FLIGHT_MAX = 8
LOAD_PER_SECOND = 50
AWAY_SECONDS = 60

# Where a process is killed, the how manieth time, and whether a request may then arrive twice: its outcome was unknown.
# What the router and the notifier find after a restart is one batch, so theirs are the first. The router's other two
# points stand below: there the graph changes before it is back.
KILLS = [
    ("intake", "intake.before-commit", 3, False),
    ("intake", "intake.after-commit", 3, False),
    ("intake", "relay.after-publish", 3, False),
    ("router", "router.before-commit", 1, False),
    ("notifier", "notifier.before-commit", 1, False),
    ("notifier", "notifier.after-commit", 1, False),
    ("notifier", "notifier.before-send", 3, False),
    ("notifier", "notifier.after-send", 3, True),
    ("notifier", "relay.after-publish", 1, True),
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    with reachable_dir() as folder:
        async with a_world(folder) as made:
            yield made


@pytest.mark.parametrize(("service", "point", "count", "may_repeat"), KILLS)
async def test_a_kill_loses_and_doubles_nothing(
    world: World, tmp_path: Path, service: str, point: str, count: int, may_repeat: bool
) -> None:
    marker = tmp_path / "reached"
    await world.arm(service, f"{point}:kill:{count}:{marker}")
    publishing = asyncio.create_task(world.publish(COUNT))
    await until(marker.exists, seconds=60, what=f"{point} is reached")
    await world.system.exited(service)
    await world.restart(service)
    ids = await publishing
    receipts = await world.told_once(ids)
    times = times_received(receipts)
    assert len(set(ids)) == len(times) == COUNT
    repeats = sum(times.values()) - COUNT
    # Unknown to the sender: what was under way, and the `count` that were answered and not yet written.
    assert repeats <= (IN_FLIGHT_MAX + count if may_repeat else 0)
    assert len({(r.webhook_id, r.body) for r in receipts}) == COUNT


@pytest.mark.parametrize("point", ["router.after-commit", "relay.after-publish"])
async def test_a_decision_that_was_stored_before_a_kill_stands_though_the_graph_changed_meanwhile(
    world: World, tmp_path: Path, point: str
) -> None:
    marker, change = tmp_path / "reached", await world.approved_change()
    await world.arm("router", f"{point}:kill:1:{marker}")
    publishing = asyncio.create_task(world.publish(COUNT))
    await until(marker.exists, seconds=60, what=f"{point} is reached")
    await world.system.exited("router")
    stored = await _decisions(world)
    version = await change.schedule()
    await world.restart("router")
    ids = await publishing
    receipts = await world.told_once(ids)
    assert set(times_received(receipts).values()) == {1}
    assert len(receipts) == len(set(ids)) == COUNT
    here = stored.keys() & set(ids)
    assert here, "the kill came before a decision was stored"
    after = await _decisions(world)
    assert {concern_id: after[concern_id] for concern_id in stored} == stored
    assert {json.loads(stored[concern_id])[1] for concern_id in here} == {version - 1}
    await world.decides_on(version)
    (later,) = await world.publish(1)
    await world.told_once([later])
    found = await _decisions(world)
    assert json.loads(found[later])[1] == version
    bodies = {json.loads(found[concern_id])[0] for concern_id in here}
    assert json.loads(found[later])[0] not in bodies, "the change gives the same decision: it shows nothing"


async def test_intake_accepts_while_the_broker_is_away_and_all_is_delivered_afterwards(world: World) -> None:
    await world.system.kafka.stop()
    ids = await world.publish(COUNT)
    assert len(set(ids)) == COUNT
    await world.system.kafka.start()
    assert set(times_received(await world.told_once(ids)).values()) == {1}


@pytest.mark.soak
async def test_a_minute_without_the_broker_under_load_stops_nothing_but_delivery(world: World) -> None:
    statuses: Counter[int] = Counter()
    started = asyncio.Event()

    async def send(number: int) -> str | None:
        started.set()
        answer = await world.send_once({**ONE_RECIPIENT, "originator_ref": f"away-{number}", "version": 1})
        statuses[answer.status_code] += 1
        return str(answer.json()["concern_id"])

    load = asyncio.create_task(OpenLoop(LOAD_PER_SECOND, LOAD_PER_SECOND * AWAY_SECONDS, send, SystemClock()).run())
    await started.wait()
    await world.system.kafka.stop()
    sent = await load
    await world.system.kafka.start()
    assert statuses == {202: LOAD_PER_SECOND * AWAY_SECONDS}
    ids = [str(s.concern_id) for s in sent]
    assert set(times_received(await world.told_once(ids, seconds=120)).values()) == {1}


async def test_a_log_that_was_lost_is_refilled_from_postgres(world: World) -> None:
    await world.system.terminate("router")
    ids = await world.publish(COUNT)
    await _published(world, ids)
    await world.system.kafka.stop()
    world.system.kafka.wipe_log()
    await world.system.kafka.start()
    await create_topics(world.system.bootstrap)
    await world.restart("router")
    assert set(times_received(await world.told_once(ids, seconds=90)).values()) == {1}


async def test_postgres_killed_and_started_loses_nothing(world: World) -> None:
    publishing = asyncio.create_task(world.publish(COUNT))
    await world.system.kill("postgres")
    await world.system.restart("postgres")
    ids = await publishing
    receipts = await world.told_once(ids)
    assert len(times_received(receipts)) == COUNT


@pytest.mark.parametrize("topic", [CONCERNS, NOTICES])
async def test_the_same_records_again_and_in_another_order_tell_nobody_twice(world: World, topic: Topic) -> None:
    ids = await world.publish(COUNT)
    await world.told_once(ids)
    records = [r for r in await _records(world, topic) if any(i.encode() in r.value for i in ids)]
    await _produce(world, records)
    await _produce(world, records[::-1])
    later = await world.publish(COUNT)
    await world.told_once(later)
    assert set(times_received(await world.told_once(ids)).values()) == {1}


@pytest.mark.parametrize("topic", [CONCERNS, NOTICES, GRAPH])
async def test_a_poison_record_is_parked_and_the_flow_goes_on(world: World, topic: Topic) -> None:
    poison = b'{"specversion":"1.0","type":"nothing.such"}'
    partition = topic.partition_of("poison")
    await _produce(world, [Record(topic.name, n, "poison", poison) for n in {partition, 0}])
    assert set(times_received(await world.told_once(await world.publish(COUNT))).values()) == {1}
    schema = "notifier" if topic is NOTICES else "router"
    await until(lambda: _is_parked(world, schema, topic), seconds=60, what="the record is parked")


async def test_an_amendment_is_withdrawn_from_who_may_no_longer_know_and_a_recall_reaches_all(world: World) -> None:
    both = {**ONE_RECIPIENT, "categories": ["ftp-conduct", "patient-safety"]}
    (concern_id,) = await world.publish(1, concern=both)
    first = {("gmc", "tell", 1), ("nhs-england", "tell", 1)}
    await until(lambda: world.came(concern_id) == first, seconds=60, what="both are told")

    stored = await world.concordat.get("cqc", "intake", f"/v1/concerns/{concern_id}")
    amended = {**ONE_RECIPIENT, "originator_ref": stored["originator_ref"], "version": 2}
    answer = await world.concordat.post("cqc", "intake", f"/v1/concerns/{concern_id}/versions", amended)
    assert answer["version"] == 2
    second = {("gmc", "tell", 2), ("nhs-england", "withdrawal", 1)}
    await until(lambda: world.came(concern_id) == first | second, seconds=60, what="one is told, one must forget")

    await world.concordat.post("cqc", "intake", f"/v1/concerns/{concern_id}/recall", {"reason": "wrong-facts"})
    third = {("gmc", "recall", 1), ("gmc", "recall", 2)}
    await until(lambda: world.came(concern_id) == first | second | third, seconds=60, what="all hear of the recall")

    async def settled() -> bool:
        found = await world.concordat.get("cqc", "intake", f"/v1/concerns/{concern_id}")
        states = {(row["org"], row["kind"], row["version"], row["state"]) for row in found["taken_back"]}
        return found["status"] == "recalled" and states == {
            ("gmc", "recall", 1, "delivered"), ("gmc", "recall", 2, "delivered"),
            ("nhs-england", "withdrawal", 1, "delivered"),
        }  # fmt: skip

    await until(settled, seconds=60, what="the originator sees how far each has come")
    query = f"SELECT count(*) FROM intake.outbox_open WHERE closes_with LIKE '{concern_id}/%'"
    assert await _sql(world, query) == 0


async def test_two_routers_and_two_notifiers_share_the_work(world: World) -> None:
    await world.system.start_service("router", instance=2, extra_env=SHORT_SESSIONS)
    await world.system.start_service("notifier", instance=2, extra_env=SHORT_SESSIONS)
    await until(lambda: _all_have_worked(world), seconds=60, what="all four share the work")
    under_way = asyncio.create_task(world.publish(COUNT * 3))
    await world.system.kill("router-2")
    await world.system.kill("notifier-2")
    ids = [*await under_way, *await world.publish(COUNT)]
    times = times_received(await world.told_once(ids, seconds=90))
    assert len(times) == COUNT * 4
    assert sum(times.values()) - len(times) <= IN_FLIGHT_MAX


async def test_the_rest_of_a_notice_is_given_on_a_clause_in_force_and_on_no_other(world: World) -> None:
    ids = await world.publish(1, concern={**ONE_RECIPIENT, "source": "A nurse."})
    (receipt,) = await world.told_once(ids)
    notice = receipt.event["data"]
    assert "source-identity" in {row["class"] for row in notice["withheld"]}
    path, basis = notice["notice"]["detail"], notice["because"][0]["cite"]
    given = await world.concordat.get("gmc", "notifier", path, basis=basis)
    assert given["withheld"] == notice["withheld"]
    assert given["concern"] == notice["concern"]
    with pytest.raises(Refused) as refused:
        await world.concordat.get("gmc", "notifier", path, basis="no-agreement/c1")
    assert refused.value.status == 409
    with pytest.raises(Refused) as foreign:
        await world.concordat.get("cqc", "notifier", path, basis=basis)
    assert foreign.value.status == 404

    async def is_recorded() -> bool:
        facts = await world.concordat.get("operator", "notifier", "/v1/audit/facts", concern_id=ids[0])
        looks = [fact["data"]["body"]["verdict"] for fact in facts["items"] if fact["data"]["kind"] == "access"]
        return sorted(looks) == ["given", "refused"]

    await until(is_recorded, seconds=60, what="both looks are in the audit log")


async def test_an_agreement_that_has_expired_tells_nobody_and_says_so(world: World) -> None:
    concern = {
        **ONE_RECIPIENT,
        "originator": "ngo",
        "received_at": "2024-05-20T10:00:00Z",
        "categories": ["speak-up"],
        "subjects": [{"kind": "provider"}],
        "sensitivity": [],
    }
    (concern_id,) = await world.publish(1, concern=concern)
    await until(lambda: world.is_decided(concern_id), seconds=60, what="it is decided")
    found = await world.decision(concern_id)
    assert found is not None
    assert found["told"] == []
    assert found["unroutable"] is True
    assert "cqc" in found["not_told"]["gap"]["EXPIRED"]
    queue = await world.concordat.get("operator", "router", "/v1/unroutable")
    assert concern_id in {item["concern_id"] for item in queue["items"]}


async def _all_have_worked(world: World) -> bool:
    """Give them something to do, for two recipients in different lanes, and ask each what it did."""
    await world.told_once(await world.publish(COUNT))
    await world.told_once(await world.publish(COUNT, concern=OTHER_RECIPIENT), org="cqc")
    wanted = [("router", "concerns.routed"), ("notifier", "notices.registered")]
    found = [
        f'concordat_items_total{{outcome="ok",unit="{unit}"}}' in await world.metrics(instance)
        for service, unit in wanted
        for instance in (service, f"{service}-2")
    ]
    return all(found)


async def _is_parked(world: World, schema: str, topic: Topic) -> bool:
    found = await _sql(world, f"SELECT count(*) FROM {schema}.parked_records WHERE topic = '{topic.name}'")
    return found > 0


async def _published(world: World, ids: list[str]) -> None:
    """Wait until intake has marked the concerns as published."""
    names = ",".join(f"'{i}/1'" for i in ids)
    written = f"SELECT event_id FROM intake.outbox WHERE closes_with IN ({names})"
    query = f"SELECT count(*) FROM intake.outbox_unpublished WHERE event_id IN ({written})"

    async def all_marked() -> bool:
        return await _sql(world, query) == 0

    await until(all_marked, seconds=60, what="the concerns are on Kafka")


async def _decisions(world: World) -> dict[str, str]:
    """What is stored for each concern: the digest of the decision's body, the graph's version, its id and round."""
    query = "SELECT json_object_agg(concern_id, json_build_array(body_digest, graph_version, decision_id, round)) "
    found: dict[str, Any] = await _value(world, query + "FROM router.decisions") or {}
    return {concern_id: json.dumps(row) for concern_id, row in found.items()}


async def _sql(world: World, query: str) -> int:
    return int(await _value(world, query))


async def _value(world: World, query: str) -> Any:
    url = world.system.database.url(SUPERUSER).replace("postgresql://", "postgresql+asyncpg://")
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        found = (await connection.execute(text(query))).scalar_one()
    await engine.dispose()
    return found


async def _produce(world: World, records: list[Record]) -> None:
    producer = Producer(bootstrap_servers=world.system.bootstrap, client_id="test", deadline_seconds=10)

    async def published() -> bool:
        try:
            await producer.publish(records)
        except LogUnavailable:
            return False
        return True

    await until(published, seconds=60, what="the records are on Kafka")
    await producer.close()


async def _records(world: World, topic: Topic) -> list[Record]:
    """Everything that lies on a topic."""
    consumer = AIOKafkaConsumer(bootstrap_servers=world.system.bootstrap, enable_auto_commit=False)
    await consumer.start()
    partitions = [TopicPartition(topic.name, n) for n in range(topic.partitions)]
    consumer.assign(partitions)
    await consumer.seek_to_beginning(*partitions)
    ends = await consumer.end_offsets(partitions)
    found: list[Record] = []
    while any([await consumer.position(tp) < ends[tp] for tp in partitions]):
        for tp, records in (await consumer.getmany(timeout_ms=500)).items():
            found += [Record(tp.topic, tp.partition, "again", r.value) for r in records]
    await consumer.stop()
    return found
