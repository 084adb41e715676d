"""P22: a recall reaches everyone who has the concern, or what came of it, in any version, once; nothing follows it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Iterable
from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from services.router.domain.choosing import Manner
from services.router.domain.errors import Recalled, RoundTaken
from services.router.domain.model import Concern, Recall
from services.router.domain.rounds import Act, Person
from services.router.domain.undoing import NoticeNews
from services.router.usecases import (
    Desk,
    Emergency,
    HumanDecision,
    choose_bodies,
    follow_concerns,
    hear_of_notices,
    record_decision,
    route_concerns,
    tell_in_emergency,
    withdraw_ended,
)
from shared.contracts.notice import Notice
from shared.records import Batch
from tests.rules import small
from tests.support.clock import NOON, FrozenClock
from tests.support.laws import Row, nightly
from tests.support.router_fakes import InMemoryRouter, a_concern, graph_objects, judge_of, judging, replica_of

IDS = (1, 2, 3, 4)
POLICY: Row = {**small.POLICY, "emergency": {"review": small.LIMIT}}
PARTIES = [small.party(org) for org in ("alpha", "beta", "gamma", "delta")]
WIDE = small.pact(
    small.clause(to=["beta", "gamma"]), small.clause(id="c2", to=["delta"], mode="invite"), parties=PARTIES
)
NARROW = small.pact(small.clause(to=["beta"]), parties=PARTIES)
BODIES: tuple[Row, ...] = (
    POLICY, small.org("gamma", small.remit("harm", "theft")), small.org("delta", small.remit("fire-risk")),
)  # fmt: skip
SAM, ANN = Person("sam", "alpha", "Sam"), Person("ann", "hq", "Ann")
numbers = st.sampled_from(IDS)
categories = st.sampled_from(("harm", "theft", "fire-risk"))


class Recalls(RuleBasedStateMachine):
    """Concerns, what people do about them, graphs that change, news of notices, and recalls, in any order."""

    reached: ClassVar[Counter[str]] = Counter()

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.store, self.clock = InMemoryRouter(), FrozenClock(NOON + timedelta(days=1))
        self.current = judging(WIDE, *BODIES)
        self.desk = Desk(self.current, self.store.begin, self.clock)
        self.versions: dict[int, int] = {}
        self.recalled: set[str] = set()
        self.told_by_then: dict[str, set[str]] = {}
        self.count = 0

    def teardown(self) -> None:
        self.runner.close()
        for kind, count in Counter(row.kind for row in self._notices()).items():
            type(self).reached[kind] += count
            event(f"{kind}: {min(count, 3)}")

    def run(self, work: Awaitable[Any]) -> Any:
        async def awaited() -> Any:
            return await work

        return self.runner.run(awaited())

    @initialize(category=categories)
    def begin(self, category: str) -> None:
        self.submit(1, category)

    @rule(number=numbers, category=categories)
    def submit(self, number: int, category: str) -> None:
        """A new concern, or the next version of one; also behind its recall, as another partition may bring it."""
        version = self.versions[number] = self.versions.get(number, 0) + 1
        self._take(a_concern(number, version=version, categories=[category]))

    @rule(number=numbers, org=st.sampled_from(("beta", "gamma", "delta")))
    def choose(self, number: int, org: str) -> None:
        chosen: dict[str, Manner] = {org: "full"}
        act = Act("choice", SAM, "theirs", (org,), self._request(), chosen)
        self._act(choose_bodies(f"con_{number}", act, asker="alpha", desk=self.desk))

    @rule(number=numbers, org=st.sampled_from(("gamma", "delta")))
    def tell_in_emergency(self, number: int, org: str) -> None:
        made = Emergency((org,), "danger", SAM, ANN, {}, self._request())
        self._act(tell_in_emergency(f"con_{number}", made, asker="alpha", desk=self.desk))

    @rule(number=numbers)
    def decide_to_share(self, number: int) -> None:
        made = HumanDecision({"decision": "share"}, (), True, ("beta",), "needed", SAM, self._request())
        self._act(record_decision(f"con_{number}", made, asker="alpha", desk=self.desk))

    @rule(pact=st.sampled_from((WIDE, NARROW)))
    def change_the_graph(self, pact: Row) -> None:
        version = self.current.head.version + 1
        self.current.swap(judge_of(replica_of(graph_objects(pact, *BODIES), version)))
        self.run(withdraw_ended(self.desk))

    @precondition(lambda self: self._notices())
    @rule(at=st.integers(0, 9), settled=st.sampled_from(("told", "ended")), refusal=st.sampled_from((None, "not-ours")))
    def hear(self, at: int, settled: Any, refusal: str | None) -> None:
        notices = self._notices()
        one = notices[at % len(notices)]
        news = NoticeNews(one.notice_id, one.concern_id, one.version, one.recipient, NOON, settled, refusal)
        self.run(hear_of_notices(Batch((news,), ()), begin=self.store.begin))

    @rule(number=numbers, descendants=st.sets(numbers, max_size=2))
    def recall(self, number: int, descendants: set[int]) -> None:
        """By its originator, with what came of it; once more is the same."""
        also = tuple(f"con_{other}" for other in sorted(descendants - {number}))
        self._take(Recall(f"con_{number}", "wrong-facts", also))
        for concern_id in (f"con_{number}", *also):
            self.recalled.add(concern_id)
            self.told_by_then.setdefault(concern_id, self._told(concern_id))

    @invariant()
    def everyone_who_has_it_was_told_to_stop_once(self) -> None:
        """What is told of a recalled concern is taken back: by the recall, or by a withdrawal before."""
        self.run(follow_concerns(self.desk))
        undone = Counter(row.ref for row in self._notices() if row.kind in ("recall", "withdrawal"))
        tells = [row for row in self._notices() if row.kind == "tell"]
        assert all(undone[row.notice_id] == 1 for row in tells if row.concern_id in self.recalled)
        assert max(undone.values(), default=1) == 1

    @invariant()
    def nobody_else_hears_of_a_recall(self) -> None:
        told = {row.notice_id: row for row in self._notices() if row.kind == "tell"}
        for row in self._notices():
            if row.kind == "recall":
                assert row.concern_id in self.recalled
                assert (told[row.ref].recipient, told[row.ref].concern_id) == (row.recipient, row.concern_id)
                assert row.pointer_only

    @invariant()
    def nothing_is_told_of_what_was_decided_on_before_its_recall(self) -> None:
        """But for a first version that another partition brings behind its recall: that is taken back, above."""
        for concern_id, before in self.told_by_then.items():
            assert before in (set(), self._told(concern_id))

    @invariant()
    def nobody_need_look_at_what_was_recalled(self) -> None:
        standing = (i for i in self.store.state.items.values() if i.resolution is None and i.kind in _OF_ONE_VERSION)
        assert not {item.item_id for item in standing if item.key.concern_id in self.recalled}

    def _take(self, *events: Concern | Recall) -> None:
        self.run(route_concerns(Batch(events, ()), current=self.current, ledger=self.store, clock=self.clock))

    def _act(self, work: Awaitable[Any]) -> None:
        try:
            self.run(work)
        except (Recalled, RoundTaken):
            return

    def _request(self) -> str:
        self.count += 1
        return f"r{self.count}"

    def _notices(self) -> list[Notice]:
        return [row.data for row in self.store.state.issued]

    def _told(self, concern_id: str) -> set[str]:
        return _ids(row for row in self._notices() if (row.kind, row.concern_id) == ("tell", concern_id))


_OF_ONE_VERSION = frozenset({"unroutable", "held", "gap"})


def _ids(notices: Iterable[Notice]) -> set[str]:
    return {row.notice_id for row in notices}


def test_p22_a_recall_reaches_everyone_who_has_it_once_and_nothing_follows() -> None:
    often = settings(max_examples=10_000 if nightly else 25, stateful_step_count=25, deadline=None)
    run_state_machine_as_test(Recalls, settings=often)
    assert all(Recalls.reached[kind] > 0 for kind in ("tell", "recall", "withdrawal"))
