"""The whole system as a test sees it: publish, restart, kill; and a farm of recipients that count what arrives."""

import asyncio
import itertools
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from deploy.cli.demo import credentials_of
from deploy.client import ChangeOnItsWay, Concordat, Refused, Unreachable, carry_to_approval
from deploy.demo.farm import Farm, Receipt
from deploy.demo.run import as_decided
from deploy.local.layout import Layout
from deploy.local.ports import free_port_base
from deploy.local.system import External, LocalSystem
from tests.support.waiting import until

RECIPIENTS = ("gmc", "cqc", "nhs-england", "hse", "local-authorities", "ofsted")
FARM_PORT_OFFSET = 60
RETRY_SECONDS = 0.2
ACCEPT_SECONDS = 120
WORKERS = 4
# The partitions of a process that was killed wait for its session to end: a test need not wait so long.
SHORT_SESSIONS = {f"{name}_KAFKA_SESSION_SECONDS": "2" for name in ("INTAKE", "ROUTER", "NOTIFIER")}
_runs = itertools.count(1)

# CQC finds an unsafe doctor: the GMC is told, and nobody else.
ONE_RECIPIENT: Mapping[str, Any] = {
    "originator": "cqc",
    "summary": "A doctor is unsafe.",
    "marking": "OFFICIAL-SENSITIVE",
    "received_at": "2025-01-06T09:00:00Z",
    "categories": ["ftp-conduct"],
    "subjects": [
        {"kind": "registrant", "registers": ["gmc"], "identifiers": [{"scheme": "gmc-number", "value": "4012345"}]}
    ],
    "nation": "england",
    "setting": "nhs-trust",
    "urgency": "emerging",
    "sensitivity": ["personal_data"],
}

# A GMC visit finds a staffing collapse: CQC is told, and nobody else.
OTHER_RECIPIENT: Mapping[str, Any] = {
    **ONE_RECIPIENT,
    "originator": "gmc",
    "summary": "A ward has too few staff.",
    "categories": ["staffing"],
    "subjects": [{"kind": "provider", "identifiers": [{"scheme": "cqc-provider", "value": "1-1020304050"}]}],
    "sensitivity": [],
}


