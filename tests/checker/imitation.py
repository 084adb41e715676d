"""An imitation of the whole system in one process: its HTTP face alone, honest, and with seams for planted bugs.

Each method that a bug may replace does one thing that the system promises.
"""

import asyncio
import base64
import contextlib
import hashlib
import hmac
import itertools
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import aiohttp
from aiohttp import web

from tests.checker.model import now
from tests.support.waiting import dawdle

RETRY_SECONDS, AWAY_SECONDS, UNWRITTEN_SECONDS = 0.02, 0.05, 0.005
TELLS = {"ftp-conduct": "gmc", "staffing": "cqc", "patient-safety": "nhs-england"}
Json = dict[str, Any]


def stamp(at: float = 0.0) -> str:
    """A moment, or now, as the system writes it."""
    return datetime.fromtimestamp(at or now(), UTC).isoformat().replace("+00:00", "Z")


@dataclass(slots=True)
class Taken:
    """A concern as it was taken."""

    concern_id: str
    form: Json
    accepted_at: str = field(default_factory=stamp)
    decided: list[str] | None = None
    facts: list[Json] = field(default_factory=list)


@dataclass(slots=True)
class Owed:
    """A notice: its bytes are made once."""

    notice_id: str
    taken: Taken
    recipient: str
    body: bytes
    state: str = "pending"
    registered_at: str = field(default_factory=stamp)
    attempts: list[Json] = field(default_factory=list)
    began_at: float = 0.0

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


class Imitation:
    """An honest system; what goes wrong in others is a subclass of it."""

    def __init__(self) -> None:
        self.numbers = itertools.count(1)
        self.taken: dict[str, Taken] = {}
        self.owed: dict[str, Owed] = {}
        self.urls: dict[str, str] = {}
        self.tasks: set[asyncio.Task[None]] = set()
        self.sending: dict[str, asyncio.Task[None]] = {}
        self.down = False
        self.session = aiohttp.ClientSession()

    # What happens to a concern.
    async def accept(self, key: str, form: Json) -> tuple[int, Json, bool]:
        """The answer to a submission: status, body, whether it is a repeat."""
        if not self.is_right(form):
            return 422, {}, False
        before = self.taken.get(key)
        if before is None:
            before = self.taken[key] = Taken(self.new_id("con"), form)
            self.record(before, "concern-received")
            self.go_on(self.route(before))
            return 202, {"concern_id": before.concern_id}, False
        return (202, {"concern_id": before.concern_id}, True) if before.form == form else (409, {}, False)

    def is_right(self, form: Json) -> bool:
        return isinstance(form.get("nation"), str)

    async def route(self, taken: Taken) -> None:
        taken.decided = self.recipients(taken.form)
        self.record(taken, "decision")
        for org in taken.decided:
            self.issue(taken, org)

    def recipients(self, form: Json) -> list[str]:
        return [TELLS[category] for category in form["categories"]]

    def issue(self, taken: Taken, org: str) -> None:
        notice_id = self.new_id("ntc")
        notice = Owed(notice_id, taken, org, self.body(notice_id, taken, org))
        self.owed[notice_id] = notice
        self.send(notice)

    def body(self, notice_id: str, taken: Taken, org: str) -> bytes:
        concern = {name: taken.form[name] for name in ("originator_ref", "summary")}
        event = {"id": notice_id, "subject": taken.concern_id}
        return json.dumps(event | {"data": {"notice": {"recipient": org}, "concern": concern}}).encode()

    def send(self, notice: Owed) -> None:
        self.sending[notice.notice_id] = self.go_on(self.deliver(notice))

    async def deliver(self, notice: Owed) -> None:
        """Until it is taken; what was answered is written down a little later."""
        while True:
            notice.began_at = now()
            status = await self.attempt(notice, self.urls.get(notice.recipient, ""))
            await dawdle(UNWRITTEN_SECONDS)
            self.note(notice, status)
            if notice.state == "delivered":
                return
            await dawdle(RETRY_SECONDS)

    async def attempt(self, notice: Owed, url: str) -> int | None:
        headers = self.signed(notice.notice_id, notice.body, self.secret_of(notice.recipient))
        with contextlib.suppress(aiohttp.ClientError):
            async with self.session.post(url, data=notice.body, headers=headers) as answer:
                return answer.status
        return None

    def note(self, notice: Owed, status: int | None) -> None:
        duration_ms = int((now() - notice.began_at) * 1000)
        notice.attempts.append({"at": stamp(notice.began_at), "duration_ms": duration_ms, "status": status})
        verdict = "delivered" if status and status < 300 else "attempt-failed"
        notice.state = "delivered" if verdict == "delivered" else notice.state
        self.record(notice.taken, "delivery-attempt", {"notice_id": notice.notice_id, "verdict": verdict})

    def record(self, taken: Taken, kind: str, body: Mapping[str, str] | None = None) -> None:
        taken.facts.append({"data": {"fact_id": self.new_id("fct"), "kind": kind, "at": stamp(), "body": body or {}}})

    def signed(self, webhook_id: str, body: bytes, secret: bytes) -> dict[str, str]:
        at = str(int(now()))
        mac = hmac.digest(secret, f"{webhook_id}.{at}.".encode() + body, hashlib.sha256)
        signature = f"v1,{base64.b64encode(mac).decode()}"
        return {"webhook-id": webhook_id, "webhook-timestamp": at, "webhook-signature": signature}

    def secret_of(self, org: str) -> bytes:
        return f"the secret of {org}".encode()

    # What is shown of it.
    def stored(self) -> list[Taken]:
        return list(self.taken.values())

    def ledger(self) -> list[Owed]:
        return list(self.owed.values())

    def told(self, taken: Taken) -> list[Json]:
        rows = [row for row in self.ledger() if row.taken is taken]
        return [{"org": row.recipient, "state": row.state} for row in rows]

    def facts(self, taken: Taken) -> list[Json]:
        return taken.facts

    # The machinery: the same faults as those of real processes.
    async def inflict(self, name: str) -> None:
        """Break it for a moment: who sends forgets what is under way; who accepts answers nobody."""
        if name.endswith("notifier"):
            for notice_id, task in self.sending.items():
                if task.cancel() and notice_id in self.owed:
                    self.tasks.add(asyncio.create_task(self.resume(self.owed[notice_id])))
        self.down = self.down or name.endswith("intake")

    async def back(self, name: str) -> None:
        """It comes back by itself."""
        await dawdle(AWAY_SECONDS)
        self.down = self.down and not name.endswith("intake")

    async def resume(self, notice: Owed) -> None:
        await dawdle(AWAY_SECONDS)
        self.send(notice)

    def new_id(self, prefix: str) -> str:
        return f"{prefix}_{next(self.numbers)}"

    def go_on(self, work: Any) -> asyncio.Task[None]:
        task: asyncio.Task[None] = asyncio.create_task(work)
        self.tasks.add(task)
        return task

    async def close(self) -> None:
        """End what is under way."""
        for task in self.tasks:
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        await self.session.close()


