"""A client of Concordat's own interfaces, for the command line: a token for each body, then plain HTTP."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from deploy.local.faults import RunnerFault

REQUEST_SECONDS = 20.0
EARLY_SECONDS = 60.0
"""A token is fetched anew so long before it ends, so that none ends on its way."""


class Refused(Exception):
    """A service answered with a problem document; the text says which and what it says."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {_title(answer)}")
        self.status = answer.status_code


class Unreachable(RunnerFault):
    """A service does not answer."""

    def __init__(self, error: httpx.TransportError) -> None:
        url = error.request.url
        super().__init__(f"{url} does not answer ({error})", "Look into the logs of that service in the data folder.")


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

    async def authorization(self, org: str) -> dict[str, str]:
        """The header that identifies a client of `org`; the token is fetched anew before it ends."""
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
        basic = httpx.BasicAuth(credential.client_id, credential.client_secret)
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
    return " ".join(filter(None, (body.get("title"), body.get("detail"), fields)))
