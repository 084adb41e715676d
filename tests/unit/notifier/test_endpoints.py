"""Endpoints: one first and one alternate for each organisation, keys of their own, consent before anything is sent."""

from dataclasses import replace
from datetime import timedelta
from functools import partial

import orjson
import pytest

from services.notifier.domain.consent import ALLOWED_ORIGIN, ALLOWED_RATE
from services.notifier.domain.destination import Guard
from services.notifier.domain.errors import (
    DestinationRefused,
    EndpointExists,
    NotApproved,
    NothingThere,
    NotVerified,
    SamePerson,
    ScheduleRefused,
)
from services.notifier.domain.model import Access, Answer, Endpoint, EndpointState, OAuthClient
from services.notifier.domain.signature import public_bytes, verify
from services.notifier.usecases import (
    Rules,
    Wanted,
    approve_endpoint,
    change_endpoint,
    endpoint_of,
    published_keys,
    register_endpoint,
    rotate_keys,
    send_test,
    verify_endpoint,
)
from tests.support.clock import NOON, FrozenClock
from tests.support.notifier_endpoints import InMemoryEndpoints
from tests.support.notifier_fakes import ScriptedWire

STRICT = Rules(Guard(), "concordat.example", verify=True, hosts=frozenset({"gmc.example"}))
UNLISTED = replace(STRICT, hosts=frozenset({"nmc.example", "*.gmc.example"}))
DEVELOPMENT = Rules(Guard(), "concordat.example", verify=False)
URL = "https://gmc.example/hooks"


class EchoingWire(ScriptedWire):
    """Knows no handshake, and sends the challenge back."""

    async def post(self, url, headers, body, access=None):  # type: ignore[no-untyped-def]  # the port's own types
        await ScriptedWire.post(self, url, headers, body, access)
        return Answer(200, orjson.dumps({"challenge": orjson.loads(body)["data"]["challenge"]}))


async def registered(endpoints: InMemoryEndpoints, rules: Rules = DEVELOPMENT, **wishes: object) -> Endpoint:
    wanted = Wanted("gmc", URL, **wishes)  # type: ignore[arg-type]  # as the test says
    return (
        await register_endpoint(wanted, by="gmc-clerk", rules=rules, clock=FrozenClock(), endpoints=endpoints)
    ).endpoint


async def verified(endpoint: Endpoint, wire: ScriptedWire, endpoints: InMemoryEndpoints) -> Endpoint:
    return await verify_endpoint(endpoint, rules=STRICT, clock=FrozenClock(), wire=wire, endpoints=endpoints)


async def test_an_endpoint_has_keys_of_its_own_that_no_text_shows() -> None:
    endpoints, wanted = InMemoryEndpoints(), Wanted("gmc", URL)
    made = await register_endpoint(wanted, by="gmc-clerk", rules=DEVELOPMENT, clock=FrozenClock(), endpoints=endpoints)
    other = await registered(endpoints, alternate=True)
    first, second = await endpoints.targets(now=NOON)
    assert first.keys == (made.keys,)
    assert len({first.keys[0].secret, first.keys[0].seed, second.keys[0].secret, second.keys[0].seed}) == 4
    assert made.keys.secret.hex() not in repr(made) + repr(first) + repr(made.keys)
    assert other.alternate


async def test_an_organisation_has_one_first_endpoint_and_one_alternate() -> None:
    endpoints = InMemoryEndpoints()
    for alternate in (False, True):
        await registered(endpoints, alternate=alternate)
        with pytest.raises(EndpointExists):
            await registered(endpoints, alternate=alternate)


