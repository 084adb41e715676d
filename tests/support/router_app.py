"""The router's HTTP app on any store, and its callers by name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import httpx
import orjson

from services.router.domain.errors import NoSuchGraph
from services.router.domain.model import Head
from services.router.domain.policy import CurrentJudge, Judge
from services.router.domain.replica import Replica
from services.router.entrypoints.faults import ANSWERS
from services.router.entrypoints.http import routes
from services.router.ports import Begin, DecisionStore, History
from services.router.usecases import Desk
from services.router.usecases.graph import root_over
from shared.clock import Clock
from shared.http.app import Edge, make_app
from shared.http.auth import Principal, Verifier, unauthorised
from shared.http.jwks import PublishedKeys
from shared.supervision import Health
from shared.telemetry import Telemetry
from tests.support.clock import FrozenClock
from tests.support.router_fakes import bodies_of, judge_of

OPERATOR, READER, STRANGER, CASE_SYSTEM = "operator", "alpha-desk", "beta-desk", "alpha-case"
AUDITOR = "auditor"
CONVENOR, ELSEWHERE = "convenor", "convenor-of-gamma"
DUTY, SECOND_DUTY = "duty-router", "another-duty-router"
APPROVER, DUTY_APPROVER = "emergency-approver", "duty-router-who-approves"
REGISTRY, HALF_REGISTRY = "registry", "reads-all-without-a-role"
DESK_SCOPES = frozenset({"decisions:read", "decisions:preview", "decisions:write"})
_CALLERS = {
    OPERATOR: Principal(
        "op",
        "hq",
        frozenset({"decisions:read", "decisions:preview", "decisions:read-all"}),
        frozenset({"operator"}),
    ),
    DUTY: Principal("sam", "hq", frozenset({"decisions:read", "decisions:write"}), frozenset({"duty-router"})),
    SECOND_DUTY: Principal("kim", "hq", frozenset({"decisions:read", "decisions:write"}), frozenset({"duty-router"})),
    APPROVER: Principal("ann", "hq", frozenset({"decisions:write"}), frozenset({"emergency-approver"})),
    DUTY_APPROVER: Principal(
        "max", "hq", frozenset({"decisions:read", "decisions:write"}), frozenset({"duty-router", "emergency-approver"})
    ),
    AUDITOR: Principal("aud", "audit-office", frozenset({"decisions:read"}), frozenset({"auditor"})),
    REGISTRY: Principal("registry", "hq", frozenset({"decisions:read-all"}), frozenset({"registry"})),
    HALF_REGISTRY: Principal("half", "hq", frozenset({"decisions:read-all"}), frozenset()),
    READER: Principal("a", "alpha", DESK_SCOPES, frozenset()),
    STRANGER: Principal("b", "beta", DESK_SCOPES, frozenset()),
    CONVENOR: Principal("ada", "alpha", DESK_SCOPES, frozenset({"convenor"})),
    ELSEWHERE: Principal("g", "gamma", DESK_SCOPES, frozenset({"convenor"})),
    CASE_SYSTEM: Principal("c", "alpha", frozenset({"concerns:write"}), frozenset()),
}


class KnownCallers(Verifier):
    """Takes the name of a caller for its token."""

    def __init__(self) -> None:
        super().__init__(PublishedKeys([]), audience="concordat", clock=FrozenClock())

    async def principal(self, authorization: str | None) -> Principal:
        name = (authorization or "").removeprefix("Bearer ")
        if name not in _CALLERS:
            raise unauthorised("not known")
        return _CALLERS[name]


@dataclass(slots=True)
class InMemoryHistory:
    """The graphs of the past, by version, each with the moment of its commit."""

    graphs: dict[int, tuple[datetime, Replica]] = field(default_factory=dict)

    async def judge_at(self, version: int) -> Judge:
        if version not in self.graphs:
            raise NoSuchGraph(str(version))
        return judge_of(self.graphs[version][1])

    async def judge_with(self, version: int, changed: Sequence[Mapping[str, Any]]) -> Judge:
        if version not in self.graphs:
            raise NoSuchGraph(str(version))
        bodies = {**self.graphs[version][1].bodies, **bodies_of(changed)}
        return judge_of(Replica(Head(version, root_over(bodies)), bodies))

    async def version_at(self, known_at: datetime) -> int:
        versions = [version for version, (at, _) in self.graphs.items() if at <= known_at]
        if not versions:
            raise NoSuchGraph(known_at.isoformat())
        return max(versions)


class WholeStore(DecisionStore, Protocol):
    """A store that can be read and written."""

    @property
    def begin(self) -> Begin: ...


class RouterUnderTest:
    """The router's HTTP app on any store, called without a socket by a named caller."""

    def __init__(self, store: WholeStore, current: CurrentJudge, clock: Clock, history: History | None = None) -> None:
        telemetry = Telemetry("router", clock=clock)
        edge = Edge(Health(30), telemetry, KnownCallers(), ANSWERS, 65_536)
        app = make_app("router", routes(store, Desk(current, store.begin, clock), history or InMemoryHistory()), edge)
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://router.test")

    async def get(self, path: str, *, by: str | None = OPERATOR) -> httpx.Response:
        return await self.http.get(path, headers=_bearer(by))

    async def post(self, path: str, body: object, *, by: str, **headers: str) -> httpx.Response:
        stated = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.http.post(path, content=orjson.dumps(body), headers={**_bearer(by), **stated})

    async def preview(self, body: object, *, by: str = OPERATOR) -> httpx.Response:
        content = body if isinstance(body, bytes) else orjson.dumps(body)
        return await self.http.post("/v1/decisions/preview", content=content, headers=_bearer(by))


def _bearer(caller: str | None) -> dict[str, str]:
    return {} if caller is None else {"Authorization": f"Bearer {caller}"}
