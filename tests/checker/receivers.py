"""The checker's own receivers: each request is verified and on the checker's disk before it is answered."""

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.checker.ledger import Ledger
from tests.checker.model import Receipt, now
from tests.checker.signature import Proof, fault_of
from tests.support.waiting import dawdle

RESET, TAKEN = "reset", "204"
STOP_SECONDS = 1.0
SLOW_SECONDS = 0.3
Script = Callable[[], str]
"""How the next request is answered: a status, `reset`, or a status after `slow `."""


@dataclass(slots=True)
class Receivers:
    """One server for all bodies; the last part of the path names the body."""

    ledger: Ledger
    script: Script
    proofs: dict[str, Proof] = field(default_factory=dict)
    port: int = 0
    _runner: web.ServerRunner | None = None

    async def start(self) -> None:
        """Listen on a free port of loopback."""
        self._runner = web.ServerRunner(web.Server(self._handle, access_log=None), shutdown_timeout=STOP_SECONDS)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, backlog=1024).start()
        self.port = self._runner.addresses[0][1]

    async def stop(self) -> None:
        """Let go of the port."""
        if self._runner is not None:
            await self._runner.cleanup()

    def url(self, org: str) -> str:
        """The endpoint of a body."""
        return f"http://127.0.0.1:{self.port}/hooks/{org}"

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "OPTIONS":
            return web.Response(headers={"WebHook-Allowed-Origin": "*", "WebHook-Allowed-Rate": "*"})
        body = await request.read()
        answered = self.script()
        await self.ledger.receipt(self._receipt(request, body, answered))
        if answered == RESET:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        if answered.startswith("slow "):
            await dawdle(SLOW_SECONDS)
        return web.Response(status=int(answered.removeprefix("slow ")))

    def _receipt(self, request: web.BaseRequest, body: bytes, answered: str) -> Receipt:
        at, org = now(), request.path.rpartition("/")[2]
        headers = {name.lower(): value for name, value in request.headers.items()}
        fault = fault_of(self.proofs[org], headers, body, at=at) if org in self.proofs else "nobody of that name"
        event = _event(body)
        said, concern = _part(event, "notice"), _part(event, "concern")
        return Receipt(
            org=org,
            webhook_id=headers.get("webhook-id", ""),
            event_id=str(event.get("id", "")),
            subject=str(event.get("subject", "")),
            key=str(concern.get("originator_ref", "")),
            summary=str(concern.get("summary", "")),
            recipient=str(said.get("recipient", "")),
            digest=hashlib.sha256(body).hexdigest(),
            fault=fault,
            received_at=at,
            answered=answered.removeprefix("slow "),
            stamp=int(stamp) if (stamp := headers.get("webhook-timestamp", "")).isdigit() else 0,
        )


def _event(body: bytes) -> Mapping[str, Any]:
    try:
        event = json.loads(body)
    except ValueError:
        return {}
    return event if isinstance(event, dict) else {}


def _part(event: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    data = event.get("data")
    part = data.get(name) if isinstance(data, dict) else None
    return part if isinstance(part, dict) else {}
