"""What takes long to read is read beside the loop, and before it is needed where one can know."""

import threading
from collections.abc import Iterable

import pytest

from services.router.adapters.judges import JudgeMaker
from services.router.domain.model import Concern
from services.router.domain.policy import CurrentJudge, Judge
from services.router.domain.replica import Replica
from services.router.usecases import chosen, judged, read_ahead
from shared.agreements import Facts, Snapshot, decide, facts_of
from shared.agreements.fast import Decider, Held, Swift
from shared.agreements.fast import decider as fast_decider
from shared.canonical import canonical
from tests.rules import small
from tests.support.router_fakes import MEMO_BYTES_MAX, a_concern, graph_objects, judge_of, judging, replica_of

SIDES = [small.party("beta"), small.party("delta")]
ON = small.pact(small.clause(frm=["beta"], to=["delta"]), id="onward", lineage="onward", parties=SIDES)
TOLD_ON = (ON, small.org("delta", small.remit()))
"""Beta, which is told, would itself tell delta, which should know and is not told."""


class Watched(Decider):
    """Says on which threads something was read."""

    def __init__(self, snapshot: Snapshot, expected: Iterable[str] = ()) -> None:
        super().__init__(snapshot, expected)
        self.threads: list[threading.Thread] = []

    def read_for(self, facts: Facts) -> None:
        self.threads.append(threading.current_thread())
        super().read_for(facts)


def watching() -> tuple[Judge, Watched]:
    snapshot = judge_of(replica_of(graph_objects(*TOLD_ON))).snapshot
    decider = Watched(snapshot)
    return Judge(snapshot, canonical, memo_bytes_max=MEMO_BYTES_MAX, decider=decider), decider


async def test_what_a_body_may_say_is_read_beside_the_loop_and_once() -> None:
    judge, decider = watching()
    first = await judged(judge, a_concern())
    again = await judged(judge, a_concern(2, received_at="2025-03-04T10:00:00Z"))
    assert first.verdict.body == again.verdict.body == judge_of_the_reference(judge, a_concern())
    assert len(decider.threads) == 1
    assert decider.threads[0] is not threading.current_thread()


async def test_whoever_is_told_and_might_tell_on_is_read_too_before_the_loop_asks() -> None:
    judge, decider = watching()
    judgement = await judged(judge, a_concern())
    assert b"suggest-onward:beta->delta" in judgement.verdict.body
    assert sorted(decider.spoken()) == ["alpha", "beta"]
    assert not decider.lacks(facts_of(a_concern(2).routing))


async def test_a_concern_that_cannot_be_read_is_held_at_once() -> None:
    judge, decider = watching()
    judgement = await judged(judge, a_concern(categories=5))
    assert judgement.fault == "TypeError"
    assert not decider.threads


async def test_a_decision_that_is_remembered_reads_nothing() -> None:
    judge, decider = watching()
    judge.judge(a_concern())
    await judged(judge, a_concern(2))
    assert not decider.threads


async def test_a_graph_that_starts_anew_is_read_ahead_for_whoever_was_needed_on_the_one_before() -> None:
    maker, current = JudgeMaker(memo_bytes_max=MEMO_BYTES_MAX), CurrentJudge()
    current.swap(maker(graph(1)))
    for org in ("gamma", "alpha"):
        await judged(current.get(), concern_by(org))
    current.swap(maker(graph(2, small.org("zeta"))))
    assert list(current.get().decider.ahead()) == ["beta", "alpha", "gamma"]
    assert await read_ahead(current) == 3
    assert not current.get().decider.lacks(facts_of(concern_by("gamma").routing))
    assert await read_ahead(current) == 0


async def test_a_graph_that_is_read_whole_is_read_ahead_for_the_same() -> None:
    maker, current = JudgeMaker(memo_bytes_max=MEMO_BYTES_MAX), CurrentJudge()
    current.swap(maker(graph(1)))
    await judged(current.get(), concern_by("gamma"))
    current.swap(maker(graph(2, *(small.org(f"body-{number}") for number in range(20)))))
    assert await read_ahead(current) == 1
    assert current.get().decider.spoken() == ["gamma"]


