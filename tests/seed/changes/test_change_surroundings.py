"""What a change meets outside: the router's past concerns, the event loop, and the command line's client."""

import asyncio
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from deploy.client import APPROVERS, EDITOR, REVIEWER, Concordat, Credential, Refused, carry_change
from services.registry.adapters.change_router import HttpPastConcerns, NoPastConcerns
from services.registry.adapters.seed_files import read_objects
from services.registry.domain.errors import HistoryUnavailable
from services.registry.usecases import as_object, import_seed
from services.registry.usecases.change import Desk
from services.registry.usecases.change_gate import Worked, what_if
from shared.contracts.envelope import rfc3339
from tests.support.change_fakes import WINDOW, InMemoryChanges, ScriptedRouter, desk_of
from tests.support.clock import NOON, FrozenClock
from tests.support.registry_app import ISSUER, SECRET, RegistryUnderTest, change
from tests.support.small_graph import SMALL, source

Answer = Callable[[httpx.Request], httpx.Response]


def concerns_over(answer: Answer, *, count_max: int = 1_000) -> HttpPastConcerns:
    def connect(_seconds: float) -> httpx.AsyncClient:
        return httpx.AsyncClient(transport=httpx.MockTransport(answer))

    return HttpPastConcerns("http://router/", lambda: "own-token", count_max, 5, connect)


def pages_of(minutes: list[int], size: int) -> Answer:
    """A router that received a concern in each of these minutes after noon, oldest first."""
    rows = [
        {
            "concern_id": f"con_{number}",
            "version": 1,
            "received_at": rfc3339(NOON + timedelta(minutes=minute)),
            "routing": {"originator": "cqc"},
        }
        for number, minute in enumerate(sorted(minutes))
    ]

    def answer(request: httpx.Request) -> httpx.Response:
        assert request.headers["authorization"] == "Bearer own-token"
        first = int(request.url.params["after"] or 0)
        behind = first + size
        following = str(behind) if behind < len(rows) else None
        return httpx.Response(200, json={"items": rows[first:behind], "next": following})

    return answer


@given(st.lists(st.integers(0, 9), max_size=12), st.integers(1, 4), st.integers(1, 6), st.integers(0, 10))
async def test_every_concern_of_the_window_is_read_and_the_newest_are_kept(
    minutes: list[int], size: int, count_max: int, until: int
) -> None:
    past = concerns_over(pages_of(minutes, size), count_max=count_max)
    found = await past.between(NOON, NOON + timedelta(minutes=until))
    inside = [f"con_{n}" for n, minute in enumerate(sorted(minutes)) if minute < until]
    assert [concern.concern_id for concern in found.concerns] == inside[-count_max:]
    assert found.left_out == max(0, len(inside) - count_max)
    assert (found.since, found.known) == ("2025-03-10T12:00:00Z", True)


@pytest.mark.parametrize(
    "answer",
    [
        lambda _request: httpx.Response(503),
        lambda _request: httpx.Response(403, json={}),
        lambda _request: httpx.Response(200, text="<html>"),
        lambda _request: httpx.Response(200, json={"items": [{"concern_id": 1}], "next": None}),
        lambda request: (_ for _ in ()).throw(httpx.ConnectError("away", request=request)),
    ],
)
async def test_a_router_that_gives_no_answer_makes_the_history_unknown(answer: Answer) -> None:
    with pytest.raises(HistoryUnavailable):
        await concerns_over(answer).between(NOON, NOON)


async def test_a_registry_that_knows_no_router_says_that_it_knows_no_history() -> None:
    assert (await NoPastConcerns().between(NOON, NOON)).known is False


async def test_the_service_goes_on_while_a_change_is_assessed() -> None:
    """The analyses wait for the event loop: on the event loop they would wait in vain."""
    loop_ran = threading.Event()

    def analyse(_graph: object, _day: object) -> tuple[()]:
        assert loop_ran.wait(5), "the event loop stood still"
        return ()

    changes = InMemoryChanges()
    await import_seed(lambda: SMALL, begin=changes.history.begin, clock=FrozenClock())
    desk = Desk(changes.begin, FrozenClock(), ScriptedRouter(), analyse, WINDOW)
    working = asyncio.create_task(what_if([as_object(source("new"))], None, desk=desk))
    asyncio.get_running_loop().call_later(0.01, loop_ran.set)
    assert isinstance(await working, Worked)


@pytest.fixture
async def concordat(tmp_path: Path) -> Concordat:
    changes, clock = InMemoryChanges(), FrozenClock()
    await import_seed(read_objects, begin=changes.history.begin, clock=clock)
    desk = desk_of(changes, clock=clock)
    app = RegistryUnderTest(changes.history.begin, clock=clock, folder=tmp_path, desk=desk)
    clients = {EDITOR: "editor", REVIEWER: "reviewer", APPROVERS[0]: "approver-1", APPROVERS[1]: "approver-2"}
    credentials = {name: Credential(client, SECRET) for name, client in clients.items()}
    return Concordat({"registry": ISSUER}, credentials, app.http)


async def test_the_client_carries_a_change_with_new_terms_all_the_way(concordat: Concordat) -> None:
    row = next(dict(row) for row in read_objects() if row["id"] == "jwp-cqc-gmc")
    asked = change(1, {**row, "title": "Second edition"}, source("new"))
    assert await carry_change(concordat, asked, evidence="the signed copy") == 2
    (shown,) = (await concordat.get(EDITOR, "registry", "/v1/changes"))["items"]
    assert (shown["state"], shown["signatures"]) == ("scheduled", 2)


async def test_the_client_sends_a_large_change_in_parts(concordat: Concordat, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deploy.client.PART_OBJECTS_MAX", 2)
    assert await carry_change(concordat, change(1, *(source(f"page-{n}") for n in range(5)))) == 2
    (shown,) = (await concordat.get(EDITOR, "registry", "/v1/changes"))["items"]
    assert shown["objects"] == 5
    history = (await concordat.get(EDITOR, "registry", f"/v1/changes/{shown['change_id']}"))["history"]
    parts = [row["said"]["content"] for row in history if "content" in row["said"]]
    assert [(part["count"], part["more"]) for part in parts] == [(2, True), (2, True), (1, False)]


async def test_a_refusal_on_the_way_is_said_in_its_own_words(concordat: Concordat) -> None:
    with pytest.raises(Refused, match="412 The graph has moved on") as refused:
        await carry_change(concordat, change(7, source("new")))
    assert refused.value.status == 412
