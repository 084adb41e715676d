"""A statutory duty that covers a concern is sent, or it is said why not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from hypothesis import given

from services.router.domain.duties import duties_on
from services.router.usecases import route_concerns
from shared.agreements import Snapshot, decide, facts_of
from shared.records import Batch
from tests.rules import small
from tests.rules.small import Row
from tests.support.clock import FrozenClock
from tests.support.router_app import CASE_SYSTEM, OPERATOR, READER, STRANGER, RouterUnderTest
from tests.support.router_fakes import InMemoryRouter, a_concern, judging
from tests.unit.agreements.strategies import quick, routings, worlds

FEED = small.pact(small.clause(mode="feed"))
DUTY = small.duty(small.clause(effect="REQUIRE"))


def reasons(*objects: Row, **concern: Any) -> dict[str, str | None]:
    """Why each body that a duty names is not told; None where it is."""
    snapshot = small.world(DUTY, *objects)
    facts = facts_of({**a_concern().routing, **concern})
    decision = decide(snapshot, facts)
    told = {outcome.org for outcome in decision.told}
    return {duty.org: duty.reason for duty in duties_on(snapshot, facts, decision, told)}


@pytest.mark.parametrize(
    ("objects", "concern", "reason"),
    [
        ((), {}, None),
        ((), {"purposes": ["law"]}, "PURPOSE_NOT_COVERED"),
        ((), {"sensitivity": ["personal_data", "child"]}, None),  # by the pact, which carries more
        ((FEED,), {"sensitivity": ["personal_data", "child"]}, "INSTRUMENT_INSUFFICIENT"),
        ((small.barred_alpha(), small.bar()), {}, "FORBIDDEN"),
        ((), {"subjects": [{"kind": "provider", "org": "beta"}]}, "SUBJECT_IS_RECIPIENT"),
        ((), {"subjects": [{"kind": "provider", "org": "alpha"}]}, "HOLD_CONFLICT"),
        ((), {"topics": ["unheard-of"]}, "HOLD_UNKNOWN_TERM"),
    ],
)
def test_a_duty_that_covers_the_concern_is_kept_or_it_is_said_why_not(
    objects: tuple[Row, ...], concern: Row, reason: str | None
) -> None:
    assert reasons(*objects, **concern) == {"beta": reason}


@pytest.mark.parametrize(
    ("objects", "concern"),
    [
        ((small.duty(small.clause(effect="REQUIRE"), in_force=small.during(None, "2020-01-01")),), {}),
        ((), {"categories": ["fire-risk"]}),
        ((), {"nation": "scotland"}),
        ((small.duty(small.clause()),), {}),
    ],
    ids=["ended", "another matter", "another nation", "a permission"],
)
def test_what_does_not_bind_is_no_duty(objects: tuple[Row, ...], concern: Row) -> None:
    assert reasons(*objects, **concern) == {}


@quick
@given(worlds(), routings())
def test_a_duty_that_nothing_shuts_is_kept(snapshot: Snapshot, routing: Row) -> None:
    """So a reason is always one of the law, of the concern, or of a hold, and never of this report."""
    facts = facts_of(routing)
    decision = decide(snapshot, facts)
    told = {outcome.org for outcome in decision.told}
    for duty in duties_on(snapshot, facts, decision, told):
        assert (duty.reason is None) == (duty.org in told)
        assert duty.reason not in ("REQUIRED", "PERMITTED", "AVAILABLE")


@pytest.fixture
async def router() -> AsyncIterator[RouterUnderTest]:
    store, current = InMemoryRouter(), judging(DUTY)
    concerns = (a_concern(1), a_concern(2, purposes=["law"]), a_concern(3, received_at="some day"))
    await route_concerns(Batch(concerns, ()), current=current, ledger=store, clock=FrozenClock())
    under_test = RouterUnderTest(store, current, FrozenClock())
    yield under_test
    await under_test.http.aclose()


async def test_the_originator_and_operators_are_shown_what_was_sent_and_what_was_not(router: RouterUnderTest) -> None:
    for by in (READER, OPERATOR):
        (kept,) = (await router.get("/v1/decisions/con_1/duties", by=by)).json()["duties"]
        assert kept == {
            "duty": "duty/c1", "title": "Pact", "org": "beta", "sent": True, "not_sent_because": None,
        }  # fmt: skip
        (missed,) = (await router.get("/v1/decisions/con_2/duties", by=by)).json()["duties"]
        assert (missed["sent"], missed["not_sent_because"]["reason"]) == (False, "PURPOSE_NOT_COVERED")
        assert (await router.get("/v1/decisions/con_3/duties", by=by)).json()["duties"] == []


async def test_nobody_else_learns_that_there_is_such_a_concern(router: RouterUnderTest) -> None:
    answers = [await router.get(f"/v1/decisions/{name}/duties", by=STRANGER) for name in ("con_1", "con_9")]
    assert [answer.status_code for answer in answers] == [404, 404]
    assert {**answers[0].json(), "trace": ""} == {**answers[1].json(), "trace": ""}
    assert (await router.get("/v1/decisions/con_1/duties", by=CASE_SYSTEM)).status_code == 403
