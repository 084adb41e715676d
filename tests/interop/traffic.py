"""A real system tells two recipients, one on the library of PyPI and one on that of npm; all that was sent is kept."""

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web
from aiokafka import AIOKafkaConsumer, TopicPartition
from jwcrypto.jwk import JWK
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from deploy.cli.demo import credentials_of
from deploy.client import Concordat
from deploy.local.layout import Layout
from deploy.local.ports import free_port_base
from deploy.local.process import Child, Command
from deploy.local.system import LocalSystem
from shared.contracts.topics import ALL
from tests.interop.features import Message
from tests.interop.libraries import NPM
from tests.support.waiting import until
from tests.support.world import ONE_RECIPIENT, OTHER_RECIPIENT

ORGS = {"gmc": ONE_RECIPIENT, "cqc": OTHER_RECIPIENT}
"""Who is told, and the concern of which it is the one recipient."""
OWN_KEY = JWK.generate(kty="OKP", crv="X25519")
"""Of both recipients, made by the library that reads what is encrypted to it."""
OTHER_SECRET = "whsec_" + base64.b64encode(b"somebody else's secret, not ours").decode()


@dataclass(frozen=True, slots=True)
class Delivery:
    """A request as its receiver had it; `refused` is its library's verdict, by which it answered 204 or 401."""

    headers: Mapping[str, str]
    body: bytes
    refused: str

    @property
    def message(self) -> Message:
        """For a reader of CloudEvents."""
        return Message(self.headers, self.body)


@dataclass(slots=True)
class Receiver:
    """Of one organisation: the file of its secret, and what it has received so far."""

    url: str
    secret_file: Path
    log: Path
    keys: list[dict[str, str]] = field(default_factory=list)

    @property
    def deliveries(self) -> list[Delivery]:
        """In the order of their arrival."""
        lines = self.log.read_bytes().rpartition(b"\n")[0].splitlines() if self.log.exists() else []
        found = [json.loads(line) for line in lines]
        return [Delivery(d["headers"], base64.b64decode(d["body"]), d["refused"]) for d in found if "body" in d]

    def about(self, concern_id: str) -> Delivery | None:
        """The first that came about a concern."""
        return next((d for d in self.deliveries if json.loads(d.body)["subject"] == concern_id), None)


@dataclass(slots=True)
class Traffic:
    """What was sent: to each receiver before, during and with the overlap of two keys; and all records of Kafka."""

    receivers: Mapping[str, Receiver]
    first: dict[str, Delivery] = field(default_factory=dict)
    encrypted: dict[str, Delivery] = field(default_factory=dict)
    overlapping: dict[str, Delivery] = field(default_factory=dict)
    refused: dict[str, Delivery] = field(default_factory=dict)
    refused_statuses: dict[str, list[int | None]] = field(default_factory=dict)
    accepted: dict[str, int] = field(default_factory=dict)
    records: list[Message] = field(default_factory=list)

    @property
    def deliveries(self) -> list[Delivery]:
        """All of them."""
        return [delivery for receiver in self.receivers.values() for delivery in receiver.deliveries]


