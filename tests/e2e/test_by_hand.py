"""What people decide by hand, on the whole system: each body hears what it led to, and no more."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.support.stack import reachable_dir
from tests.support.waiting import until
from tests.support.world import ONE_RECIPIENT, World, a_world

pytestmark = [pytest.mark.stack, pytest.mark.asyncio(loop_scope="module")]
THREAT = "bar-phso-s15/threat-to-patients"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def world() -> AsyncIterator[World]:
    with reachable_dir() as folder:
        async with a_world(folder) as made:
            yield made


BELFAST = {
    **ONE_RECIPIENT,
    "nation": "northern-ireland",
    "subjects": [{"kind": "registrant", "registers": ["psni"]}],
}
"""CQC hears of a pharmacist in Belfast: PSNI should know, and no agreement joins the two."""


async def test_in_an_emergency_two_people_tell_by_their_own_tokens_and_a_third_reviews_it(world: World) -> None:
    (concern_id,) = await world.publish(1, concern=BELFAST)
    await until(lambda: world.is_decided(concern_id), seconds=30, what="the concern is decided")
    by, approver, third = "duty-router-1", "emergency-approver", "duty-router-2"
    said = {"decided_by": "Duty One", "approved_by": "Approver", "approver_position": "director on call"}
    body = {"organisations": ["psni"], "reason": "danger", "telephoned": "the duty desk at 10:05", **said}
    path = f"/v1/decisions/{concern_id}/emergencies"
    answers = [await world.post_as(by, path, body, approver=who) for who in (by, approver)]
    assert [answer.status_code for answer in answers] == [403, 200]
    assert [row["org"] for row in answers[1].json()["told"]] == ["psni"]
    items = (await world.concordat.get(by, "router", "/v1/work-items", kind="emergency"))["items"]
    (item,) = [row for row in items if row["concern_id"] == concern_id]
    assert item["due_at"] is not None
    path, closing = f"/v1/work-items/{item['item_id']}/resolution", {"action": "close", "reason": "it was right"}
    reviews = [await world.post_as(who, path, closing) for who in (by, third)]
    assert [answer.status_code for answer in reviews] == [403, 200]


OMBUDSMAN = {**ONE_RECIPIENT, "originator": "phso", "urgency": "urgent"}
"""An investigation of PHSO's finds an unsafe doctor: nobody may be told unless a person opens a gateway (s.15)."""
SHARE = {
    "decision": "share",
    "receiving_organisations": ["gmc"],
    "gateways": [THREAT],
    "why_necessary": "nobody else can stop this doctor from practising",
    "data_described": "who the doctor is, and what was found",
    "purpose": "to protect patients",
    "legal_power": "Health Service Commissioners Act 1993 s.15(1)(e)",
    "lawful_basis": "UK GDPR Article 6(1)(e)",
    "reason": "the doctor works with patients today",
    "decided_by": "Director One",
    "position": "director of investigations",
}
NOT_TO_SHARE = {**SHARE, "decision": "do-not-share", "why_necessary": "", "reason": "the finding was about another"}


async def test_what_a_person_opens_tells_a_body_and_what_a_person_closes_is_withdrawn_from_it(world: World) -> None:
    (concern_id,) = await world.publish(1, concern=OMBUDSMAN)
    await until(lambda: world.is_decided(concern_id), seconds=30, what="the concern is decided")
    assert world.came(concern_id) == set()
    path = f"/v1/decisions/{concern_id}/human-decisions"
    assert (await world.post_as("gmc", path, SHARE)).status_code == 404, "it is not theirs"

    opened = await world.post_as("phso", path, SHARE)
    assert opened.status_code == 200, opened.text
    told = {("gmc", "tell", 1)}
    await until(lambda: world.came(concern_id) == told, seconds=60, what="the body is told")

    closed = await world.post_as("phso", path, NOT_TO_SHARE)
    assert closed.status_code == 200, closed.text
    withdrawn = told | {("gmc", "withdrawal", 1)}
    await until(lambda: world.came(concern_id) == withdrawn, seconds=60, what="the body hears of the withdrawal")

    again = await world.post_as("phso", path, {**SHARE, "reason": "it was this doctor after all"})
    assert (again.status_code, again.json()["type"]) == (409, "urn:concordat:problem:told-once")
    assert world.came(concern_id) == withdrawn

    stored = await world.concordat.get("phso", "intake", f"/v1/concerns/{concern_id}")
    amended = {**OMBUDSMAN, "originator_ref": stored["originator_ref"], "version": 2}
    await world.concordat.post("phso", "intake", f"/v1/concerns/{concern_id}/versions", amended)

    async def decided_anew() -> bool:
        decision = await world.decision(concern_id)
        return decision is not None and decision["version"] == 2

    await until(decided_anew, seconds=30, what="the new version is decided")
    reopened = await world.post_as("phso", path, {**SHARE, "reason": "this version names the right doctor"})
    assert reopened.status_code == 200, reopened.text
    both = withdrawn | {("gmc", "tell", 2)}
    await until(lambda: world.came(concern_id) == both, seconds=60, what="the body is told of the new version")
