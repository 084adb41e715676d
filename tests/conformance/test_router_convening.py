"""One suite for panels, in the router's store: in memory and in Postgres."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from services.router.domain.rounds import Person
from services.router.usecases import CannotBe, Convened, PanelResult, Proposal, Step, propose_panel, take_step
from shared.contracts.audit import AuditFact
from tests.support.clock import NOON
from tests.support.router_fakes import judging
from tests.support.router_stores import store_on
from tests.support.router_subjects import RECOGNISABLE, Watch, about
from tests.support.stack import TestPostgres

ADA, BO = Person("ada", "alpha", "Ada"), Person("bo", "beta", "Bo")
FORUM = {
    "kind": "forum", "id": "rrp", "name": "Regulatory Review Panel", "agreement": "pact", "purpose": "meets",
    "certainty": "source", "source": [],
}  # fmt: skip
FACT = AuditFact(
    fact_id="fct_late", kind="work-item", concern_id="con_1", at=NOON, service="router", actor="ada", body={}
)


@pytest.fixture
async def watch(postgres: TestPostgres | None) -> AsyncIterator[Watch]:
    async with store_on(postgres) as opened:
        watch = Watch(opened, judging(RECOGNISABLE, FORUM))
        await watch.decide(about(1))
        yield watch


async def propose(watch: Watch, key: str = "k", *also: str) -> Convened:
    asked = Proposal("rrp", ("con_1", *also), "speed matters", 1, ADA, key, f"request {key}")
    result = await propose_panel(asked, watch.desk)
    assert isinstance(result, Convened), result
    return result


async def step(watch: Watch, panel: str, behind: int, event: Any, by: Person = ADA, **body: Any) -> PanelResult:
    request = f"{event} {behind} {by.org}"
    return await take_step(Step(panel, event, {"reason": "r", **body}, by, behind, request), watch.desk)


async def test_what_people_said_is_kept_as_they_said_it(watch: Watch) -> None:
    panel = (await propose(watch)).panel.panel_id
    await step(watch, panel, 1, "convened", organisations=["beta"])
    await step(watch, panel, 2, "contributions-opened")
    result = await step(watch, panel, 3, "contributed", BO, answer="nothing-held")
    assert isinstance(result, Convened)
    async with watch.store.begin() as tx:
        events = await tx.panel_events(panel)
        assert await tx.panel_events("pnl_none") in ([], ())
    assert list(events) == list(result.events)
    assert (events[3].by, events[3].body) == (BO, {"reason": "r", "answer": "nothing-held"})
    assert events[0].body["members"] == ["alpha", "beta", "gamma"]


async def test_an_invitation_is_published_once_with_the_convening(watch: Watch) -> None:
    panel = (await propose(watch)).panel.panel_id
    before = await watch.store.events()
    result = await step(watch, panel, 1, "convened", organisations=["alpha", "beta"])
    fresh = await watch.store.events() - before
    assert sorted(name[:4] for name in fresh) == ["fct_", "ntc_"]
    assert await step(watch, panel, 1, "convened", organisations=["alpha", "beta"]) == result
    assert await watch.store.events() - before == fresh


async def test_a_body_is_invited_by_each_concern_that_it_was_told_of(watch: Watch) -> None:
    await watch.decide(about(2))
    panel = (await propose(watch, "k", "con_2")).panel.panel_id
    before = await watch.store.events()
    result = await step(watch, panel, 1, "convened", organisations=["beta"])
    assert isinstance(result, Convened)
    assert result.panel.about == {"beta": ("con_1", "con_2")}
    assert sorted(name[:4] for name in await watch.store.events() - before) == ["fct_", "ntc_", "ntc_"]


async def test_a_refused_convening_leaves_nothing(watch: Watch) -> None:
    panel = (await propose(watch)).panel.panel_id
    before = await watch.store.events()
    assert isinstance(await step(watch, panel, 1, "convened", organisations=["beta", "gamma"]), CannotBe)
    assert await watch.store.events() == before


async def test_of_two_at_once_one_event_has_the_number(watch: Watch) -> None:
    first = await propose(watch)
    before = await watch.store.events()
    async with watch.store.begin() as tx:
        assert not await tx.keep_panel_event(first.panel.panel_id, first.events[0], FACT)
    assert await watch.store.events() == before


async def test_the_same_proposal_finds_the_same_panel(watch: Watch) -> None:
    assert (await propose(watch)).panel.panel_id == (await propose(watch)).panel.panel_id
    asked = Proposal("rrp", ("con_1",), "other", 1, ADA, "k", "another request")
    assert isinstance(await propose_panel(asked, watch.desk), CannotBe)


async def test_a_body_whose_notice_was_withdrawn_is_invited_no_more(watch: Watch) -> None:
    panel = (await propose(watch)).panel.panel_id
    (notice,) = (await watch.store.told_by((await watch.store.decision("con_1", None)).key)).values()
    async with watch.store.begin() as tx:
        await tx.settle({notice: "withdrawn"})
    result = await step(watch, panel, 1, "convened", organisations=["beta"])
    assert isinstance(result, CannotBe)
    assert "choose or route them first: beta" in result.reason
