"""What recipients say: taken once, never contradicted, told to the others, for the right notice alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.acknowledgement import Acknowledgement, Clash, Repeated, Taken, Word, take
from services.notifier.domain.errors import AcknowledgementClash, NothingThere
from services.notifier.domain.model import NoticeState
from services.notifier.usecases import Speaker, acknowledge_notice
from tests.support.clock import FrozenClock
from tests.support.notifier_fakes import InMemoryStore, a_notice
from tests.unit.notifier.test_usecases import Notifier

RECEIVED, ACCEPTED = Acknowledgement(Word.RECEIVED), Acknowledgement(Word.ACCEPTED)
REFUSED = Acknowledgement(Word.REFUSED, reason="not-our-remit", suggested_body="nmc")
USED = Acknowledgement(Word.OUTCOME, used_for="investigation")
CLERK = Speaker("clerk", "gmc")
WORDS = st.lists(
    st.builds(
        Acknowledgement,
        st.sampled_from(Word),
        reason=st.sampled_from(["", "a"]),
        used_for=st.sampled_from(["", "b", "c"]),
    ),
    max_size=8,
)


@pytest.mark.parametrize(
    ("before", "said", "verdict"),
    [
        ([], RECEIVED, Taken(NoticeState.ACKNOWLEDGED)),
        ([], ACCEPTED, Taken(NoticeState.ACCEPTED)),
        ([], REFUSED, Taken(NoticeState.REFUSED)),
        ([], USED, Clash("it was not accepted: accept it first")),
        ([RECEIVED], RECEIVED, Repeated()),
        ([ACCEPTED], RECEIVED, Repeated()),
        ([RECEIVED], ACCEPTED, Taken(NoticeState.ACCEPTED)),
        ([ACCEPTED], REFUSED, Clash("it was accepted")),
        ([REFUSED], REFUSED, Repeated()),
        ([REFUSED], Acknowledgement(Word.REFUSED, reason="other"), Clash("it was refused")),
        ([REFUSED], ACCEPTED, Clash("it was refused")),
        ([ACCEPTED], USED, Taken(NoticeState.USED)),
        ([ACCEPTED, USED], Acknowledgement(Word.OUTCOME, used_for="audit"), Taken(NoticeState.USED)),
    ],
)
def test_what_is_said_means(before: list[Acknowledgement], said: Acknowledgement, verdict: object) -> None:
    assert take(said, before, state=NoticeState.DELIVERED) == verdict


def test_a_cancelled_notice_has_nothing_to_be_acknowledged() -> None:
    assert isinstance(take(RECEIVED, [], state=NoticeState.CANCELLED), Clash)


@given(WORDS)
def test_whatever_is_said_twice_changes_nothing_and_nobody_both_accepts_and_refuses(
    said: list[Acknowledgement],
) -> None:
    kept: list[Acknowledgement] = []
    for one in said:
        if isinstance(take(one, kept, state=NoticeState.DELIVERED), Taken):
            kept.append(one)
        assert not isinstance(take(one, kept, state=NoticeState.DELIVERED), Taken)
    words = {one.word for one in kept}
    assert not {Word.ACCEPTED, Word.REFUSED} <= words
    assert Word.OUTCOME not in words or Word.ACCEPTED in words


async def said(store: InMemoryStore, notice_id: str, word: Acknowledgement, by: Speaker = CLERK) -> tuple[str, bool]:
    done = await acknowledge_notice(notice_id, word, by=by, clock=FrozenClock(), begin=store.begin)
    return done.state.value, done.repeated


async def test_a_refusal_goes_to_the_others_with_its_codes_once_and_stops_the_clock() -> None:
    notifier, event = Notifier(), a_notice("gmc")
    await notifier.take(event)
    await notifier.deliver()
    notice_id = event.data.notice_id
    assert await said(notifier.store, notice_id, REFUSED) == ("refused", False)
    assert await said(notifier.store, notice_id, REFUSED) == ("refused", True)
    assert notifier.told() == ["delivered", "refused"]
    outcome = notifier.store.outcomes[-1].data
    assert (outcome.notice_id, outcome.reason, outcome.suggested_body) == (notice_id, "not-our-remit", "nmc")
    fact = notifier.store.facts[-1]
    assert (fact.kind, fact.actor, fact.body["word"]) == ("recipient-receipt", "clerk", "refused")
    (row,) = notifier.store.rows.values()
    assert row.escalate_at is None


async def test_two_uses_are_two_events() -> None:
    notifier, event = Notifier(), a_notice("gmc")
    await notifier.take(event)
    for word in (ACCEPTED, USED, Acknowledgement(Word.OUTCOME, used_for="audit")):
        await said(notifier.store, event.data.notice_id, word)
    assert [o.data.used_for for o in notifier.store.outcomes] == [None, "investigation", "audit"]
    assert len({o.id for o in notifier.store.outcomes}) == 3


async def test_a_forged_acknowledgement_and_a_contradiction_change_nothing() -> None:
    notifier, event = Notifier(), a_notice("gmc")
    await notifier.take(event)
    for notice_id, by in ((event.data.notice_id, Speaker("other", "nmc")), ("ntc_none", CLERK)):
        with pytest.raises(NothingThere):
            await said(notifier.store, notice_id, RECEIVED, by)
    await said(notifier.store, event.data.notice_id, ACCEPTED)
    with pytest.raises(AcknowledgementClash, match="it was accepted"):
        await said(notifier.store, event.data.notice_id, REFUSED)
    assert notifier.told() == ["accepted"]


async def test_a_person_may_be_ahead_of_the_delivery_which_is_still_written_down() -> None:
    notifier, event = Notifier(), a_notice("gmc")
    await notifier.take(event)
    await said(notifier.store, event.data.notice_id, RECEIVED)
    assert await notifier.deliver() == ["Delivered"]
    (row,) = notifier.store.rows.values()
    assert (row.state, row.attempt_count) == (NoticeState.ACKNOWLEDGED, 1)