async def test_reading_ahead_ends_when_another_graph_is_in_office() -> None:
    current = judging(*TOLD_ON)
    later = judge_of(graph(2))
    snapshot = current.get().snapshot

    class Leaving(Decider):
        def slice_of(self, org: str) -> Held:
            current.swap(later)
            return super().slice_of(org)

    decider = Leaving(snapshot, ["alpha", "beta", "gamma"])
    current.swap(Judge(snapshot, canonical, memo_bytes_max=MEMO_BYTES_MAX, decider=decider))
    assert await read_ahead(current) == 1
    assert decider.spoken()[:1] == ["alpha"]


async def test_an_agreement_that_cannot_be_read_ends_no_loop_and_holds_whoever_speaks_by_it() -> None:
    maker, current = JudgeMaker(memo_bytes_max=MEMO_BYTES_MAX), CurrentJudge()
    unreadable = small.pact(small.clause(when={"categories": ["unheard-of"]}))
    snapshot = maker(graph(1, unreadable)).snapshot
    decider = Decider(snapshot, ["alpha", "beta"])
    current.swap(Judge(snapshot, canonical, memo_bytes_max=MEMO_BYTES_MAX, decider=decider))
    assert await read_ahead(current) == 2
    judgement = await judged(current.get(), a_concern())
    assert (judgement.verdict.hold, judgement.fault) == (("HOLD_FAULT",), "GraphInvalid")


def graph(version: int, *changed: dict[str, object]) -> Replica:
    return replica_of(graph_objects(*TOLD_ON, *changed), version)


def concern_by(org: str) -> Concern:
    return a_concern(originator=org)


def judge_of_the_reference(judge: Judge, concern: Concern) -> bytes:
    return canonical(decide(judge.snapshot, facts_of(concern.routing)).to_json())


class Deciding(Decider):
    """Says on which threads it decided."""

    def __init__(self, snapshot: Snapshot) -> None:
        super().__init__(snapshot)
        self.threads: set[threading.Thread] = set()

    def decide(self, facts: Facts) -> Swift:
        self.threads.add(threading.current_thread())
        return super().decide(facts)


async def test_a_choice_and_the_advice_on_one_are_worked_out_beside_the_loop() -> None:
    snapshot = judge_of(replica_of(graph_objects(*TOLD_ON))).snapshot
    decider = Deciding(snapshot)
    judge = Judge(snapshot, canonical, memo_bytes_max=MEMO_BYTES_MAX, decider=decider)
    choice = await chosen(judge, a_concern(), {"delta": "full"})
    assert choice.refused == {"delta": "NO_PATH"}
    assert choice.verdict.body == judge.choose_by_reference(a_concern(), {"delta": "full"}).verdict.body
    assert len(decider.threads) == 1
    assert threading.current_thread() not in decider.threads


async def test_a_decision_that_names_very_many_bodies_is_written_beside_the_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    snapshot = judge_of(replica_of(graph_objects(*TOLD_ON))).snapshot
    await judged(Judge(snapshot, canonical, memo_bytes_max=0, decider=(decider := Deciding(snapshot))), a_concern())
    written: list[threading.Thread] = []

    def encode(value: object) -> bytes:
        written.append(threading.current_thread())
        return canonical(value)

    judge = Judge(snapshot, encode, memo_bytes_max=MEMO_BYTES_MAX, decider=decider)
    few = (await judged(judge, a_concern(2, received_at="2025-03-04T10:00:00Z"))).verdict.body
    assert written == [threading.current_thread()]
    monkeypatch.setattr(fast_decider, "ROWS_OF_A_MOMENT", 0)
    judge = Judge(snapshot, encode, memo_bytes_max=MEMO_BYTES_MAX, decider=decider)
    assert (await judged(judge, a_concern(2, received_at="2025-03-04T10:00:00Z"))).verdict.body == few
    assert len(written) == 2
    assert written[1] is not threading.current_thread()