@pytest.mark.parametrize(
    ("wanted", "fault", "words"),
    [
        (Wanted("gmc", "http://gmc.example/"), DestinationRefused, "only https"),
        (
            Wanted("gmc", URL, access=Access(oauth=OAuthClient("https://10.0.0.1/t", "a", "b"))),
            DestinationRefused,
            "token address",
        ),
        (Wanted("gmc", URL, retry_seconds=(0, 5)), ScheduleRefused, "last pause"),
        (Wanted("gmc", URL, retry_seconds=(-1, 600)), ScheduleRefused, "a pause has"),
        (Wanted("gmc", URL, retry_seconds=(600,) * 21), ScheduleRefused, "1 to 20"),
    ],
)
async def test_what_breaks_a_rule_is_refused_with_the_rule(wanted: Wanted, fault: type[Exception], words: str) -> None:
    endpoints = InMemoryEndpoints()
    with pytest.raises(fault, match=words):
        await register_endpoint(wanted, by="gmc-clerk", rules=DEVELOPMENT, clock=FrozenClock(), endpoints=endpoints)
    assert endpoints.rows == {}


async def test_another_organisations_endpoint_is_as_absent_as_none() -> None:
    endpoints = InMemoryEndpoints()
    endpoint = await registered(endpoints)
    for asked, org in ((endpoint.endpoint_id, "nmc"), ("end_none", "gmc")):
        with pytest.raises(NothingThere):
            await endpoint_of(asked, org=org, endpoints=endpoints)
    assert (await endpoint_of(endpoint.endpoint_id, org=None, endpoints=endpoints)).org == "gmc"


async def test_nothing_is_sent_to_an_endpoint_before_it_has_consented() -> None:
    endpoints = InMemoryEndpoints()
    endpoint = await registered(endpoints, STRICT)
    assert endpoint.state is EndpointState.UNVERIFIED
    assert await endpoints.targets(now=NOON) == []
    with pytest.raises(NotVerified, match="not been verified"):
        await change_endpoint(endpoint, EndpointState.ACTIVE, rules=STRICT, clock=FrozenClock(), endpoints=endpoints)
    consent = Answer(200, headers={ALLOWED_ORIGIN: "concordat.example", ALLOWED_RATE: "120"})
    active = await verified(endpoint, ScriptedWire(consents=[consent]), endpoints)
    assert (active.state, active.rate_per_minute) == (EndpointState.ACTIVE, 120)
    (target,) = await endpoints.targets(now=NOON)
    assert target.rate_per_minute == 120


async def test_nothing_at_all_is_sent_to_a_host_that_is_not_listed_before_a_second_person_has_approved_it() -> None:
    endpoints, wire = InMemoryEndpoints(), EchoingWire()
    endpoint = await registered(endpoints, UNLISTED)
    with pytest.raises(NotApproved):
        await verified(endpoint, wire, endpoints)
    with pytest.raises(NotApproved):
        await send_test(endpoint, clock=FrozenClock(), wire=wire, endpoints=endpoints)
    with pytest.raises(SamePerson):
        await approve_endpoint(endpoint, by="gmc-clerk", clock=FrozenClock(), endpoints=endpoints)
    assert (wire.asked, wire.sent, await endpoints.targets(now=NOON)) == ([], [], [])
    approved = await approve_endpoint(endpoint, by="operator", clock=FrozenClock(), endpoints=endpoints)
    assert (await verified(approved, wire, endpoints)).state is EndpointState.ACTIVE
    assert (await endpoints.one(endpoint.endpoint_id) or endpoint).approved_by == "operator"


async def test_pausing_is_no_way_round_an_approval() -> None:
    endpoints, wire = InMemoryEndpoints(), EchoingWire()
    endpoint = await registered(endpoints, UNLISTED)
    change = partial(change_endpoint, rules=UNLISTED, clock=FrozenClock(), endpoints=endpoints)
    paused = await change(endpoint, EndpointState.PAUSED)
    with pytest.raises(NotVerified):
        await change(paused, EndpointState.ACTIVE)
    with pytest.raises(NotApproved):
        await verified(paused, wire, endpoints)


