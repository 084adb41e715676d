"""Changes carried over HTTP, step by step, as the clients of a registry do it."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.ids import new_id

Headers = Callable[[str], Awaitable[Mapping[str, str]]]
AUTHOR, REVIEWER, APPROVERS = "editor", "reviewer", ("approver-1", "approver-2")


@dataclass(slots=True)
class Carrier:
    """One change on its way; `headers` gives what a request of a client carries."""

    http: httpx.AsyncClient
    headers: Headers
    path: str = ""
    etag: str = ""
    last: dict[str, Any] = field(default_factory=dict)

    async def post(self, path: str, body: Any, by: str, **more: str) -> httpx.Response:
        """Any request; the body may be bytes."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        sent = {**await self.headers(by), "Content-Type": "application/json", **more}
        return await self.http.post(path, content=content, headers=sent)

    async def draft(self, body: Any, *, by: str = AUTHOR, key: str = "", path: str = "/v1/changes") -> httpx.Response:
        """Propose it; from then on the carrier goes with this change."""
        return self._remember(await self.post(path, body, by, **{"Idempotency-Key": key or new_id("key")}))

    async def step(self, name: str, body: Any = None, *, by: str, etag: str | None = None) -> httpx.Response:
        """One step on the state that the carrier knows, or on another."""
        tag = {"If-Match": self.etag if etag is None else etag}
        return self._remember(await self.post(f"{self.path}/{name}", {} if body is None else body, by, **tag))

    async def read(self, *, by: str = AUTHOR) -> Any:
        """The change with its needs and history."""
        return (await self.http.get(self.path, headers=await self.headers(by))).raise_for_status().json()

    async def judged(self) -> str:
        """Review and assessment; gives the digest of the difference."""
        (await self.step("review", by=REVIEWER)).raise_for_status()
        (await self.step("assessment", by=AUTHOR)).raise_for_status()
        return str(self.last["assessment"]["difference"])

    async def approved(self) -> None:
        """Review, assessment and two approvals."""
        difference = await self.judged()
        for approver in APPROVERS:
            (await self.step("approval", {"difference": difference}, by=approver)).raise_for_status()

    async def signed(self, evidence: str = "the signed document") -> None:
        """Every signature that is missing, recorded by an editor."""
        names = ("agreement", "party", "terms_digest")
        needs = [n for n in (await self.read())["needs"] if n["step"] == "signature"]
        body = {"signatures": [{name: need[name] for name in names} for need in needs], "evidence": evidence}
        if needs:
            (await self.step("signatures", body, by=AUTHOR)).raise_for_status()

    async def carried(self, body: Any) -> int:
        """All the way; gives the version of the commit."""
        (await self.draft(body)).raise_for_status()
        await self.approved()
        await self.signed()
        (await self.step("schedule", by=AUTHOR)).raise_for_status()
        return int(self.last["version"])

    def _remember(self, answer: httpx.Response) -> httpx.Response:
        if answer.is_success:
            self.path, self.etag = answer.headers["location"], answer.headers["etag"]
            self.last = answer.json()
        return answer
