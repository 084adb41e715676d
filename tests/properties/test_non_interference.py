"""P20: what a body may not know changes nothing that it can see: no answer, no count, no work done for an answer."""

from __future__ import annotations

import asyncio
import copy
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from services.router.domain.model import Concern, Recall
from services.router.domain.policy import CurrentJudge
from services.router.usecases import Desk, follow_concerns, route_concerns
from shared.records import Batch, Span
from tests.rules import small
from tests.support.clock import NOON, FrozenClock
from tests.support.laws import Row, nightly
from tests.support.router_app import APPROVER, CONVENOR, ELSEWHERE, READER, STRANGER, RouterUnderTest
from tests.support.router_fakes import InMemoryRouter, InMemoryTransaction, a_concern, judging

few = settings(max_examples=10_000 if nightly else 15, deadline=None)
ASKERS = {READER: "alpha", CONVENOR: "alpha", STRANGER: "beta", ELSEWHERE: "gamma"}
IDS = tuple(f"con_{number}" for number in range(1, 6))
ABSENT = "con_9"
GRAPH: tuple[Row, ...] = (
    small.pact(
        small.clause(frm=["alpha", "gamma"], fields={"registrant": "full"}),
        small.clause(id="c2", frm=["beta"], to=["alpha"], fields={"registrant": "full"}),
        small.clause(id="c3", frm=["alpha", "beta"], to=["gamma"], mode="invite"),
    ),
    small.org("alpha", small.remit("theft")),
    small.org("gamma", small.remit("theft", "fire-risk")),
    {**small.POLICY, "emergency": {"review": small.LIMIT}},
    {"kind": "forum", "id": "rrp", "name": "Panel", "purpose": "p", "certainty": "source"},
)
REASON = {"reason": "because", "decided_by": "Sam"}
SHARE = {
    **REASON,
    "decision": "share",
    "position": "lead",
    "receiving_organisations": ["beta"],
    "data_described": "d",
    "purpose": "p",
    "legal_power": "l",
    "lawful_basis": "b",
    "why_necessary": "w",
}
EMERGENCY = {"organisations": ["gamma"], "approved_by": "Ann", "approver_position": "on call", "telephoned": "10:05"}
ABOUT: tuple[tuple[str, Row | None], ...] = (
    ("/v1/decisions/{}", None),
    ("/v1/decisions/{}?version=2", None),
    ("/v1/decisions/{}/rounds", None),
    ("/v1/decisions/{}/again", None),
    ("/v1/decisions/{}/duties", None),
    ("/v1/decisions/{}/organisations/alpha", None),
    ("/v1/decisions/{}/organisations/beta", None),
    ("/v1/decisions/{}/organisations/gamma", None),
    ("/v1/correlations?subject-of={}", None),
    ("/v1/decisions/{}/choices", {**REASON, "organisations": ["beta"]}),
    ("/v1/decisions/{}/choices", {**REASON, "organisations": ["gamma", "nobody"]}),
    ("/v1/decisions/{}/human-decisions", SHARE),
    ("/v1/decisions/{}/human-decisions", {**SHARE, "gateways": ["bar/none"]}),
    ("/v1/decisions/{}/emergencies", {**REASON, **EMERGENCY}),
    ("/v1/panels", {**REASON, "kind": "rrp", "concern_id": "{}"}),
    ("/v1/panels", None),
    ("/v1/work-items/{}", None),
    ("/v1/work-items?after={}", None),
    ("/v1/unroutable", None),
    ("/v1/replay", None),
    ("/v1/routings", None),
    ("/v1/graph/head", None),
)
_MADE = re.compile(rb"\b(dec|ntc|evt|fct|pnl|wrk)_[0-9a-z]+")
_STORE = frozenset(name for name in dir(InMemoryRouter) if not name.startswith("_")) - {"state", "moved"}
_TRANSACTION = frozenset(name for name in dir(InMemoryTransaction) if not name.startswith("_")) - {"state"}