async def test_what_is_approved_stays_approved_by_the_first_who_did() -> None:
    endpoints = InMemoryEndpoints()
    endpoint = await registered(endpoints, UNLISTED)
    for by in ("operator", "gmc-clerk", "another"):
        endpoint = await approve_endpoint(endpoint, by=by, clock=FrozenClock(), endpoints=endpoints)
        assert endpoint.approved_by == "operator"


async def test_a_token_endpoint_on_a_host_that_is_not_listed_waits_as_well() -> None:
    oauth = OAuthClient("https://login.elsewhere.example/token", "id", "secret")
    endpoint = await registered(InMemoryEndpoints(), STRICT, access=Access(oauth=oauth))
    assert endpoint.approved_by is None


async def test_who_knows_no_handshake_may_send_the_challenge_back() -> None:
    endpoints, wire = InMemoryEndpoints(), EchoingWire()
    active = await verified(await registered(endpoints, STRICT), wire, endpoints)
    assert (active.state, active.rate_per_minute) == (EndpointState.ACTIVE, None)
    ((_, headers, body),) = wire.sent
    (target,) = await endpoints.targets(now=NOON)
    verify([target.keys[0].secret], headers, body, now_seconds=NOON.timestamp())


async def test_who_answers_well_but_knows_neither_is_not_verified_and_told_both_reasons() -> None:
    endpoints = InMemoryEndpoints()
    with pytest.raises(NotVerified, match=r"handshake: .*challenge: its answer does not hold"):
        await verified(await registered(endpoints, STRICT), ScriptedWire([Answer(204)]), endpoints)
    assert await endpoints.targets(now=NOON) == []


async def test_new_keys_sign_beside_the_old_ones_for_a_day() -> None:
    endpoints, clock = InMemoryEndpoints(), FrozenClock()
    endpoint = await registered(endpoints)
    (before,) = await endpoints.targets(now=clock.now())
    made = await rotate_keys(endpoint, clock=clock, endpoints=endpoints)
    (both,) = await endpoints.targets(now=clock.now() + timedelta(hours=24, microseconds=-1))
    assert both.keys == (made.keys, *before.keys)
    published = await published_keys(endpoint.endpoint_id, clock=clock, endpoints=endpoints)
    assert len({public_bytes(key) for key in published}) == 2
    (after,) = await endpoints.targets(now=clock.now() + timedelta(hours=24))
    assert after.keys == (made.keys,)


async def test_keys_changed_twice_in_a_day_all_sign_until_their_own_overlap_ends() -> None:
    """Who lost the answer to a change asks again, and still has only the first keys."""
    endpoints, clock = InMemoryEndpoints(), FrozenClock()
    endpoint = await registered(endpoints)
    (first,) = await endpoints.targets(now=clock.now())
    second = await rotate_keys(endpoint, clock=clock, endpoints=endpoints)
    clock.move(timedelta(hours=1))
    third = await rotate_keys(endpoint, clock=clock, endpoints=endpoints)
    (all_three,) = await endpoints.targets(now=clock.now() + timedelta(hours=22))
    assert all_three.keys == (third.keys, second.keys, *first.keys)
    (two,) = await endpoints.targets(now=clock.now() + timedelta(hours=23))
    assert two.keys == (third.keys, second.keys)


async def test_a_test_event_is_signed_and_its_answer_shown() -> None:
    endpoints, wire = InMemoryEndpoints(), ScriptedWire([Answer(418, b"short and stout")])
    endpoint = await registered(endpoints)
    answer = await send_test(endpoint, clock=FrozenClock(), wire=wire, endpoints=endpoints)
    assert (answer.status, answer.body) == (418, b"short and stout")
    ((url, headers, body),) = wire.sent
    (target,) = await endpoints.targets(now=NOON)
    verify([target.keys[0].secret], headers, body, now_seconds=NOON.timestamp())
    assert (url, orjson.loads(body)["type"]) == (URL, "uk.concordat.endpoint.tested.v1")
