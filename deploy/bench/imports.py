"""A large graph through the running system, as an editor would bring it: a change that is filled in parts over HTTP.

Each step is taken by another client of the registry; then the router reads the graph whole, and hears of single commits
over the topic. It is the last thing that a benchmark does: the system keeps the graph.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from http import HTTPStatus

import httpx
import orjson
import psutil

from deploy.bench.graphs import LARGE, synthetic
from deploy.bench.rows import Row
from deploy.client import APPROVERS, EDITOR, REVIEWER, Concordat, Refused
from deploy.local.system import LocalSystem
from deploy.local.waiting import until
from services.registry.domain.change_rules import required_signatures
from services.registry.domain.model import GraphObject
from shared.agreements.days import civil_day
from shared.canonical import canonical
from shared.clock import SystemClock
from shared.ids import new_id
from shared.parts import in_parts

IMPORT_SECONDS, VISIBLE_SECONDS, STALL_SECONDS = 60, 1, 0.5
ADOPT_SECONDS_MAX = 180.0
STEP_SECONDS_MAX = 300.0
PART_BYTES_MAX = 7_000_000
PART_OBJECTS_MAX = 20_000
SIGNATURES_PART = 20_000
COMMITS = 5
TICK_SECONDS = 0.02
EVIDENCE = "bench: made for measuring, nobody signed"


@dataclass(slots=True)
class Pulse:
    """What a service shows while it works: the longest that it kept a small request waiting, and its memory."""

    longest_seconds: float = 0.0
    memory_mb: float = 0.0


@asynccontextmanager
async def pulse(url: str, pid: int) -> AsyncIterator[Pulse]:
    """Asks `/healthz` again and again meanwhile."""
    found, process = Pulse(), psutil.Process(pid)

    async def beat(http: httpx.AsyncClient) -> None:
        while True:
            began = time.perf_counter()
            await http.get(f"{url}/healthz")
            found.longest_seconds = max(found.longest_seconds, time.perf_counter() - began)
            found.memory_mb = max(found.memory_mb, process.memory_info().rss / 2**20)
            await asyncio.sleep(TICK_SECONDS)

    async with httpx.AsyncClient(timeout=STEP_SECONDS_MAX, trust_env=False) as http:
        beating = asyncio.create_task(beat(http))
        try:
            yield found
        finally:
            beating.cancel()
            await asyncio.gather(beating, return_exceptions=True)


@dataclass(slots=True)
class Carrier:
    """A change on its way, each step on top of the one before, and the seconds that the steps of each name took."""

    concordat: Concordat
    seconds: dict[str, float] = field(default_factory=dict)
    path: str = "/v1/changes"
    tag: str = ""

    async def step(self, org: str, name: str, body: bytes) -> dict[str, object]:
        """Take a step; the first drafts the change. Raises Refused, Unreachable."""
        own = {"If-Match": self.tag} if self.tag else {"Idempotency-Key": new_id("key")}
        headers = {**await self.concordat.authorization(org), **own, "Content-Type": "application/json"}
        url = self.concordat.urls["registry"] + (f"{self.path}/{name}" if self.tag else self.path)
        began = time.perf_counter()
        sending = self.concordat.http.post(url, content=body, headers=headers, timeout=STEP_SECONDS_MAX)
        answer = await self.concordat.sent(sending)
        if answer.is_error:
            raise Refused(answer)
        self.seconds[name] = self.seconds.get(name, 0) + time.perf_counter() - began
        self.tag, self.path = answer.headers["etag"], answer.headers["location"]
        shown: dict[str, object] = orjson.loads(answer.content)
        return shown

    async def carry(self, parts: Sequence[bytes], signatures: Sequence[bytes]) -> int:
        """From the first part to the commit; gives its version."""
        await self.prepare(parts, signatures)
        return await self.schedule()

    async def schedule(self) -> int:
        """Commit it; gives the version."""
        return int(str((await self.step(EDITOR, "schedule", b"{}"))["version"]))

    async def prepare(self, parts: Sequence[bytes], signatures: Sequence[bytes]) -> None:
        """From the first part to the last signature."""
        for number, part in enumerate(parts):
            await self.step(EDITOR, "objects" if number else "draft", part)
        await self.step(REVIEWER, "review", b"{}")
        assessed = await self.step(EDITOR, "assessment", b"{}")
        difference = orjson.dumps({"difference": _difference(assessed)})
        for approver in APPROVERS:
            await self.step(approver, "approval", difference)
        for some in signatures:
            await self.step(EDITOR, "signatures", some)


def _difference(assessed: dict[str, object]) -> str:
    found = assessed["assessment"]
    if not isinstance(found, dict) or not found["passes"]:
        raise RuntimeError(f"the graph does not pass: {found}")
    return str(found["difference"])


def parts_of(bodies: Sequence[bytes], parent_version: int) -> Iterator[bytes]:
    """The bodies of the requests that propose these canonical objects; the first drafts the change."""
    said = {"title": "A large graph", "reason": "A graph to measure with", "parent_version": parent_version}
    groups = list(in_parts(bodies, len, size_max=PART_BYTES_MAX, count_max=PART_OBJECTS_MAX))
    for number, group in enumerate(groups, 1):
        head = canonical({**(said if number == 1 else {}), "more": number < len(groups)})
        yield head[:-1] + b',"objects":[' + b",".join(group) + b"]}"


def signatures_of(bodies: Sequence[bytes], day: date) -> Iterator[bytes]:
    """The bodies of the requests that record every signature under the agreements among these objects."""
    agreements = (GraphObject("agreement", row["id"], body) for body in bodies if (row := _agreement(body)))
    needed = [signature._asdict() for signature in sorted(required_signatures((), agreements, day))]
    for first in range(0, len(needed), SIGNATURES_PART):
        yield orjson.dumps({"signatures": needed[first : first + SIGNATURES_PART], "evidence": EVIDENCE})


def _agreement(body: bytes) -> dict[str, str] | None:
    row: dict[str, str] = orjson.loads(body)
    return row if row["kind"] == "agreement" else None


async def import_rows(system: LocalSystem, concordat: Concordat) -> list[Row]:
    """Import the large graph into a system that runs, then commit single changes."""
    standing = {canonical(row) for row in (await concordat.get(EDITOR, "registry", "/v1/graph"))["objects"]}
    bodies = [body for row in synthetic(LARGE) if (body := canonical(row)) not in standing]
    head = await concordat.get(EDITOR, "registry", "/v1/graph/commits", after=0)
    parts = list(parts_of(bodies, int(head["next"])))
    day = civil_day(SystemClock().now())
    signatures = list(signatures_of(bodies, day))
    carrier = Carrier(concordat)
    async with pulse(concordat.urls["registry"], system.pids["registry"]) as beats:
        began = time.perf_counter()
        version = await carrier.carry(parts, signatures)
        total = time.perf_counter() - began
    adopt_seconds = await _in_router(concordat, version)
    timed = [body for body in bodies if body.startswith(b'{"binding"') and b'"pact-' in body][:COMMITS]
    visible = [await _visible(concordat, body, version + number, day) for number, body in enumerate(timed)]
    return [
        Row("import: first part to commit", total, "s", IMPORT_SECONDS),
        *(Row(f"import: {name}", seconds, "s") for name, seconds in carrier.seconds.items()),
        Row("import: registry kept one waiting", beats.longest_seconds, "s", STALL_SECONDS),
        Row("import: memory, registry, at most", beats.memory_mb, "MB"),
        Row("import: then in the router", adopt_seconds, "s"),
        Row("graph: a commit in the router", statistics.median(visible), "s", VISIBLE_SECONDS),
    ]


async def _visible(concordat: Concordat, body: bytes, version: int, day: date) -> float:
    """Seconds from the request that commits a changed agreement until a running router decides on it."""
    changed = canonical({**orjson.loads(body), "title": f"Changed after version {version}"})
    carrier = Carrier(concordat)
    await carrier.prepare(list(parts_of([changed], version)), list(signatures_of([changed], day)))
    began = time.perf_counter()
    await _in_router(concordat, await carrier.schedule())
    return time.perf_counter() - began


async def _in_router(concordat: Concordat, version: int) -> float:
    began = time.perf_counter()

    async def there() -> bool:
        try:
            head = await concordat.get("operator", "router", "/v1/graph/head")
        except Refused as refused:
            if refused.status != HTTPStatus.SERVICE_UNAVAILABLE:
                raise
            return False  # it knows of a newer graph than it has
        return int(head["version"]) >= version

    await until(there, seconds=ADOPT_SECONDS_MAX)
    return time.perf_counter() - began
