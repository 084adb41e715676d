"""A client of Concordat's own interfaces, for the command line: a token for each body, then plain HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

REQUEST_SECONDS = 20.0


class Refused(Exception):
    """A service answered with a problem document; the text says which and what it says."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(f"{answer.request.method} {answer.request.url.path}: {answer.status_code} {_title(answer)}")
        self.status = answer.status_code


@dataclass(frozen=True, slots=True)
class Credential:
    """How one body's client identifies itself."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(slots=True)
class Concordat:
    """The services of one system by name, and the credentials of the bodies that call them, by organisation."""

    urls: Mapping[str, str]
    credentials: Mapping[str, Credential]
    http: httpx.AsyncClient = field(default_factory=lambda: httpx.AsyncClient(timeout=REQUEST_SECONDS, trust_env=False))
    _tokens: dict[str, str] = field(default_factory=dict)

    async def get(self, org: str, service: str, path: str, **query: str | int) -> Any:
        """GET as a client of `org`. Raises Refused."""
        headers = await self.authorization(org)
        return _json(await self.http.get(self.urls[service] + path, params=query, headers=headers))

    async def post(self, org: str, service: str, path: str, body: Mapping[str, Any]) -> Any:
        """POST JSON as a client of `org`. Raises Refused."""
        headers = await self.authorization(org)
        return _json(await self.http.post(self.urls[service] + path, json=body, headers=headers))

    async def authorization(self, org: str) -> dict[str, str]:
        """The header that identifies a client of `org`; the token is fetched once."""
        if org not in self._tokens:
            self._tokens[org] = await self._token(self.credentials[org])
        return {"Authorization": f"Bearer {self._tokens[org]}"}

    async def close(self) -> None:
        """Let go of the connections."""
        await self.http.aclose()

    async def _token(self, credential: Credential) -> str:
        form = {"grant_type": "client_credentials"}
        basic = httpx.BasicAuth(credential.client_id, credential.client_secret)
        answer = await self.http.post(self.urls["registry"] + "/oauth2/token", data=form, auth=basic)
        return str(_json(answer)["access_token"])


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
