"""A lease that may have run out is not delivered under, and one that was lost is let go."""

from collections.abc import Sequence
from dataclasses import replace

from services.notifier.adapters.keys import KeyedOpener
from services.notifier.domain.model import Entry, Leased, NoticeId
from services.notifier.domain.throttle import Heard
from services.notifier.entrypoints.lanes import ALL_LANES, BODY_BYTES_MAX, LaneBook, LaneLimits
from services.notifier.usecases.register import prepare
from tests.support.clock import NOON
from tests.support.notifier_fakes import SEALING, TOKENS, a_leased, a_notice, a_target

SLOTS = 4


class Watch:
    """A monotonic clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def book(watch: Watch, *, in_flight_max: int = SLOTS) -> LaneBook:
    limits = LaneLimits(SLOTS, in_flight_max, lease_seconds=6)
    made = LaneBook(limits, on_work=lambda _: None, on_surplus=lambda: None, monotonic=watch)
    made.targets = {"gmc": a_target()}
    return made


def claim(lanes: LaneBook, *notices: Leased, since: float) -> None:
    lanes.lane("gmc").reserve(len(notices))
    lanes.claimed({"gmc": len(notices)}, notices, since=since)


def entries(count: int) -> Sequence[Entry]:
    return [prepare(a_notice("gmc"), KeyedOpener(SEALING, TOKENS), now=NOON) for _ in range(count)]


def test_a_queued_notice_that_was_not_renewed_is_never_sent_and_its_slot_is_free() -> None:
    watch = Watch()
    lanes, (ours, lost) = book(watch), (a_leased(1), a_leased(2))
    claim(lanes, ours, lost, since=watch.seconds)
    assert lanes.renewed([ours, lost], frozenset({ours.notice_id}), since=watch.seconds) == 1
    assert list(lanes.held.values()) == [ours]
    assert lanes.lane("gmc").free == SLOTS - 1
    assert [lanes.start("gmc"), lanes.start("gmc")] == [ours, None]


def test_a_delivery_under_way_is_not_taken_back() -> None:
    watch = Watch()
    lanes, notice = book(watch), a_leased(1)
    claim(lanes, notice, since=watch.seconds)
    assert lanes.start("gmc") == notice
    assert lanes.renewed([notice], frozenset(), since=watch.seconds) == 0
    assert list(lanes.held) == [notice.notice_id]
    assert lanes.lane("gmc").in_flight == 1


def test_what_was_settled_and_leased_again_during_a_renewal_is_not_dropped() -> None:
    watch = Watch()
    lanes, before, after = book(watch), a_leased(1), a_leased(1, fencing=2)
    claim(lanes, before, since=watch.seconds)
    lanes.start("gmc")
    lanes.lane("gmc").answered(Heard(well=True))
    lanes.let_go([before])
    claim(lanes, after, since=watch.seconds)
    assert lanes.renewed([before], frozenset(), since=watch.seconds) == 0
    assert lanes.start("gmc") == after


def test_no_delivery_starts_under_a_lease_that_may_have_run_out() -> None:
    watch = Watch()
    lanes, notice = book(watch), a_leased(1)
    claim(lanes, notice, since=watch.seconds)
    watch.seconds += 6.1
    assert lanes.start("gmc") is None
    assert lanes.held == {}
    assert (lanes.lane("gmc").free, lanes.lane("gmc").in_flight) == (SLOTS, 0)


def test_a_renewal_counts_from_before_it_was_asked_for() -> None:
    watch = Watch()
    lanes, (one, other) = book(watch), (a_leased(1), a_leased(2))
    claim(lanes, one, other, since=watch.seconds)
    watch.seconds += 5
    lanes.renewed([one, other], frozenset({one.notice_id, other.notice_id}), since=watch.seconds - 1)
    watch.seconds += 4.9
    assert lanes.start("gmc") == one
    watch.seconds += 0.2
    assert lanes.start("gmc") is None


def test_a_lease_is_renewed_while_half_of_it_is_left_at_least_and_not_before_it_must_be() -> None:
    watch = Watch()
    lanes, (old, young) = book(watch), (a_leased(1), a_leased(2))
    claim(lanes, old, since=watch.seconds)
    assert lanes.to_renew(again_seconds=2.9) == []
    watch.seconds += 1
    claim(lanes, young, since=watch.seconds)
    assert lanes.to_renew(again_seconds=2) == [old]
    watch.seconds += 1
    assert lanes.to_renew(again_seconds=2) == [old, young]


def test_short_leases_are_renewed_each_time() -> None:
    watch = Watch()
    lanes = LaneBook(LaneLimits(SLOTS, 1, 3), on_work=lambda _: None, on_surplus=lambda: None, monotonic=watch)
    claim(lanes, a_leased(1), since=watch.seconds)
    assert len(lanes.to_renew(again_seconds=2)) == 1


def test_a_repeat_of_a_held_notice_does_not_make_its_lease_younger() -> None:
    watch = Watch()
    lanes, (entry,) = book(watch), entries(1)
    lanes.fill(lanes.reserve([entry]), frozenset({entry.notice_id}))
    watch.seconds += 5
    lanes.fill(lanes.reserve([entry]), frozenset())
    watch.seconds += 2
    assert lanes.start("gmc") is None
    assert lanes.lane("gmc").free == SLOTS


def test_what_is_wanted_in_order_is_left_to_the_ledger_and_asked_for_once_it_is_there() -> None:
    lanes, asked = book(Watch()), list[str]()
    lanes.targets = {"gmc": replace(a_target(), in_order=True)}
    lanes._on_surplus = lambda: asked.append("claim")
    slots = lanes.reserve(entries(2))
    assert (list(slots), lanes.lane("gmc").free, asked) == ([], SLOTS, [])
    lanes.fill(slots, frozenset())
    assert (asked, lanes.ask(ALL_LANES)) == (["claim"], {"gmc": SLOTS})
    lanes.fill((), frozenset())
    assert asked == ["claim"]


def large(count: int) -> Sequence[Entry]:
    return [replace(entry, body=bytes(BODY_BYTES_MAX)) for entry in entries(count)]


def test_what_is_held_is_bounded_by_the_size_of_its_bodies_and_the_rest_waits() -> None:
    lanes = LaneBook(
        LaneLimits(64, 64, lease_seconds=6, held_bytes_max=3 * BODY_BYTES_MAX),
        on_work=lambda _: None,
        on_surplus=lambda: None,
        monotonic=Watch(),
    )
    lanes.targets = {"gmc": a_target()}
    taken = lanes.reserve(large(5))
    assert len(taken) == 3
    assert lanes.lane("gmc").wants_more
    assert lanes.ask(ALL_LANES) == {}  # those on their way count as if they were as large
    lanes.fill(taken, frozenset(notice.notice_id for notice in taken))
    assert lanes.reserve(large(1)) == []
    lanes.let_go(taken[:2])
    assert lanes.ask(ALL_LANES) == {"gmc": 2}


def test_small_bodies_are_held_in_great_number() -> None:
    limits = LaneLimits(5_000, 64, lease_seconds=6)
    lanes = LaneBook(limits, on_work=lambda _: None, on_surplus=lambda: None, monotonic=Watch())
    lanes.targets = {"gmc": a_target()}
    (small,) = entries(1)
    for batch in range(8):
        taken = lanes.reserve([replace(small, notice_id=NoticeId(f"ntc_{batch}_{n}")) for n in range(500)])
        lanes.fill(taken, frozenset(notice.notice_id for notice in taken))
    assert len(lanes.held) == 4_000
