"""What is filled into a form is, byte for byte, what the contract would have written."""

from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from services.router.domain.model import Concern, Verdict
from services.router.domain.policy import Judge
from services.router.domain.rounds import Act, Dossier, Person
from services.router.usecases.events import issued_event, routed_event
from services.router.usecases.telling import decided_of, round_of, silenced
from services.router.usecases.wording import wording_of
from shared.contracts.decision import ConcernRouted
from tests.support.clock import NOON
from tests.support.router_fakes import SEALED, a_concern, judging

WORDS = st.text(st.characters(codec="utf-8"), max_size=12) | st.sampled_from(
    ["%(concern)b", "100 %", '"\\', "\0concern"]
)
NAMES = WORDS.filter(lambda word: not word.startswith("\0"))
MOMENTS = st.datetimes(datetime(2, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - Hypothesis adds the zone
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53) + 1, 2**53 - 1) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
CONCERNS = st.builds(
    Concern,
    concern_id=WORDS,
    version=st.integers(1, 3),
    digest=WORDS,
    accepted_at=MOMENTS,
    routing=st.dictionaries(WORDS, JSON, max_size=4),
    sealed=st.fixed_dictionaries({name: WORDS for name in SEALED if name != "alg"}),
    traceparent=st.none() | WORDS,
)


@cache
def the_judge() -> Judge:
    return judging().get()


@cache
def the_verdict() -> Verdict:
    return the_judge().judge(a_concern()).verdict


@st.composite
def verdicts(draw: st.DrawFn) -> Verdict:
    """Like one of the small graph, of any bodies, any of them told by any clause."""
    told = [
        replace(the_verdict().told[0], org=org, reason=draw(NAMES))
        for org in draw(st.lists(NAMES, max_size=3, unique=True))
    ]
    return replace(the_verdict(), told=tuple(told), available=tuple(draw(st.lists(NAMES, max_size=2))))


def as_the_contracts_write(concern: Concern, verdict: Verdict, decided: Any) -> tuple[bytes, list[bytes]]:
    fresh = {notice.recipient: notice.notice_id for notice in decided.issued}
    notices = [
        issued_event(concern, outcome, decided.record, fresh[outcome.org]).encode()
        for outcome in verdict.told
        if outcome.org in fresh
    ]
    return routed_event(concern, verdict, decided.record, decided.told).encode(), notices


@given(verdicts(), st.lists(CONCERNS, min_size=1, max_size=3), MOMENTS)
def test_concerns_that_are_decided_alike_are_told_in_the_bytes_of_the_contracts(
    verdict: Verdict, concerns: list[Concern], now: datetime
) -> None:
    for concern in concerns:
        decided = decided_of(concern, verdict, the_judge().head, now)
        written = decided.routed, [notice.value for notice in decided.issued]
        assert written == as_the_contracts_write(concern, verdict, decided)
        assert [notice.recipient for notice in decided.issued] == [outcome.org for outcome in verdict.told]


@given(verdicts(), CONCERNS, st.data())
def test_a_later_round_tells_the_fresh_alone_and_names_the_notices_of_all(
    verdict: Verdict, concern: Concern, data: st.DataObject
) -> None:
    orgs = [outcome.org for outcome in verdict.told]
    before = {org: f"ntc_{place}" for place, org in enumerate(orgs) if data.draw(st.booleans())}
    first = decided_of(concern, verdict, the_judge().head, NOON).record
    act = Act("choice", Person("sam", "alpha", "Sam"), "", (), "", {})
    decided = round_of(Dossier(concern, first, (), before, ()), act, verdict, the_judge().head, NOON)
    written = decided.routed, [notice.value for notice in decided.issued]
    assert written == as_the_contracts_write(concern, verdict, decided)
    assert [notice.recipient for notice in decided.issued] == [org for org in orgs if org not in before]
    assert before.items() <= decided.told.items()


@given(verdicts(), CONCERNS)
def test_what_is_silenced_says_the_same_and_names_nobody(verdict: Verdict, concern: Concern) -> None:
    decided = decided_of(concern, verdict, the_judge().head, NOON)
    quiet = ConcernRouted.model_validate_json(silenced(decided).routed)
    loud = ConcernRouted.model_validate_json(decided.routed)
    assert (quiet.data.told, silenced(decided).issued, silenced(decided).told) == ([], (), {})
    assert quiet.data.model_copy(update={"told": loud.data.told}) == loud.data


def test_a_wording_is_written_once_for_each_kind_of_concern_and_serves_the_next() -> None:
    verdict = replace(the_verdict())
    record = decided_of(a_concern(1), verdict, the_judge().head, NOON).record
    first = wording_of(a_concern(1), verdict, record)
    assert wording_of(a_concern(2), verdict, record) is first
    assert wording_of(replace(a_concern(2), traceparent="00-1-2-01"), verdict, record) is not first
    assert wording_of(a_concern(2), replace(verdict), record) is not first
