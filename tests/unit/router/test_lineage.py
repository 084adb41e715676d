"""What is built on a concern: pointed out when that one is corrected, taken back with it, told within its terms."""

from dataclasses import replace
from typing import Any

from services.router.domain.model import Concern, Recall, WorkItem
from services.router.entrypoints.item_views import item_view, whole_item_view
from services.router.usecases import ItemLook, look_at_item, route_concerns
from services.router.usecases.desk import Desk
from shared.contracts.decision import ToldBody
from shared.records import Batch
from tests.rules import small
from tests.support.clock import NOON, FrozenClock
from tests.support.router_fakes import InMemoryRouter, a_concern, judging

ONWARD = small.pact(small.clause(frm=["beta"], to=["gamma"]), id="onward", lineage="onward")
GAMMA = small.org("gamma", small.remit())
GIVEN = {"header": "full", "narrative": "generalise"}


class Case:
    """Alpha tells beta, and beta tells gamma of what it builds on that."""

    def __init__(self) -> None:
        self.store, self.clock, self.current = InMemoryRouter(), FrozenClock(), judging(ONWARD, GAMMA)

    async def route(self, *events: Concern | Recall) -> None:
        batch = Batch(tuple(events), ())
        await route_concerns(batch, current=self.current, ledger=self.store, clock=self.clock)

    @property
    def desk(self) -> Desk:
        return Desk(self.current, self.store.begin, self.clock)

    @property
    def pointed_out(self) -> list[WorkItem]:
        return [item for item in self.store.state.items.values() if item.kind == "derived"]

    def sent(self, kind: str) -> list[tuple[str, str]]:
        notices = [event.data for event in self.store.state.issued]
        return [(notice.concern_id, notice.recipient) for notice in notices if notice.kind == kind]


def source(version: int = 1, descendants: tuple[str, ...] = ()) -> Concern:
    return replace(a_concern(1, version=version), descendants=descendants)


def built(version: int = 1, **hop: Any) -> Concern:
    """Beta's concern, on what alpha told it."""
    way = {"from": "alpha", "to": "beta", "onward": "free", "fields": GIVEN, "concern_id": "con_1", **hop}
    return a_concern(2, version=version, originator="beta", provenance=[way])


async def test_what_is_built_on_another_concern_goes_on_no_wider_than_it_was_given() -> None:
    case = Case()
    await case.route(source(), built())
    assert case.sent("tell") == [("con_1", "beta"), ("con_2", "gamma")]
    fields = [event.data.fields["narrative"] for event in case.store.state.issued]
    assert fields == ["full", "generalise"]
    assert case.store.state.issued[1].data.withheld == {"registrant": "provenance"}


async def test_what_may_not_go_on_reaches_nobody() -> None:
    case = Case()
    await case.route(source(), built(onward="none"))
    assert case.sent("tell") == [("con_1", "beta")]


async def test_intake_is_told_what_each_body_may_pass_on() -> None:
    case = Case()
    await case.route(source(), built())
    told = [row for event in case.store.state.routed for row in event.data.told]
    assert [(row.org, row.onward, row.fields) for row in told] == [
        ("beta", "free", {"header": "full", "registrant": "generalise", "narrative": "full"}),
        ("gamma", "free", GIVEN),
    ]
    assert ToldBody(org="beta", notice_id="ntc_1", reason="PERMITTED").fields is None


async def test_a_pointer_may_be_passed_on_as_a_pointer() -> None:
    case = Case()
    await case.route(
        a_concern(1, field_classes=["registrant"]),
        replace(built(), routing={**built().routing, "field_classes": ["registrant"]}),
    )
    told = {row.org: row.fields for event in case.store.state.routed for row in event.data.told}
    assert told["gamma"] == {"header": "full"}


async def test_a_correction_points_out_what_was_built_on_what_was_said_before() -> None:
    case = Case()
    await case.route(source(), built())
    await case.route(source(2, ("con_2", "con_9")))
    items = {item.key.concern_id: item for item in case.pointed_out}
    assert {name: (item.codes, item.bodies, item.ref) for name, item in items.items()} == {
        "con_2": (("SOURCE_CORRECTED",), ("beta",), "con_1"),
        "con_9": (("SOURCE_CORRECTED",), (), "con_1"),
    }
    assert case.sent("recall") == case.sent("withdrawal") == []


async def test_the_same_correction_again_points_out_nothing_twice() -> None:
    case = Case()
    await case.route(source(), built())
    for _ in range(2):
        await case.route(source(2, ("con_2",)))
    assert len(case.pointed_out) == 1


async def test_nobody_looks_any_more_once_what_was_built_is_amended_or_recalled() -> None:
    for after in (built(2), Recall("con_2", "wrong-facts")):
        case = Case()
        await case.route(source(), built())
        await case.route(source(2, ("con_2",)))
        await case.route(after)
        assert [item.resolution for item in case.pointed_out] == ["superseded"]


async def test_what_was_recalled_is_not_pointed_out() -> None:
    case = Case()
    await case.route(source(), built())
    await case.route(Recall("con_2", "wrong-facts"))
    await case.route(source(2, ("con_2",)))
    assert case.pointed_out == []


async def test_a_recall_reaches_whom_the_descendants_told() -> None:
    case = Case()
    await case.route(source(), built())
    await case.route(Recall("con_1", "wrong-facts", ("con_2",)))
    assert case.sent("recall") == [("con_1", "beta"), ("con_2", "gamma")]


async def test_an_item_names_its_source_and_tells_nobody() -> None:
    case = Case()
    await case.route(source(), built())
    await case.route(source(2, ("con_2",)))
    (item,) = case.pointed_out
    view = item_view(item, NOON)
    assert (view["kind"], view["source"], view["notice_id"]) == ("derived", "con_1", None)
    look = await look_at_item(item.item_id, case.store, case.desk)
    assert isinstance(look, ItemLook)
    whole = whole_item_view(look, NOON)
    assert whole["says"] == ["A concern that this one was built on was corrected: see whether this one still stands."]
    assert whole["can_do"] == [{"action": "wait"}, {"action": "close"}]
