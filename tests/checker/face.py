"""The system's HTTP face, as any client sees it: tokens, submissions, lists, single rows."""

import asyncio
import base64
import contextlib
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote_plus

import aiohttp

from tests.checker.model import OK, REFUSED, UNKNOWN, Answer, now
from tests.support.waiting import until

SUBMIT_SECONDS = 20.0
READ_SECONDS = 90.0
PAGE = 200
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Client:
    """How a body identifies itself."""

    client_id: str
    secret: str = field(repr=False)


@dataclass(slots=True)
class Face:
    """Where each service answers, and who we are to it, by organisation."""

    urls: Mapping[str, str]
    clients: Mapping[str, Client]
    session: aiohttp.ClientSession
    _tokens: dict[str, tuple[str, float]] = field(default_factory=dict)

    async def submit(self, originator: str, key: str, body: Mapping[str, Any]) -> Answer:
        """Send a concern once. Whatever is neither taken nor refused is unknown."""
        sent_at = now()
        try:
            async with asyncio.timeout(SUBMIT_SECONDS):
                headers = await self._authorization(originator)
                url = f"{self.urls['intake']}/v1/concerns"
                async with self.session.post(url, json=body, headers=headers) as answer:
                    said = await answer.json() if answer.status == 202 else {}
                    replayed = answer.headers.get("Idempotent-Replayed") == "true"
                    status, concern_id = answer.status, str(said.get("concern_id", ""))
        except (aiohttp.ClientError, TimeoutError, ValueError):
            return Answer(key, sent_at, now(), UNKNOWN, 0, "")
        return Answer(key, sent_at, now(), _outcome(status), status, concern_id, replayed)

    async def register(self, org: str, url: str) -> Json:
        """Make this the endpoint of an organisation; one that it has is removed. Gives its keys."""
        for row in (await self.read(org, "notifier", "/v1/endpoints"))["items"]:
            if row["state"] != "removed":
                await self._sent(org, "DELETE", f"/v1/endpoints/{row['endpoint_id']}")
        return await self._sent(org, "POST", "/v1/endpoints", {"url": url})

    async def concerns(self, since: float) -> AsyncIterator[Json]:
        """Every concern accepted since then."""
        moment = datetime.fromtimestamp(since, UTC).isoformat().replace("+00:00", "Z")
        async for row in self._pages("intake", "/v1/concerns", since=moment):
            yield row

    async def notices(self, since: float) -> AsyncIterator[Json]:
        """Every notice registered since then; the list begins with the newest."""
        async for row in self._pages("notifier", "/v1/notices"):
            if datetime.fromisoformat(row["registered_at"]).timestamp() < since:
                return
            yield row

    async def read(self, org: str, service: str, path: str, **query: str) -> Json:
        """GET; tried again while nobody answers. Fails when that lasts."""
        found = await self.found(org, service, path, **query)
        assert found is not None, f"{service} {path} is not there"
        return found

    async def found(self, org: str, service: str, path: str, **query: str) -> Json | None:
        """The same; None for what does not exist."""
        answers: list[Json | None] = []

        async def answered() -> bool:
            with contextlib.suppress(aiohttp.ClientError):
                headers = await self._authorization(org)
                async with self.session.get(self.urls[service] + path, params=query, headers=headers) as answer:
                    if answer.status in (200, 404):
                        answers.append(await answer.json() if answer.status == 200 else None)
            return bool(answers)

        await until(answered, seconds=READ_SECONDS, what=f"{service} answers GET {path}", every_seconds=0.1)
        return answers[0]

    async def _pages(self, service: str, path: str, **query: str) -> AsyncIterator[Json]:
        after: str | None = ""
        while after is not None:
            place = {"after": after} if after else {}
            page = await self.read("operator", service, path, limit=str(PAGE), **query, **place)
            for row in page["items"]:
                yield row
            after = page["next"]

    async def _sent(self, org: str, method: str, path: str, body: Json | None = None) -> Json:
        url, headers = self.urls["notifier"] + path, await self._authorization(org)
        async with self.session.request(method, url, json=body, headers=headers) as answer:
            text = await answer.text()
            assert answer.status < 300, f"{method} {path} was answered {answer.status}: {text}"
            return dict(json.loads(text)) if text else {}

    async def _authorization(self, org: str) -> dict[str, str]:
        token, until_at = self._tokens.get(org, ("", 0.0))
        if until_at < now():
            token, until_at = self._tokens[org] = await self._token(self.clients[org])
        return {"Authorization": f"Bearer {token}"}

    async def _token(self, client: Client) -> tuple[str, float]:
        # RFC 6749 section 2.3.1: encoded like a form before it is encoded as RFC 7617 says.
        pair = f"{quote_plus(client.client_id)}:{quote_plus(client.secret)}"
        headers = {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}
        form = {"grant_type": "client_credentials"}
        url = f"{self.urls['registry']}/oauth2/token"
        async with self.session.post(url, data=form, headers=headers, raise_for_status=True) as answer:
            said = await answer.json()
        return said["access_token"], now() + float(said["expires_in"]) / 2


def _outcome(status: int) -> str:
    if status == 202:
        return OK
    return REFUSED if 400 <= status < 500 and status not in (408, 429) else UNKNOWN
