"""P19: no duty to tell is gone in silence: it is on its way, waits for a person, has ended by right, or is an alarm.

Two notifiers work on one ledger. Either may hang, lose its leases and come back with old results, or forget all.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any, ClassVar

from hypothesis import event, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from services.notifier.domain.acknowledgement import Acknowledgement, Word
from services.notifier.domain.errors import AcknowledgementClash, NeverSent, NothingThere
from services.notifier.domain.escalation import Step, deadline_of
from services.notifier.domain.model import (
    Answer,
    EndpointState,
    Keys,
    NoticeId,
    NoticeState,
)
from services.notifier.ports import InboxPage
from services.notifier.usecases import (
    Speaker,
    acknowledge_notice,
    claim_due,
    confirm_registered,
    end_notices,
    escalate_notices,
    hasten_lane,
    read_inbox,
    redeliver_notice,
    renew_leases,
    settle_results,
)
from shared.faults import StoreUnavailable
from tests.support.laws import nightly
from tests.support.notifier_conversation import Row
from tests.support.notifier_duties import BODIES, ENDPOINTS, TwoNotifiers, done, undoing
from tests.support.notifier_fakes import LEASE, a_notice

FOUR_HOURS = {"limits": {"acknowledge": {"amount": 4, "unit": "clock_hours", "by": "policy"}}}
DAY = timedelta(days=1)
UNDOING = ("recall", "withdrawal")
ANSWERS = (
    Answer(204), Answer(204), Answer(503, retry_after="3600"), Answer(404), Answer(410), Answer(None, error="timed out")
)  # fmt: skip
REFUSAL = Acknowledgement(Word.REFUSED, reason="not-our-remit", suggested_body="nmc")
SAID = (
    Acknowledgement(Word.RECEIVED), Acknowledgement(Word.ACCEPTED),
    REFUSAL,
    Acknowledgement(Word.OUTCOME, used_for="investigation"),
)  # fmt: skip
WORD_OF = {
    NoticeState.ACKNOWLEDGED: (Word.RECEIVED, "acknowledged"),
    NoticeState.ACCEPTED: (Word.ACCEPTED, "accepted"),
    NoticeState.REFUSED: (Word.REFUSED, "refused"),
    NoticeState.USED: (Word.OUTCOME, "used"),
}
PLACES = {
    "on its way", "awaits a person", "ended by a person", "refused, a person decides", "withdrawn", "its basis ended",
    "undelivered, a person decides",
}  # fmt: skip
places = st.integers(0, 9)
TERMS = st.sampled_from(((), ("limit",), ("limit",), ("limit",), ("limit", "ends"), ("ends",), ("limit", "undone")))
HOUR = timedelta(hours=1)
PAUSES = st.sampled_from((timedelta(seconds=2), timedelta(seconds=7), HOUR, 2 * HOUR, 2 * HOUR, DAY, 5 * DAY))


class Conservation(TwoNotifiers, RuleBasedStateMachine):
    """Notices, failures, people who speak or stay silent, and whatever happens to endpoints, in any order."""

    reached: ClassVar[Counter[str]] = Counter()

    @initialize(org=st.sampled_from(BODIES), terms=TERMS)
    def begin(self, org: str, terms: tuple[str, ...]) -> None:
        self.tell(org, 0, 0, terms)

    @rule(org=st.sampled_from(BODIES), number=st.integers(0, 2), at=st.integers(0, 1), terms=TERMS)
    def tell(self, org: str, number: int, at: int, terms: tuple[str, ...]) -> None:
        """A concern or its correction; where it is `undone`, what takes it back comes in the same batch."""
        concern_id = f"con_{number}"
        version = 1 + sum(e.data.concern_id == concern_id and e.data.kind == "tell" for e in self.issued)
        duties = FOUR_HOURS if "limit" in terms else {}
        until = self.now + 2 * DAY if "ends" in terms else None
        told = a_notice(org, concern_id=concern_id, version=version, duties=duties, valid_until=until)
        self.take(at, told, *([undoing(told, "withdrawal")] if "undone" in terms else []))

    @rule(at=st.integers(0, 1), which=st.integers(0, 3), kind=st.sampled_from(UNDOING))
    def undo(self, at: int, which: int, kind: str) -> None:
        """Recalled or withdrawn, whatever became of it; both, too."""
        tells = [issued for issued in self.issued if issued.data.kind == "tell"]
        for told in tells[which : which + 1]:
            self.take(at, undoing(told, kind))

    @rule(at=st.integers(0, 1), which=places)
    def repeat(self, at: int, which: int) -> None:
        """An event again, behind later ones."""
        self.take(at, self.issued[which % len(self.issued)])

    @rule(at=st.integers(0, 1))
    def claim(self, at: int) -> None:
        process = self.processes[at]
        free = {name: 3 for name, state in self.endpoints.items() if state is EndpointState.ACTIVE}
        process.hold(done(claim_due(free, process.busy(), clock=self.clock, begin=self.store.begin)))

    @rule(at=st.integers(0, 1), which=places, answer=st.sampled_from(ANSWERS))
    def attempt(self, at: int, which: int, answer: Answer) -> None:
        """One delivery; what came of it is not written down yet."""
        process = self.processes[at]
        if not process.held:
            return
        notice, _ = process.held[list(process.held)[which % len(process.held)]]
        is_ours = notice.notice_id in process.live()
        del process.held[notice.notice_id]
        if is_ours:  # none starts under a lease that has run out
            process.flying.append(self.attempted(notice, answer))

    @rule(at=st.integers(0, 1), which=places)
    def deliver(self, at: int, which: int) -> None:
        """As it goes on a good day."""
        self.claim(at)
        self.attempt(at, which, Answer(204))
        self.write_down(at, None)

    @rule(at=st.integers(0, 1), fault=st.sampled_from((None, None, "away")))
    def write_down(self, at: int, fault: str | None) -> None:
        process = self.processes[at]
        self.store.fault = StoreUnavailable(fault) if fault else None
        try:
            done(settle_results(process.flying, store=self.store))
        except StoreUnavailable:
            return
        self.store.fault = None
        process.flying.clear()
        for endpoint_id in self.store.suspended:
            self.endpoints[endpoint_id.removeprefix("end_")] = EndpointState.SUSPENDED
        self.store.suspended.clear()

    @rule(at=st.integers(0, 1))
    def renew(self, at: int) -> None:
        process = self.processes[at]
        asked = [*(notice for notice, _ in process.held.values()), *(result.notice for result in process.flying)]
        ours = done(renew_leases(asked, begin=self.store.begin))
        process.held = {key: (notice, self.now) for key, (notice, _) in process.held.items() if key in ours}

    @rule(at=st.integers(0, 1))
    def crash(self, at: int) -> None:
        """All that is in memory is forgotten; the leases run out by themselves."""
        self.processes[at].held.clear()
        self.processes[at].flying.clear()

    @rule(by=PAUSES)
    def time_passes(self, by: timedelta) -> None:
        self.clock.move(by)
        self.store.database_now = self.now

    @rule(flow=st.sampled_from([escalate_notices, escalate_notices, end_notices, confirm_registered]))
    def look_around(self, flow: Callable[..., Coroutine[Any, Any, Any]]) -> None:
        done(flow(clock=self.clock, begin=self.store.begin))

    @rule(which=places, said=st.sampled_from(SAID), org=st.sampled_from(BODIES))
    def say(self, which: int, said: Acknowledgement, org: str) -> None:
        """A body's word; another's counts for nothing."""
        told, by = self.issued[which % len(self.issued)].data, Speaker("clerk", org)
        flow = acknowledge_notice(told.notice_id, said, by=by, clock=self.clock, begin=self.store.begin)
        try:
            taken = done(flow)
        except (AcknowledgementClash, NothingThere):
            return
        self.may_know.add(told.notice_id)
        if org == told.recipient and not taken.repeated:
            self.said.setdefault(told.notice_id, []).append(said.word)

    @rule(org=st.sampled_from(BODIES), by=st.sampled_from(("inbox beside endpoint", "inbox alone")))
    def read(self, org: str, by: str) -> None:
        """A look into the inbox, which is the delivery where a body has no endpoint any more."""
        if by == "inbox alone":
            self.endpoints |= {name: EndpointState.REMOVED for name in self.endpoints if name.startswith(org)}
            self.note_endpoints()
        shown = done(read_inbox(InboxPage(org, (0, ""), 100), clock=self.clock, begin=self.store.begin, records=self))  # type: ignore[arg-type]  # what it asks of them
        self.may_know |= {one.notice_id for one in shown}
        if not done(self.has_endpoint(org)):
            self.arrived |= {one.notice_id for one in shown}

    @rule(which=places)
    def send_again(self, which: int) -> None:
        notice_id = self.issued[which % len(self.issued)].data.notice_id
        try:
            done(redeliver_notice(notice_id, org=None, clock=self.clock, begin=self.store.begin))
        except NeverSent:
            return

    @rule(name=st.sampled_from(ENDPOINTS), state=st.sampled_from(
        [EndpointState.ACTIVE, EndpointState.PAUSED, EndpointState.REMOVED]))  # fmt: skip
    def change_endpoint(self, name: str, state: EndpointState) -> None:
        self.endpoints[name] = state
        self.note_endpoints()

    @rule(name=st.sampled_from(ENDPOINTS), secret=st.binary(min_size=32, max_size=32))
    def recover(self, name: str, secret: bytes) -> None:
        """There again, under new keys, as its failures are tried at once."""
        self.keys = Keys(secret, self.keys.seed)
        self.change_endpoint(name, EndpointState.ACTIVE)
        lane = (name.removesuffix("/alternate"), "/" in name)
        done(hasten_lane(lane, count=None, rate_per_minute=None, clock=self.clock, begin=self.store.begin))

    @invariant()
    def each_duty_is_in_one_place(self) -> None:
        for issued in {issued.data.notice_id: issued for issued in self.issued}.values():
            (row,) = (row for row in self.store.rows.values() if row.entry.subject.ref == issued.data.ref
                      and row.entry.notice_id == issued.data.notice_id)  # fmt: skip
            found = [name for name, holds in self._places(row).items() if holds]
            assert len(found) == 1, (row.entry.subject, row.state, found)
            type(self).reached[found[0]] += 1

    @invariant()
    def nobody_delivers_what_another_delivers(self) -> None:
        ours, theirs = (set(process.live()) for process in self.processes)
        assert not ours & theirs

    @invariant()
    def each_step_is_taken_once(self) -> None:
        steps = Counter((o.data.notice_id, o.data.step) for o in self.store.outcomes if o.data.step)
        assert max(steps.values(), default=1) == 1

    def teardown(self) -> None:
        """Whatever happened: when everybody falls silent now, a person is told of each duty in the end."""
        for at in range(2):
            self.crash(at)
        for _ in range(9):
            self.time_passes(2 * DAY)
            for flow in (end_notices, escalate_notices, confirm_registered):
                self.look_around(flow)
            self.each_duty_is_in_one_place()
        for issued in self.issued:
            row = self.store.rows[NoticeId(issued.data.notice_id)]
            assert row.state is not NoticeState.PENDING
            awaited = row.state is NoticeState.DELIVERED and row.entry.acknowledge_within
            assert not awaited or "operator" in self.said_of(row), "nobody was alarmed"
            event(row.state.value)

    def steps(self) -> list[str]:
        """The steps of the escalations so far."""
        return [outcome.data.step for outcome in self.store.outcomes if outcome.data.step]

    def _places(self, row: Row) -> dict[str, bool]:
        """Where a duty is, by what was told of it, who did what, and what will be looked at when."""
        told, state, quiet = self.said_of(row), row.state, row.escalate_at is None
        word, its_event = WORD_OF.get(state, (None, ""))
        by_person = word in self.said.get(row.entry.notice_id, []) and its_event in told and quiet
        return {
            "on its way": state is NoticeState.PENDING and self._has_a_turn(row) and self._is_watched(row),
            "awaits a person": state is NoticeState.DELIVERED
            and row.entry.notice_id in self.arrived and "delivered" in told and self._is_watched(row),
            "ended by a person": by_person and state is not NoticeState.REFUSED,
            "refused, a person decides": by_person and state is NoticeState.REFUSED,
            "withdrawn": state is NoticeState.CANCELLED and "cancelled" in told and quiet and self._by_right(row),
            "its basis ended": state is NoticeState.EXPIRED and "expired" in told and quiet
            and row.entry.valid_until is not None and row.entry.valid_until <= self.now,
            "undelivered, a person decides": state is NoticeState.EXPIRED_UNDELIVERED and "expired" in told and quiet
            and row.entry.registered_at + 8 * DAY <= self.now,
        }  # fmt: skip

    def _has_a_turn(self, row: Row) -> bool:
        """It is tried again, or given up aloud, on the eighth day at the latest; no lease holds it for long."""
        is_free_soon = row.lease_until is None or row.lease_until <= self.now + LEASE
        is_due = row.due_at <= max(row.entry.give_up_at, self.now)
        return is_free_soon and is_due and row.entry.give_up_at <= row.entry.registered_at + 8 * DAY

    def _is_watched(self, row: Row) -> bool:
        """The next step that the law wants and nobody took is not later than we look at it, or was overlooked."""
        told, entry = self.said_of(row), row.entry
        wanted = {Step.UNDELIVERED: entry.registered_at + 5 * DAY}
        if row.state is NoticeState.DELIVERED:
            since = row.closed_at or entry.registered_at
            by = deadline_of(since, entry.acknowledge_within)
            half = (by - since) / 2 if by else timedelta(0)
            wanted = {Step.REMINDER: since + half, Step.SECOND_CONTACT: by, Step.OPERATOR: by + half} if by else {}
        due = min((at for step, at in wanted.items() if step.value not in told), default=None)
        return due is None or (row.escalate_at is not None and row.escalate_at <= max(due, self.now))

    def _by_right(self, row: Row) -> bool:
        """A notice was taken back; what takes it back is not needed only where nobody may know of the notice."""
        about = row.entry.subject
        same = [e.data for e in self.issued if (e.data.concern_id, e.data.version) == (about.concern_id, about.version)]
        if about.kind in UNDOING:
            return about.ref not in self.may_know
        return any(told.ref == row.entry.notice_id for told in same)


def test_p19_no_duty_to_tell_is_ever_gone_in_silence_or_in_two_places() -> None:
    often = settings(max_examples=10_000 if nightly else 150, stateful_step_count=40, deadline=None)
    Conservation.reached.clear()
    run_state_machine_as_test(Conservation, settings=often)
    assert Conservation.reached.keys() >= (PLACES if nightly else {"on its way"})


def test_each_place_of_a_duty_is_reached_and_told_apart() -> None:
    Conservation.reached.clear()
    duties = Conservation()
    for version, terms in enumerate((("limit",), (), (), ("limit",), ("ends",), ("undone",)), start=1):
        duties.tell("nmc" if version in (1, 2, 3) else "gmc", 0, 0, terms)
    duties.say(1, Acknowledgement(Word.ACCEPTED), "nmc")
    duties.say(2, REFUSAL, "nmc")
    duties.deliver(0, 0)
    duties.each_duty_is_in_one_place()
    duties.crash(0)
    duties.time_passes(8 * DAY)
    duties.look_around(end_notices)
    duties.each_duty_is_in_one_place()
    assert Conservation.reached.keys() >= PLACES


def test_what_is_read_after_the_last_endpoint_went_is_watched_from_its_registration_on() -> None:
    duties = Conservation()
    duties.tell("nmc", 0, 0, ("limit",))
    duties.time_passes(2 * HOUR)
    duties.look_around(escalate_notices)
    duties.read("nmc", "inbox alone")
    assert duties.steps() == []
    duties.look_around(escalate_notices)
    duties.time_passes(2 * HOUR)
    duties.look_around(escalate_notices)
    assert duties.steps() == ["reminder", "second-contact"]


def test_what_is_recalled_after_it_reached_nobody_is_not_read_any_more() -> None:
    duties = Conservation()
    duties.tell("nmc", 0, 0, ())
    duties.crash(0)
    duties.time_passes(8 * DAY)
    duties.look_around(end_notices)
    duties.undo(0, 0, "recall")
    duties.read("nmc", "inbox beside endpoint")
    assert [row.state for row in duties.store.rows.values()] == [NoticeState.CANCELLED] * 2
    assert duties.may_know == set()
