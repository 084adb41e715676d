"""What one router does by itself: concerns lie ready on Kafka, and one process decides, stores and publishes them.

The concerns came through intake once, so that they are sealed and as large as others; each is told to three bodies.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from deploy.bench.rows import Row
from deploy.bench.usage import usage_of
from deploy.client import Concordat
from deploy.local.system import LocalSystem
from deploy.local.waiting import until
from shared.contracts.topics import CONCERNS
from shared.ids import new_id
from shared.kafka.producer import Producer, Record

FAN_OUT = 3
COUNT = 12_000
WARM = 2_000
PUBLISHED_AT_ONCE = 1_000
SECONDS_MAX = 300.0
BUDGET_PER_SECOND = 3_000
ANEW = {"ROUTER_MEMO_BYTES_MAX": "0"}
"""Remembers one decision alone, and no concern is like the one before it."""
ORIGINATOR = "cqc"
CATEGORIES = ("service-closure", "work-related-death")
SETTINGS = ("nhs-trust", "independent-hospital")
URGENCIES = ("emerging", "urgent", "immediate")

_TEMPLATES = text("SELECT value FROM intake.outbox WHERE topic = :topic")
_TAKEN = text("SELECT coalesce(sum(next_offset), 0) FROM router.positions WHERE topic = :topic")
_FAN_OUT = text("SELECT (SELECT count(*) FROM router.notices)::float / (SELECT count(*) FROM router.decisions)")


@dataclass(frozen=True, slots=True)
class Mark:
    """How many concerns a router had taken at a moment, and what it had used by then."""

    taken: int
    at: float
    cpu_seconds: float


@dataclass(frozen=True, slots=True)
class RouterAlone:
    """A system whose router can be stopped and started, and the concerns that it is given again and again."""

    system: LocalSystem
    superuser: AsyncEngine
    templates: Sequence[dict[str, Any]]

    async def rows(self) -> list[Row]:
        """The figures with decisions remembered, as they are, and with each taken anew."""
        first, last = await self._measured({})
        rows = [
            Row("router alone, fan-out 3, stored", _rate(first, last), "concerns/s", BUDGET_PER_SECOND, at_least=True),
            Row("router alone, CPU per concern", _cpu_ms(first, last), "ms"),
        ]
        first, last = await self._measured(ANEW)
        rows += [
            Row("router alone, each decided anew", _rate(first, last), "concerns/s"),
            Row("router alone, CPU, decided anew", _cpu_ms(first, last), "ms"),
        ]
        await self._check()
        return rows

    async def _measured(self, extra_env: Mapping[str, str]) -> tuple[Mark, Mark]:
        """From when it is under way until it has taken all that lay ready."""
        await self._preload()
        before = await self._taken()
        await self.system.services.spawn("router", extra_env)
        first = await self._mark(before + WARM)
        last = await self._mark(before + COUNT)
        await self.system.terminate("router")
        return first, last

    async def _preload(self) -> None:
        producer = Producer(bootstrap_servers=self.system.bootstrap, client_id="bench", deadline_seconds=60)
        records = (_record(template) for template in itertools.cycle(self.templates))
        for _ in range(0, COUNT, PUBLISHED_AT_ONCE):
            await producer.publish(list(itertools.islice(records, PUBLISHED_AT_ONCE)))
        await producer.close()

    async def _mark(self, wanted: int) -> Mark:
        async def there() -> bool:
            return await self._taken() >= wanted

        await until(there, seconds=SECONDS_MAX)
        taken, pids = await self._taken(), {"router": self.system.pids["router"]}
        return Mark(taken, time.perf_counter(), usage_of(pids).cpu_seconds["router"])

    async def _taken(self) -> int:
        return int(await _value(self.superuser, _TAKEN, topic=CONCERNS.name))

    async def _check(self) -> None:
        found = await _value(self.superuser, _FAN_OUT)
        if found != FAN_OUT:
            raise RuntimeError(f"each concern was to be told to {FAN_OUT} bodies, and was told to {found}")


async def routing_rows(system: LocalSystem, concordat: Concordat, superuser: AsyncEngine) -> list[Row]:
    """Measure the router of a system that has just been started; who would hear what it decides is stopped."""
    await system.terminate("router")
    for concern in _concerns():
        await concordat.post(ORIGINATOR, "intake", "/v1/concerns", concern)
    await system.terminate("intake")
    async with superuser.connect() as connection:
        found = (await connection.execute(_TEMPLATES, {"topic": CONCERNS.name})).scalars()
        templates = [orjson.loads(bytes(value)) for value in found]
    return await RouterAlone(system, superuser, templates).rows()


def _concerns() -> Iterator[dict[str, Any]]:
    """A service that closes, and a death at work: each to three bodies, and no body misses it that should know."""
    kinds = itertools.product(CATEGORIES, SETTINGS, URGENCIES)
    for number, (category, setting, urgency) in enumerate(kinds):
        provider = {"scheme": "cqc-provider", "value": f"1-10203040{number:02d}"}
        yield {
            "originator": ORIGINATOR,
            "originator_ref": f"bench-{number}",
            "version": 1,
            "received_at": "2025-03-10T09:30:00Z",
            "summary": "Something has happened at a provider of care.",
            "marking": "OFFICIAL-SENSITIVE",
            "categories": [category],
            "subjects": [{"kind": "provider", "name": "A provider of care", "identifiers": [provider]}],
            "nation": "england",
            "setting": setting,
            "provider_status": "registered",
            "urgency": urgency,
            "sensitivity": ["personal_data"],
        }


def _record(template: Mapping[str, Any]) -> Record:
    """The concern once more, as another one."""
    concern_id = new_id("con")
    data = {**template["data"], "concern_id": concern_id}
    event = {**template, "id": new_id("evt"), "subject": concern_id, "data": data}
    return Record(CONCERNS.name, CONCERNS.partition_of(concern_id), concern_id, orjson.dumps(event))


def _rate(first: Mark, last: Mark) -> float:
    return (last.taken - first.taken) / (last.at - first.at)


def _cpu_ms(first: Mark, last: Mark) -> float:
    return (last.cpu_seconds - first.cpu_seconds) * 1000 / (last.taken - first.taken)


async def _value(engine: AsyncEngine, statement: Any, **parameters: object) -> Any:
    async with engine.connect() as connection:
        return (await connection.execute(statement, parameters)).scalar_one()
