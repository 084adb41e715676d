"""On what terms a body that was told would be told now: its own affair, by the law of this moment."""

from datetime import timedelta
from typing import Any

import pytest

from services.router.domain.model import Recall
from services.router.usecases import route_concerns
from shared.records import Batch
from tests.rules import small
from tests.support.clock import NOON, FrozenClock
from tests.support.router_app import CASE_SYSTEM, OPERATOR, READER, STRANGER, RouterUnderTest
from tests.support.router_fakes import InMemoryRouter, a_concern, graph_objects, judge_of, judging, replica_of

PATH = "/v1/decisions/con_1/organisations/beta/terms?version=1"


class House:
    """A router that has told beta of concern 1; what comes into force afterwards, and how long it is ago."""

    def __init__(self) -> None:
        self.store, self.clock, self.current = InMemoryRouter(), FrozenClock(), judging()
        self.router = RouterUnderTest(self.store, self.current, self.clock)

    async def tell(self) -> "House":
        await self._route(a_concern(1), a_concern(2, categories=["theft"]))
        return self

    async def recall(self) -> None:
        await self._route(Recall("con_1", "wrong-facts"))

    def commit(self, *objects: Any) -> None:
        self.current.swap(judge_of(replica_of(graph_objects(*objects), 2)))

    async def terms(self, *, by: str = STRANGER, path: str = PATH) -> dict[str, Any]:
        answer = await self.router.get(path, by=by)
        return {"status": answer.status_code, **answer.json()}

    async def _route(self, *events: Any) -> None:
        await route_concerns(Batch(events, ()), current=self.current, ledger=self.store, clock=self.clock)


async def test_a_body_that_was_told_reads_its_clauses_its_fields_and_what_leaves_a_class_out() -> None:
    house = await House().tell()
    house.commit(small.pact(small.clause(fields={"narrative": "omit"})))
    terms = await house.terms()
    assert (terms["status"], terms["told"], terms["graph"]["version"]) == (200, True, 2)
    assert [(row["agreement"], row["clause"]) for row in terms["because"]] == [("pact", "c1")]
    assert terms["fields"] == {"header": "full", "registrant": "generalise", "narrative": "omit"}
    assert terms["withheld"] == {"narrative": "pact/c1"}
    assert terms["onward"] == "free"


@pytest.mark.parametrize("ended", [{"terminated": "2025-03-03"}, {"in_force": small.during(end="2025-03-03")}])
async def test_once_its_clauses_have_ended_that_is_all_that_is_said(ended: dict[str, Any]) -> None:
    house = await House().tell()
    house.commit(small.pact(**ended))
    terms = await house.terms()
    assert (terms["status"], terms["told"]) == (200, False)
    assert terms.keys() == {"status", "concern_id", "version", "org", "graph", "as_of", "told"}


async def test_the_law_is_that_of_the_receipt_and_the_time_since_acceptance() -> None:
    house = await House().tell()
    house.commit(small.pact(in_force=small.during(end="2025-03-10")))
    before = await house.terms()
    house.clock.moment = NOON + timedelta(days=7)
    after = await house.terms()
    assert (before["told"], before["as_of"], after["told"]) == (True, "2025-03-03T10:00:01Z", False)
    assert after["as_of"] == "2025-03-10T10:00:01Z"


async def test_what_was_recalled_answers_like_what_does_not_exist() -> None:
    house = await House().tell()
    await house.recall()
    assert (await house.terms())["status"] == 404


@pytest.mark.parametrize(
    ("by", "path"),
    [
        (STRANGER, PATH.replace("con_1", "con_9")),
        (STRANGER, PATH.replace("con_1", "con_2")),
        (STRANGER, PATH.replace("version=1", "version=2")),
        (STRANGER, PATH.replace("beta", "gamma")),
        (READER, PATH),
        (OPERATOR, PATH),
    ],
    ids=["absent", "not told", "another version", "another body", "the originator", "an operator"],
)
async def test_everybody_else_gets_the_answer_of_what_does_not_exist(by: str, path: str) -> None:
    house = await House().tell()
    answer = await house.terms(by=by, path=path)
    assert {**answer, "trace": ""} == {**(await house.terms(path=PATH.replace("con_1", "con_9"))), "trace": ""}
    assert answer["status"] == 404


async def test_a_token_without_the_scope_and_a_question_without_a_version_are_refused() -> None:
    house = await House().tell()
    assert (await house.terms(by=CASE_SYSTEM))["status"] == 403
    assert (await house.terms(path=PATH.partition("?")[0]))["status"] == 422
