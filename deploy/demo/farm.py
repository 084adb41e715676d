"""The recipients of the demo: a verifying receiver process for each body, each with its own endpoint and secret."""

import base64
import json
import sys
from collections.abc import Iterable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx

from deploy.client import Concordat
from deploy.local.files import write_private
from deploy.local.process import Child, Command
from deploy.local.waiting import eventually, together

READY_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Receipt:
    """One request as its receiver wrote it down before it answered; `event` is the verified body."""

    org: str
    received_at: datetime
    webhook_id: str
    signature_ok: bool
    body: bytes

    @property
    def event(self) -> dict[str, Any]:
        """The CloudEvent that came."""
        parsed: dict[str, Any] = json.loads(self.body)
        return parsed


@dataclass(slots=True)
class Farm:
    """The receivers of some bodies; `concordat` registers their endpoints."""

    folder: Path
    port_base: int
    concordat: Concordat
    ports: dict[str, int] = field(default_factory=dict)
    _children: list[Child] = field(default_factory=list)

    async def start(self, groups: Sequence[Sequence[str]]) -> None:
        """Register an endpoint for each body and start one receiver process per group of bodies."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for number, group in enumerate(groups):
            self.ports |= dict.fromkeys(group, self.port_base + number)
            secrets = {org: await self._register(org) for org in group}
            self._children.append(await self._receiver(self.port_base + number, secrets))
        await together(
            *(_answers(child, self.ports[group[0]]) for child, group in zip(self._children, groups, strict=True))
        )

    async def stop(self) -> None:
        """End every receiver."""
        async with AsyncExitStack() as ending:
            for child in self._children:
                ending.push_async_callback(child.stop)

    def receipts(self) -> list[Receipt]:
        """Everything that any receiver has written down, in no order; a line that is being written is not there yet."""
        files = sorted(self.folder.glob("*.jsonl"))
        lines = (line for file in files for line in file.read_bytes().rpartition(b"\n")[0].splitlines())
        return [_receipt(json.loads(line)) for line in lines]

    async def _register(self, org: str) -> str:
        kept = self.folder / f"{org}.secret"
        if not kept.exists():
            url = f"http://127.0.0.1:{self.ports[org]}/hooks/{org}"
            made = await self.concordat.post(org, "notifier", "/v1/endpoints", {"url": url})
            write_private(kept, made["secret"].encode())
        return kept.read_text()

    async def _receiver(self, port: int, secrets: dict[str, str]) -> Child:
        file = self.folder / f"{port}.secrets.json"
        write_private(file, json.dumps(secrets).encode())
        arguments = (
            "--port",
            str(port),
            "--secret-file",
            str(file),
            "--out",
            str(self.folder / f"{port}.jsonl"),
            "--json",
        )
        argv = (sys.executable, "-m", "deploy.cli.main", "receiver", *arguments)
        return await Child.start(Command(f"receiver-{port}", argv, self.folder / f"{port}.log"))


async def _answers(child: Child, port: int) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:

        async def alive() -> bool:
            try:
                return (await client.get(f"http://127.0.0.1:{port}/healthz")).is_success
            except httpx.TransportError:
                return False

        what = f"the receiver on port {port} answers"
        await eventually(alive, seconds=READY_SECONDS, what=what, log=child.command.log)


def _receipt(line: dict[str, Any]) -> Receipt:
    return Receipt(
        org=line["path"].rsplit("/", 1)[-1],
        received_at=datetime.fromisoformat(line["received_at"]),
        webhook_id=line["webhook_id"],
        signature_ok=line["signature_ok"],
        body=base64.b64decode(line["body"]),
    )


def one_each(bodies: Iterable[str], others: Iterable[str]) -> list[list[str]]:
    """A group of its own for each of the bodies, and one for all the others."""
    alone = sorted(set(bodies))
    rest = sorted(set(others) - set(alone))
    return [[org] for org in alone] + ([rest] if rest else [])