@asynccontextmanager
async def pypi_receiver(folder: Path) -> AsyncIterator[Receiver]:
    """A recipient on the package of PyPI, on a free port of loopback."""
    secret_file, log = folder / "pypi.secret", folder / "pypi.jsonl"

    async def handle(request: web.Request) -> web.Response:
        body, refused = await request.read(), ""
        try:
            Webhook(secret_file.read_text()).verify(body, dict(request.headers))
        except WebhookVerificationError as fault:
            refused = str(fault)
        headers = {name.lower(): value for name, value in request.headers.items()}
        line = {"headers": headers, "body": base64.b64encode(body).decode(), "refused": refused}
        with log.open("a") as file:
            file.write(json.dumps(line) + "\n")
        return web.Response(status=401 if refused else 204)

    app = web.Application()
    app.router.add_route("*", "/", handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield Receiver(f"http://127.0.0.1:{runner.addresses[0][1]}/", secret_file, log)
    finally:
        await runner.cleanup()


@asynccontextmanager
async def npm_receiver(folder: Path) -> AsyncIterator[Receiver]:
    """A recipient on the package of npm, a process of its own."""
    secret_file, log = folder / "npm.secret", folder / "npm.jsonl"
    argv = ("node", str(NPM / "receiver.mjs"), str(secret_file))
    child = await Child.start(Command("npm-receiver", argv, log))
    try:
        await until(lambda: b"\n" in log.read_bytes(), seconds=20, what="the receiver says its port")
        port = json.loads(log.read_text().splitlines()[0])["port"]
        yield Receiver(f"http://127.0.0.1:{port}/", secret_file, log)
    finally:
        await child.stop()


@asynccontextmanager
async def a_system(folder: Path) -> AsyncIterator[tuple[LocalSystem, Concordat]]:
    """Engines and services, and a client of them."""
    async with LocalSystem(Layout(folder, free_port_base())) as system:
        await system.start_engines()
        await system.start_services()
        concordat = Concordat(system.urls, credentials_of(system.credentials))
        try:
            yield system, concordat
        finally:
            await concordat.close()


@dataclass(slots=True)
class Play:
    """The course of events, once: tell, change the keys and tell, take a wrong secret and be told."""

    concordat: Concordat
    traffic: Traffic

    async def run(self) -> None:
        """All of it, for both recipients; each has its first endpoint."""
        for org, receiver in self.traffic.receivers.items():
            self._keys(org, await self.concordat.post(org, "notifier", "/v1/endpoints", {"url": receiver.url}))
            receiver.secret_file.write_text(receiver.keys[0]["secret"])
        self.traffic.first = {org: await self._told(org, "application/json") for org in ORGS}
        for org in ORGS:
            (endpoint,) = (await self.concordat.get(org, "notifier", "/v1/endpoints"))["items"]
            path = f"/v1/endpoints/{endpoint['endpoint_id']}/rotation"
            self._keys(org, await self.concordat.post(org, "notifier", path, {}))
        self.traffic.overlapping = {org: await self._told(org, "application/cloudevents+json") for org in ORGS}
        for org in ORGS:
            await self._encrypt_to(org, OWN_KEY.export_public(as_dict=True))
            self.traffic.encrypted[org] = await self._told(org, "application/json", "encrypted")
            await self._encrypt_to(org, None)
        for org, receiver in self.traffic.receivers.items():
            receiver.secret_file.write_text(OTHER_SECRET)
            self.traffic.refused[org] = await self._told(org, "application/cloudevents+json; charset=utf-8")
            await until(partial(self._is_written, org), seconds=20, what="the refusal is written down")

    def _keys(self, org: str, made: Mapping[str, Any]) -> None:
        kept = {name: str(made[name]) for name in ("secret", "public_key")}
        self.traffic.receivers[org].keys.append(kept)

    async def _encrypt_to(self, org: str, key: object) -> None:
        (endpoint,) = (await self.concordat.get(org, "notifier", "/v1/endpoints"))["items"]
        url = f"{self.concordat.urls['notifier']}/v1/endpoints/{endpoint['endpoint_id']}/encryption-key"
        headers = await self.concordat.authorization(org)
        (await self.concordat.http.put(url, json={"encryption_key": key}, headers=headers)).raise_for_status()

    async def _told(self, org: str, content_type: str, about: str = "") -> Delivery:
        """Submit a concern of which this body is told, as one media type; gives what arrives."""
        receiver = self.traffic.receivers[org]
        body, headers = self._concern(org, content_type, about)
        headers |= await self.concordat.authorization(str(ORGS[org]["originator"]))
        url = self.concordat.urls["intake"] + "/v1/concerns"
        answer = await self.concordat.http.post(url, content=body, headers=headers)
        self.traffic.accepted[content_type] = answer.status_code
        concern_id = str(answer.json()["concern_id"])
        await until(lambda: receiver.about(concern_id) is not None, seconds=30, what=f"{org} is told")
        found = receiver.about(concern_id)
        assert found is not None
        return found

    def _concern(self, org: str, content_type: str, about: str) -> tuple[bytes, dict[str, str]]:
        reference = (
            f"{org} {content_type} {about}".strip()
            .replace("/", ".")
            .replace(";", "")
            .replace("=", ".")
            .replace(" ", "-")
        )
        concern = {**ORGS[org], "originator_ref": reference, "version": 1}
        headers = {"content-type": content_type}
        if content_type == "application/json":
            return json.dumps(concern).encode(), headers
        event = {
            "specversion": "1.0",
            "id": reference,
            "source": "/case-system",
            "type": "uk.concordat.concern.submitted.v1",
            "time": "2025-01-06T09:00:00Z",
            "datacontenttype": "application/json",
            "data": concern,
        }
        return json.dumps(event).encode(), headers

    async def _is_written(self, org: str) -> bool:
        notice_id = self.traffic.refused[org].headers["webhook-id"]
        notice = await self.concordat.get(org, "notifier", f"/v1/notices/{notice_id}")
        self.traffic.refused_statuses[org] = [attempt["status"] for attempt in notice["attempts"]]
        return bool(notice["attempts"])


async def records_of(bootstrap: str) -> list[Message]:
    """All records in all topics, with their headers."""
    consumer = AIOKafkaConsumer(bootstrap_servers=bootstrap, group_id=None, enable_auto_commit=False)
    await consumer.start()
    try:
        partitions = [TopicPartition(topic.name, number) for topic in ALL for number in range(topic.partitions)]
        ends = await consumer.end_offsets(partitions)
        left = {partition for partition, end in ends.items() if end}
        consumer.assign(partitions)
        await consumer.seek_to_beginning(*partitions)
        found: list[Message] = []
        while left:
            for partition, records in (await consumer.getmany(timeout_ms=1000)).items():
                found += [Message({k: v.decode() for k, v in r.headers}, r.value) for r in records]
                if records[-1].offset + 1 >= ends[partition]:
                    left.discard(partition)
        return found
    finally:
        await consumer.stop()
