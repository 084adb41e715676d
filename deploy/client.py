"""A client of Concordat's own interfaces, for the command line: a token for each body, then plain HTTP."""

import json
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any
from urllib.parse import quote_plus

import httpx

from deploy.local.faults import RunnerFault
from shared.ids import new_id
from shared.parts import in_parts

REQUEST_SECONDS = 20.0
ASSESS_SECONDS = 300.0
"""Assessing a change decides thousands of concerns of the past again."""
EDITOR, REVIEWER = "registry-editor", "registry-reviewer"
APPROVERS = ("registry-approver-1", "registry-approver-2")
PART_BYTES_MAX = 4_000_000
PART_OBJECTS_MAX = 10_000
SIGNATURES_PART = 10_000
EARLY_SECONDS = 60.0
"""A token is fetched anew so long before it ends, so that none ends on its way."""


class Refused(Exception):
    """A service answered with a problem document; the text says which and what it says."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {_title(answer)}")
        self.status = answer.status_code


class NoClient(RunnerFault):
    """Nobody's credentials are at hand for a body; the remedy names one that is near."""

    def __init__(self, org: str, known: Iterable[str]) -> None:
        near = get_close_matches(org, sorted(known), 1)
        super().__init__(
            f"No client acts for {org!r}.",
            f"Did you mean {near[0]!r}?" if near else "Name a body of `credentials.json` in the data folder.",
        )


class Unreachable(RunnerFault):
    """A service does not answer."""

    def __init__(self, error: httpx.TransportError) -> None:
        url = error.request.url
        remedy = "Is that its address, and is it up? `concordat doctor` says so; its logs are in the data folder."
        super().__init__(f"{url} does not answer ({error})", remedy)