class Noting(InMemoryRouter):
    """A store that notes what it is asked: each look takes its time, so the same looks take the same time."""

    looks: list[str]

    def __getattribute__(self, name: str) -> Any:
        if name in _STORE:
            self.looks.append(name)
        return super().__getattribute__(name)

    @asynccontextmanager
    async def begin(self, spans: Sequence[Span] = ()) -> AsyncIterator[InMemoryTransaction]:
        async with super().begin(spans) as tx:
            yield NotingTransaction(tx.state, self.looks)


class NotingTransaction(InMemoryTransaction):
    """Notes what it is asked, too."""

    def __init__(self, state: Any, looks: list[str]) -> None:
        super().__init__(state)
        self.looks = looks

    def __getattribute__(self, name: str) -> Any:
        if name in _TRANSACTION:
            self.looks.append(f"tx.{name}")
        return super().__getattribute__(name)


@dataclass(slots=True)
class World:
    """A router that took some concerns in, and what it showed."""

    store: Noting = field(default_factory=Noting)
    clock: FrozenClock = field(default_factory=lambda: FrozenClock(NOON + timedelta(days=200)))
    current: CurrentJudge = field(default_factory=lambda: judging(*GRAPH))

    @classmethod
    async def of(cls, events: Sequence[Concern | Recall]) -> World:
        made = cls()
        made.store.looks = []
        for one in copy.deepcopy(list(events)):
            await route_concerns(Batch((one,), ()), current=made.current, ledger=made.store, clock=made.clock)
        await follow_concerns(Desk(made.current, made.store.begin, made.clock))
        return made

    def known_to(self, org: str) -> set[str]:
        """The concerns that a body raised or was ever told of."""
        raised = {key.concern_id for key, row in self.store.state.decisions.items() if row.originator == org}
        return raised | {told.concern_id for told in self.store.state.told() if told.recipient == org}

    async def answers(self, steps: Sequence[tuple[int, str]], by: str) -> list[tuple[Any, ...]]:
        """What a caller gets, request after request, and which looks at the store each took."""
        router, found = RouterUnderTest(self.store, self.current, self.clock), []
        for number, (at, concern_id) in enumerate(steps):
            self.store.looks.clear()
            answer = await _ask(router, ABOUT[at], concern_id, by, number)
            found.append((*_seen(answer), tuple(self.store.looks)))
        await router.http.aclose()
        return found


async def _ask(
    router: RouterUnderTest, about: tuple[str, Row | None], concern_id: str, by: str, number: int
) -> httpx.Response:
    path, body = about
    if body is None:
        return await router.get(path.format(concern_id), by=by)
    said = {name: concern_id if value == "{}" else value for name, value in body.items()}
    headers = {"Approver_Authorization": f"Bearer {APPROVER}", "Idempotency_Key": f"key-{number}"}
    return await router.post(path.format(concern_id), said, by=by, **headers)


def _seen(answer: httpx.Response) -> tuple[int, bytes, tuple[str, ...]]:
    """Status, body and names of headers; ids that were made for the occasion are named by where they first occur."""
    names: dict[bytes, bytes] = {}
    body = orjson.loads(answer.content)
    plain = orjson.dumps({**body, "trace": ""}, option=orjson.OPT_SORT_KEYS)
    masked = _MADE.sub(lambda m: names.setdefault(m[0], b"made-%d" % len(names)), plain)
    return answer.status_code, masked, tuple(sorted(answer.headers))


def _about(number: int, by: str, category: str, token: str, day: int, version: int) -> Concern:
    subjects = [{"kind": "registrant", "tokens": [{"kid": "k", "token": token}]}]
    received = (NOON + timedelta(days=day)).isoformat()
    stated: Row = {"originator": by, "categories": [category], "received_at": received, "subjects": subjects}
    return a_concern(number, version=version, source_type="staff", **stated)


@st.composite
def histories(draw: st.DrawFn) -> list[Concern | Recall]:
    """Up to five concerns about two subjects, some amended, some recalled."""
    events: list[Concern | Recall] = []
    for number in range(1, draw(st.integers(2, len(IDS))) + 1):
        by, token = draw(st.sampled_from(("alpha", "beta", "gamma"))), draw(st.sampled_from("tu"))
        for version in range(1, draw(st.integers(1, 2)) + 1):
            category = draw(st.sampled_from(("harm", "theft", "fire-risk")))
            events.append(_about(number, by, category, token, draw(st.integers(0, 80)), version))
        if draw(st.integers(0, 4)) == 0:
            events.append(Recall(f"con_{number}", "wrong-facts"))
    return events