@dataclass(slots=True)
class World:
    """One running system and its recipients."""

    system: LocalSystem
    concordat: Concordat
    farm: Farm

    async def restart(self, service: str) -> None:
        """Start a service anew, without a fail point, and wait until it is ready."""
        await self.system.restart(service, extra_env=SHORT_SESSIONS)

    async def arm(self, service: str, fail_point: str) -> None:
        """Start a service anew with a fail point; it may be reached before the service is ready."""
        await self.system.terminate(service)
        armed = {f"{service.upper()}_FAIL_POINT": fail_point}
        await self.system.services.spawn(service, {**SHORT_SESSIONS, **armed})

    async def publish(self, count: int, *, concern: Mapping[str, Any] = ONE_RECIPIENT) -> list[str]:
        """Publish that many new concerns as a client that never gives up: the same key until a 202. Gives their ids."""
        run = next(_runs)
        new = [_numbered(concern, run, number) for number in range(count)]
        workers = asyncio.Semaphore(WORKERS)  # few, so that there are many batches to be killed in

        async def one(concern: Mapping[str, Any]) -> str:
            async with workers:
                return await self._until_accepted(concern)

        return list(await asyncio.gather(*map(one, new)))

    async def told_once(self, concern_ids: Sequence[str], *, org: str = "gmc", seconds: float = 60) -> list[Receipt]:
        """Wait until each concern has reached the body; gives every receipt of them."""
        wanted = set(concern_ids)
        await until(lambda: wanted <= self._reached(org), seconds=seconds, what=f"every concern reaches {org}")
        return [r for r in self.farm.receipts() if r.event["subject"] in wanted]

    async def send_once(self, concern: Mapping[str, Any]) -> httpx.Response:
        """One request, whatever becomes of it."""
        headers = await self.concordat.authorization(str(concern["originator"]))
        return await self.concordat.http.post(
            self.concordat.urls["intake"] + "/v1/concerns", json=dict(concern), headers=headers
        )

    async def decision(self, concern_id: str) -> dict[str, Any] | None:
        """The operator's view of a decision, as soon as there is one."""
        try:
            return as_decided(await self.concordat.get("operator", "router", f"/v1/decisions/{concern_id}"))
        except Refused:
            return None

    async def is_decided(self, concern_id: str) -> bool:
        """Whether there is a decision on it."""
        return await self.decision(concern_id) is not None

    def came(self, concern_id: str) -> set[tuple[str, str, int]]:
        """Who got which kind of notice of which version, each once; a forged one counts as another."""
        receipts = [receipt for receipt in self.farm.receipts() if receipt.event["subject"] == concern_id]
        assert set(times_received(receipts).values()) <= {1}
        about = [(receipt, receipt.event["data"]["notice"]) for receipt in receipts]
        return {(row.org if row.signature_ok else "forged", said["kind"], said["version"]) for row, said in about}

    async def post_as(
        self, who: str, path: str, body: Mapping[str, Any], *, approver: str | None = None
    ) -> httpx.Response:
        """Ask the router for an act, with the token of a second person where it needs one."""
        headers = await self.concordat.authorization(who)
        if approver:
            headers |= {"Approver-Authorization": (await self.concordat.authorization(approver))["Authorization"]}
        return await self.concordat.http.post(self.concordat.urls["router"] + path, json=dict(body), headers=headers)

    async def approved_change(self) -> ChangeOnItsWay:
        """A change that gives every decision on an emerging concern other duties; it is only to be scheduled."""
        graph = await self.concordat.get("operator", "registry", "/v1/graph")
        policy = next(row for row in graph["objects"] if row["kind"] == "policy")
        days = policy["acknowledge"]["emerging"]["amount"]
        limits = {**policy["acknowledge"], "emerging": {"amount": 5 - days, "unit": "working_days"}}
        title = {"title": "Other limits", "reason": "between two decisions", "parent_version": graph["version"]}
        return await carry_to_approval(self.concordat, {**title, "objects": [{**policy, "acknowledge": limits}]})

    async def decides_on(self, version: int) -> None:
        """Wait until the router decides on that graph."""

        async def there() -> bool:
            try:
                head = await self.concordat.get("operator", "router", "/v1/graph/head")
            except Refused:
                return False
            return int(head["version"]) >= version

        await until(there, seconds=30, what=f"the router decides on graph {version}")

    async def metrics(self, label: str) -> str:
        """The metrics of one instance of a service, as text."""
        return (await self.concordat.http.get(self.system.urls[label] + "/metrics")).text

    async def _until_accepted(self, concern: Mapping[str, Any]) -> str:
        ids: list[str] = []

        async def accepted() -> bool:
            try:
                answer = await self.send_once(concern)
            except (httpx.TransportError, Unreachable):
                return False
            assert answer.status_code in (202, 503), answer.text
            if answer.status_code == 202:
                ids.append(answer.json()["concern_id"])
            return bool(ids)

        await until(accepted, seconds=ACCEPT_SECONDS, what="a concern is accepted", every_seconds=RETRY_SECONDS)
        return ids[0]

    def _reached(self, org: str) -> set[str]:
        return {r.event["subject"] for r in self.farm.receipts() if r.org == org and r.signature_ok}


def _numbered(concern: Mapping[str, Any], run: int, number: int) -> dict[str, Any]:
    """The concern under a reference of its own, about a subject of its own, so that all partitions have work."""
    first, *others = concern["subjects"]
    identifiers = [{**row, "value": f"{row['value'][:-4]}{number:04d}"} for row in first.get("identifiers", ())]
    subjects = [{**first, "identifiers": identifiers}, *others]
    return {**concern, "originator_ref": f"run{run}-{number}", "version": 1, "subjects": subjects}


def times_received(receipts: Sequence[Receipt]) -> Counter[str]:
    """How often each notice arrived."""
    return Counter(receipt.webhook_id for receipt in receipts)


@asynccontextmanager
async def a_world(folder: Path, *, external: External | None = None) -> AsyncIterator[World]:
    """Start everything in the folder, but for engines that are there already; end everything."""
    layout = Layout(folder, free_port_base())
    async with LocalSystem(layout, external=external) as system:
        await system.start_engines()
        await system.start_services(extra_env=SHORT_SESSIONS)
        concordat = Concordat(system.urls, credentials_of(system.credentials))
        farm = Farm(layout.data_dir / "receivers", layout.port_base + FARM_PORT_OFFSET, concordat)
        try:
            await farm.start([list(RECIPIENTS)])
            yield World(system, concordat, farm)
        finally:
            await farm.stop()
            await concordat.close()