class Front:
    """The routes, for all services at one address."""

    def __init__(self, inner: Imitation) -> None:
        self.inner = inner

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post("/oauth2/token", self.token),
            web.get("/v1/endpoints", self.endpoints),
            web.post("/v1/endpoints", self.register),
            web.post("/v1/concerns", self.submit),
            web.get("/v1/concerns", self.concerns),
            web.get("/v1/concerns/{concern_id}", self.concern),
            web.get("/v1/decisions/{concern_id}", self.decision),
            web.get("/v1/notices", self.notices),
            web.get("/v1/notices/{notice_id}", self.notice),
            web.get("/v1/audit/facts", self.facts),
        ]

    async def token(self, request: web.Request) -> web.Response:
        basic = request.headers["Authorization"].removeprefix("Basic ")
        org = base64.b64decode(basic).decode().partition(":")[0]
        return web.json_response({"access_token": org, "expires_in": 3600})

    async def endpoints(self, _: web.Request) -> web.Response:
        return web.json_response({"items": []})

    async def register(self, request: web.Request) -> web.Response:
        org = request.headers["Authorization"].removeprefix("Bearer ")
        self.inner.urls[org] = (await request.json())["url"]
        secret = base64.b64encode(self.inner.secret_of(org)).decode()
        return web.json_response({"secret": f"whsec_{secret}", "public_key": ""}, status=201)

    async def submit(self, request: web.Request) -> web.StreamResponse:
        if self.inner.down:
            return web.Response(status=503)
        form = await request.json()
        status, body, replayed = await self.inner.accept(form["originator_ref"], form)
        return web.json_response(body, status=status, headers={"Idempotent-Replayed": str(replayed).lower()})

    async def concerns(self, _: web.Request) -> web.Response:
        rows = [{**_named(row), "accepted_at": row.accepted_at} for row in self.inner.stored()]
        return web.json_response({"items": rows, "next": None})

    async def concern(self, request: web.Request) -> web.Response:
        taken = self._taken(request.match_info["concern_id"])
        return web.json_response({**_named(taken), "told": self.inner.told(taken)})

    async def decision(self, request: web.Request) -> web.Response:
        decided = self._taken(request.match_info["concern_id"]).decided
        if decided is None:
            raise web.HTTPNotFound
        return web.json_response({"told": [{"org": org} for org in decided]})

    async def notices(self, _: web.Request) -> web.Response:
        return web.json_response({"items": [_shown(row) for row in reversed(self.inner.ledger())], "next": None})

    async def notice(self, request: web.Request) -> web.Response:
        row = self.inner.owed.get(request.match_info["notice_id"])
        if row is None:
            raise web.HTTPNotFound
        return web.json_response({**_shown(row), "attempts": row.attempts})

    async def facts(self, request: web.Request) -> web.Response:
        return web.json_response({"items": self.inner.facts(self._taken(request.query["concern_id"]))})

    def _taken(self, concern_id: str) -> Taken:
        found = [row for row in self.inner.stored() if row.concern_id == concern_id]
        if not found:
            raise web.HTTPNotFound
        return found[0]


def _named(row: Taken) -> Json:
    named = {"concern_id": row.concern_id, "originator": row.form["originator"]}
    return named | {"originator_ref": row.form["originator_ref"]}


def _shown(row: Owed) -> Json:
    named = {"notice_id": row.notice_id, "concern_id": row.taken.concern_id, "recipient": row.recipient}
    state = {"state": row.state, "body_digest": row.digest, "registered_at": row.registered_at}
    return named | state | {"kind": "tell", "version": 1}
