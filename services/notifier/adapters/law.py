"""What the agreements allow now, from the router over HTTP, asked with the token of the body that wants to know."""

import asyncio

import httpx
from pydantic import BaseModel, ConfigDict, ValidationError

from services.notifier.domain.detail import Allowed
from services.notifier.domain.errors import LawUnavailable
from services.notifier.domain.model import Subject
from shared.contracts.envelope import JsonObject
from shared.contracts.notice import Because


class _Terms(BaseModel):
    """The router's answer; what else is in it is not for us."""

    model_config = ConfigDict(frozen=True)

    told: bool
    because: list[Because] = []
    fields: dict[str, str] = {}
    withheld: dict[str, str] = {}
    onward: str = "none"
    graph: JsonObject


class RouterLaw:
    """Reads `GET /v1/decisions/{concern}/organisations/{org}/terms` under a deadline."""

    def __init__(self, base_url: str, *, deadline_seconds: float) -> None:
        self._base_url = base_url.rstrip("/")
        self._deadline_seconds = deadline_seconds
        # Made once: reading the authorities of the machine takes the event loop tens of milliseconds.
        self._authorities = httpx.create_ssl_context(trust_env=False)

    async def allowed(self, subject: Subject, *, authorization: str) -> Allowed:
        """See ports.Law. Raises LawUnavailable."""
        url = f"{self._base_url}/v1/decisions/{subject.concern_id}/organisations/{subject.recipient}/terms"
        try:
            async with asyncio.timeout(self._deadline_seconds), self._client() as client:
                answer = await client.get(
                    url, params={"version": subject.version}, headers={"Authorization": authorization}
                )
            if answer.status_code == httpx.codes.NOT_FOUND:  # it was taken back
                return Allowed(told=False)
            terms = _Terms.model_validate_json(answer.raise_for_status().content)
        except (httpx.HTTPError, TimeoutError, ValidationError) as error:
            raise LawUnavailable(type(error).__name__) from error
        because = tuple(row.model_dump() for row in terms.because)
        return Allowed(terms.told, because, terms.fields, terms.withheld, terms.onward, terms.graph)

    def _client(self) -> httpx.AsyncClient:
        return httpx.AsyncClient(timeout=self._deadline_seconds, trust_env=False, verify=self._authorities)


class NoLaw:
    """A deployment that names no router: what is allowed now cannot be known, so nothing is given."""

    async def allowed(self, subject: Subject, *, authorization: str) -> Allowed:  # noqa: ARG002 - the port's
        """Raises LawUnavailable."""
        raise LawUnavailable("no router is named")