@dataclass(frozen=True, slots=True)
class Credential:
    """How one body's client identifies itself."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Token:
    """An access token, and until when it is used: seconds of a monotonic clock."""

    text: str = field(repr=False)
    used_until: float


@dataclass(slots=True)
class Concordat:
    """The services of one system by name, and the credentials of the bodies that call them, by organisation."""

    urls: Mapping[str, str]
    credentials: Mapping[str, Credential]
    http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=REQUEST_SECONDS, trust_env=False))
    now: Callable[[], float] = time.monotonic
    _tokens: dict[str, Token] = field(default_factory=dict)

    async def get(self, org: str, service: str, path: str, **query: str | int) -> Any:
        """GET as a client of `org`. Raises Refused, Unreachable."""
        headers = await self.authorization(org)
        return _json(await self.sent(self.http.get(self.urls[service] + path, params=query, headers=headers)))

    async def post(self, org: str, service: str, path: str, body: Mapping[str, Any]) -> Any:
        """POST JSON as a client of `org`. Raises Refused, Unreachable."""
        headers = await self.authorization(org)
        return _json(await self.sent(self.http.post(self.urls[service] + path, json=body, headers=headers)))

    async def send(self, org: str, path: str, body: Mapping[str, Any], headers: Mapping[str, str]) -> httpx.Response:
        """POST JSON to the registry as a client of `org`, under these headers. Raises Refused, Unreachable."""
        sent = {**await self.authorization(org), **headers}
        url = self.urls["registry"] + path
        answer = await self.sent(self.http.post(url, json=body, headers=sent, timeout=ASSESS_SECONDS))
        if answer.is_error:
            raise Refused(answer)
        return answer

    async def authorization(self, org: str) -> dict[str, str]:
        """The header that identifies a client of `org`; the token is fetched anew before it ends. Raises NoClient."""
        if org not in self.credentials:
            raise NoClient(org, self.credentials)
        token = self._tokens.get(org)
        if token is None or token.used_until <= self.now():
            token = self._tokens[org] = await self._token(self.credentials[org])
        return {"Authorization": f"Bearer {token.text}"}

    async def close(self) -> None:
        """Let go of the connections."""
        await self.http.aclose()

    async def _token(self, credential: Credential) -> Token:
        asked_at = self.now()
        form = {"grant_type": "client_credentials"}
        # RFC 6749 section 2.3.1: encoded like a form.
        basic = httpx.BasicAuth(quote_plus(credential.client_id), quote_plus(credential.client_secret))
        url = self.urls["registry"] + "/oauth2/token"
        answer = await self.sent(self.http.post(url, data=form, auth=basic))
        granted = _json(answer)
        lasts = float(granted["expires_in"])
        return Token(str(granted["access_token"]), asked_at + max(lasts - EARLY_SECONDS, lasts / 2))

    @staticmethod
    async def sent(request: Awaitable[httpx.Response]) -> httpx.Response:
        """The answer to a request. Raises Unreachable."""
        try:
            return await request
        except httpx.TransportError as error:
            raise Unreachable(error) from error


async def carry_change(concordat: Concordat, change: Mapping[str, Any], *, evidence: str = "") -> int:
    """Carry a change of the graph all the way through the gate, each step by another client; gives its version.

    Raises Refused, Unreachable.
    """
    return await (await carry_to_approval(concordat, change, evidence=evidence)).schedule()


async def carry_to_approval(concordat: Concordat, change: Mapping[str, Any], *, evidence: str = "") -> "ChangeOnItsWay":
    """The same, but for the last step: all that is left is to schedule it.

    `change` has `title`, `reason`, `parent_version` and any number of `objects`, which are sent in parts. Signatures
    that it needs are recorded with `evidence`. Raises Refused, Unreachable.
    """
    objects: Sequence[Mapping[str, Any]] = change["objects"]
    parts = list(in_parts(objects, _size, size_max=PART_BYTES_MAX, count_max=PART_OBJECTS_MAX))
    head = {**change, "objects": parts[0], "more": len(parts) > 1}
    key = {"Idempotency-Key": new_id("key")}
    carrier = ChangeOnItsWay(concordat, await concordat.send(EDITOR, "/v1/changes", head, key))
    for number, part in enumerate(parts[1:], 2):
        await carrier.step(EDITOR, "objects", {"objects": part, "more": number < len(parts)})
    await carrier.step(REVIEWER, "review", {})
    assessed = await carrier.step(EDITOR, "assessment", {})
    for approver in APPROVERS:
        await carrier.step(approver, "approval", {"difference": assessed["assessment"]["difference"]})
    await carrier.sign(evidence)
    return carrier


def _size(item: Mapping[str, Any]) -> int:
    return len(json.dumps(item))


@dataclass(slots=True)
class ChangeOnItsWay:
    """A change on its way; each step names the state that the step before it left."""

    concordat: Concordat
    last: httpx.Response

    async def schedule(self) -> int:
        """Bring it into force by its own dates; gives the version of its commit."""
        return int((await self.step(EDITOR, "schedule", {}))["version"])

    async def step(self, org: str, name: str, body: Mapping[str, Any]) -> Any:
        """One step by a client of `org`."""
        headers = {"If-Match": self.last.headers["etag"]}
        self.last = await self.concordat.send(org, f"{self._path}/{name}", body, headers)
        return self.last.json()

    async def sign(self, evidence: str) -> None:
        """Record every signature that it needs."""
        shown = await self.concordat.get(EDITOR, "registry", self._path)
        names = ("agreement", "party", "terms_digest")
        missing = [{name: need[name] for name in names} for need in shown["needs"] if need["step"] == "signature"]
        for first in range(0, len(missing), SIGNATURES_PART):
            signatures = missing[first : first + SIGNATURES_PART]
            await self.step(EDITOR, "signatures", {"signatures": signatures, "evidence": evidence})

    @property
    def _path(self) -> str:
        return str(self.last.headers["location"])


def _json(answer: httpx.Response) -> Any:
    if answer.is_error:
        raise Refused(answer)
    return answer.json() if answer.content else None


def _title(answer: httpx.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return answer.reason_phrase
    fields = "; ".join(f"{e['pointer']}: {e['detail']}" for e in body.get("errors", ()))
    said = (str(part).rstrip(".") for part in (body.get("title"), body.get("detail"), fields) if part)
    return ". ".join(said)