def _id_of(one: Concern | Recall) -> str:
    return one.concern_id


STEPS = st.lists(
    st.tuples(st.integers(0, len(ABOUT) - 1), st.sampled_from((*IDS, *IDS, ABSENT))), min_size=6, max_size=14
)


@few
@given(histories(), STEPS, st.sampled_from(sorted(ASKERS)))
def test_p20_no_answer_depends_on_a_concern_that_the_asker_may_not_know(
    history: list[Concern | Recall], steps: list[tuple[int, str]], by: str
) -> None:
    """Two routers, one of which never had what the asker does not know: the same requests get the same of both."""

    async def both() -> None:
        whole = await World.of(history)
        known = whole.known_to(ASKERS[by])
        event(f"unknown concerns: {len({_id_of(one) for one in history} - known)}")
        part = await World.of([one for one in history if _id_of(one) in known])
        assert await whole.answers(steps, by) == await part.answers(steps, by)

    asyncio.run(both())


@few
@given(histories(), st.integers(0, len(ABOUT) - 1), st.sampled_from(sorted(ASKERS)))
def test_p20_what_a_body_may_not_know_is_answered_like_what_does_not_exist(
    history: list[Concern | Recall], at: int, by: str
) -> None:
    async def all_alike() -> None:
        world = await World.of(history)
        unknown = [name for name in IDS if name not in world.known_to(ASKERS[by])]
        assert await _kinds_of_answer(world, at, by, (*unknown, ABSENT)) == 1

    asyncio.run(all_alike())


async def _kinds_of_answer(world: World, at: int, by: str, names: Sequence[str]) -> int:
    """How many different answers, with the looks they took, there are to one request about each of these."""
    answers = await world.answers([(at, name) for name in names], by)
    return len({_without_the_id(row, name) for row, name in zip(answers, names, strict=True)})


@pytest.mark.parametrize(
    ("looks", "path"), [(InMemoryRouter, "/v1/decisions/{}"), (InMemoryTransaction, "/v1/decisions/{}/choices")]
)
async def test_p20_is_false_of_a_router_that_does_not_look_who_raised_a_concern(
    looks: type, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The rule taken out: whoever asks is taken for the originator of what exists."""
    world = await World.of([_about(1, "beta", "fire-risk", "t", 0, 1)])
    at = next(number for number, (name, _) in enumerate(ABOUT) if name == path)
    assert "con_1" not in world.known_to(ASKERS[CONVENOR])
    assert await _kinds_of_answer(world, at, CONVENOR, ("con_1", ABSENT)) == 1

    async def everyone(_self: Any, _concern_id: str, _asker: str) -> bool:
        return True

    monkeypatch.setattr(looks, "is_raised_by", everyone)
    assert await _kinds_of_answer(world, at, CONVENOR, ("con_1", ABSENT)) == 2


def _without_the_id(row: tuple[Any, ...], name: str) -> tuple[Any, ...]:
    status, body, *rest = row
    return status, body.replace(name.encode(), b"con"), *map(tuple, rest)


async def test_the_requests_of_these_laws_reach_what_they_are_about() -> None:
    """A concern's originator gets an answer from every route about it that is not for people on duty."""
    world = await World.of([_about(1, "alpha", "theft", "t", 0, 1), _about(2, "alpha", "fire-risk", "t", 0, 1)])
    steps = [(at, name) for name in ("con_1", "con_2") for at in range(len(ABOUT))]
    answers = await world.answers(steps, CONVENOR)
    found = {ABOUT[at][0] for (at, _), (status, *_) in zip(steps, answers, strict=True) if status in (200, 201)}
    assert found >= {
        "/v1/decisions/{}", "/v1/decisions/{}/rounds", "/v1/correlations?subject-of={}", "/v1/decisions/{}/choices",
        "/v1/decisions/{}/human-decisions", "/v1/decisions/{}/emergencies", "/v1/panels",
    }  # fmt: skip
