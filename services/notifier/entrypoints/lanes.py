"""The lanes of this process: which recipient can be reached where, and what is held for each."""

import asyncio
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from services.notifier.domain.lane import Lane
from services.notifier.domain.model import Entry, Leased, NoticeId, Target
from shared.contracts.topics import NOTICES, lane_of

ALL_LANES = frozenset(range(NOTICES.partitions))
GRACE_SECONDS = 10.0
BODY_BYTES_MAX = 80 * 1024
"""About the largest body: an annex of 64 KiB and what is said of it."""
HELD_BYTES_MAX = 96 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class LaneLimits:
    """Per endpoint: how many notices are held in memory, and how many deliveries are under way, at most.

    `held_max` is how many are held for all endpoints together, `held_bytes_max` how large their bodies are; what is
    scarce is shared out evenly, and the rest waits in the ledger.
    `drain_seconds` is how long deliveries under way may take to end at shutdown.
    `lease_seconds`: no delivery starts under a lease that was got, or renewed, longer ago.
    """

    slots_max: int
    in_flight_max: int
    lease_seconds: float
    held_max: int = 4096
    held_bytes_max: int = HELD_BYTES_MAX
    drain_seconds: float = 8.0


class OwnedLanes:
    """The partitions whose notices this process retries: those that its consumer was last assigned.

    While Kafka is away the last ones stay; a process that never got any takes all after a while, because leases
    make that safe and a notice must not wait for Kafka.
    """

    def __init__(self, assigned: Callable[[], frozenset[int]]) -> None:
        self._assigned = assigned
        self._last: frozenset[int] = frozenset()
        self._since: float | None = None

    def now(self) -> frozenset[int]:
        """The lanes to claim for at this moment."""
        seconds = asyncio.get_running_loop().time()
        self._since = seconds if self._since is None else self._since
        self._last = self._assigned() or self._last
        return self._last or (ALL_LANES if seconds - self._since > GRACE_SECONDS else self._last)


class LaneBook:
    """One lane per recipient with an active endpoint. `on_work` is called with a recipient that can be delivered to.

    A lease counts from before it was asked for, so that it never lasts longer here than in the ledger.
    """

    def __init__(
        self,
        limits: LaneLimits,
        *,
        on_work: Callable[[str], None],
        on_surplus: Callable[[], None],
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits
        self._monotonic = monotonic
        self._leased_at: dict[NoticeId, float] = {}
        self._on_work = on_work
        self._on_surplus = on_surplus
        self._lanes: dict[str, Lane] = {}
        self._reserved = 0
        self._held_bytes = 0
        self._in_turn: set[str] = set()
        self.targets: dict[str, Target] = {}
        self.held: dict[NoticeId, Leased] = {}

    def lane(self, recipient: str) -> Lane:
        """The lane of that name: a recipient's, or that of its alternate endpoint."""
        if recipient not in self._lanes:
            slots, cap = self._limits.slots_max, self._limits.in_flight_max
            self._lanes[recipient] = Lane(slots_max=slots, in_flight_max=cap, monotonic=self._monotonic)
        return self._lanes[recipient]

    def aim(self, targets: Mapping[str, Target]) -> frozenset[str]:
        """Deliver to these from now on, by lane; gives the lanes that have become reachable."""
        added = frozenset(targets.keys() - self.targets.keys())
        self.targets = dict(targets)
        for name, target in targets.items():
            self.lane(name).throttle.grant(target.rate_per_minute)
        return added

    def at_work(self) -> Mapping[str, Lane]:
        """The lanes that have an endpoint, by name."""
        return {name: self.lane(name) for name in self.targets}

    @property
    def in_flight(self) -> int:
        """How many deliveries are under way."""
        return sum(lane.in_flight for lane in self._lanes.values())

    def reserve(self, entries: Sequence[Entry]) -> Sequence[Leased]:
        """Take slots for new notices as lanes have room; what is wanted in order the ledger is asked for later."""
        found = [entry for entry in entries if entry.subject.recipient in self.targets]
        self._in_turn |= {e.subject.recipient for e in found if self.targets[e.subject.recipient].in_order}
        reachable = [entry for entry in found if entry.subject.recipient not in self._in_turn]
        wanted = Counter(entry.subject.recipient for entry in reachable)
        share = self._share(len(wanted))
        room = {recipient: self._reserve(recipient, count, share) for recipient, count in wanted.items()}
        taken: list[Leased] = []
        for entry in reachable:
            if room[entry.subject.recipient]:
                room[entry.subject.recipient] -= 1
                taken.append(_leased(entry))
        for notice in taken:  # a repeat of one that is held renews nothing
            self._leased_at.setdefault(notice.notice_id, self._monotonic())
        return taken

    def fill(self, slots: Sequence[Leased], inserted: frozenset[NoticeId]) -> None:
        """Deliver the inserted ones; give the other slots back."""
        self.queue([notice for notice in slots if notice.notice_id in inserted])
        for notice in (slot for slot in slots if slot.notice_id not in inserted):
            if notice.notice_id not in self.held:
                self._leased_at.pop(notice.notice_id, None)
            self._release(notice.lane_name, 1)
        while self._in_turn:
            self.wants(self._in_turn.pop())

    def ask(self, lanes: frozenset[int]) -> Mapping[str, int]:
        """Reserve room for a claim, per recipient: all of it where rows are known to wait, else half."""
        asked: dict[str, int] = {}
        share = self._share(len(self.targets))
        for name, target in self.targets.items():
            lane = self.lane(name)
            room = lane.free if lane.surplus or lane.free == 1 else lane.free // 2
            if room and lane_of(target.org) in lanes:
                lane.surplus = False
                asked[name] = self._reserve(name, min(room, share), share)
        return {name: count for name, count in asked.items() if count}

    def _share(self, lane_count: int) -> int:
        """How many more each of so many lanes may take, so that none takes what is another's."""
        return max(self._left // max(lane_count, 1), 1 if self._left else 0)

    @property
    def _left(self) -> int:
        """How many more may be held; each that is on its way counts as one of the largest."""
        on_their_way = self._reserved - len(self.held)
        by_bytes = (self._limits.held_bytes_max - self._held_bytes) // BODY_BYTES_MAX - on_their_way
        return max(min(self._limits.held_max - self._reserved, by_bytes), 0)

    def _reserve(self, name: str, count: int, share: int) -> int:
        lane = self.lane(name)
        taken = lane.reserve(min(count, share, self._left))
        lane.surplus = lane.surplus or taken < count
        self._reserved += taken
        return taken

    def _release(self, name: str, count: int) -> None:
        self.lane(name).release(count)
        self._reserved -= count

    def claimed(self, asked: Mapping[str, int], notices: Sequence[Leased], *, since: float) -> None:
        """Deliver what a claim of `since` brought; a lane that got all it asked for may have more waiting."""
        self._leased_at.update(dict.fromkeys((notice.notice_id for notice in notices), since))
        got = Counter(notice.lane_name for notice in notices)
        for recipient, count in asked.items():
            lane = self.lane(recipient)
            self._release(recipient, count - got[recipient])
            lane.surplus = lane.surplus or got[recipient] >= count - count // 4
        self.queue(notices)
        self.wake_where_wanted(asked)

    def queue(self, notices: Sequence[Leased]) -> None:
        """Line up notices whose slots are reserved."""
        for notice in notices:
            self.held[notice.notice_id] = notice
            self._held_bytes += len(notice.body)
            self.lane(notice.lane_name).queue(notice)
        for recipient in {notice.lane_name for notice in notices}:
            self._on_work(recipient)

    def now(self) -> float:
        """The moment from which a lease counts that is asked for now, in monotonic seconds."""
        return self._monotonic()

    def to_renew(self, *, again_seconds: float) -> Sequence[Leased]:
        """What is held under leases of which half will be over at the next renewal; much is delivered before that."""
        latest = self._monotonic() + again_seconds - self._limits.lease_seconds / 2
        return [notice for notice_id, notice in self.held.items() if self._leased_at[notice_id] <= latest]

    def renewed(self, asked: Sequence[Leased], ours: frozenset[NoticeId], *, since: float) -> int:
        """Note what was renewed at `since`, and drop from the lanes what was not; gives how many were dropped.

        What is in flight goes on: its result is fenced. A dropped notice is claimed again, by whoever comes first.
        """
        lost: defaultdict[str, set[NoticeId]] = defaultdict(set)
        for notice in asked:
            if self.held.get(notice.notice_id) is not notice:
                continue  # settled meanwhile
            if notice.notice_id in ours:
                self._leased_at[notice.notice_id] = since
            else:
                lost[notice.lane_name].add(notice.notice_id)
        dropped = [notice for recipient, ids in lost.items() for notice in self.lane(recipient).drop(ids)]
        self.let_go(dropped)
        return len(dropped)

    def cancel(self, notice_ids: Collection[NoticeId]) -> None:
        """These are withdrawn: what stands in line is let go, what is under way ends by itself."""
        names = {held.lane_name for notice_id in notice_ids if (held := self.held.get(notice_id))}
        self.let_go([notice for name in names for notice in self.lane(name).drop(notice_ids)])

    def start(self, recipient: str) -> Leased | None:
        """The next notice to deliver, now in flight; one whose lease may have run out is let go instead."""
        lane = self.lane(recipient)
        while (notice := lane.start()) is not None and self._has_run_out(notice):
            lane.not_sent()
            self.let_go([notice])
        return notice

    def _has_run_out(self, notice: Leased) -> bool:
        return self._monotonic() - self._leased_at[notice.notice_id] > self._limits.lease_seconds

    def let_go(self, notices: Iterable[Leased]) -> None:
        """These are settled, or no longer ours: their slots are free."""
        touched = set()
        for notice in notices:
            self._held_bytes -= len(notice.body) if self.held.pop(notice.notice_id, None) else 0
            self._leased_at.pop(notice.notice_id, None)
            self._release(notice.lane_name, 1)
            touched.add(notice.lane_name)
        self.wake_where_wanted(touched)

    def wants(self, name: str) -> None:
        """Rows wait in the ledger for this lane: ask for a claim at once."""
        self.lane(name).surplus = True
        self._on_surplus()

    def wake_where_wanted(self, recipients: Iterable[str]) -> None:
        """Ask for a claim at once where rows wait in the ledger and there is room."""
        if any(self.lane(recipient).wants_more for recipient in recipients):
            self._on_surplus()


def _leased(entry: Entry) -> Leased:
    """A new notice as it stands in the ledger once it is inserted under our lease."""
    return Leased(
        notice_id=entry.notice_id,
        subject=entry.subject,
        body=entry.body,
        body_digest=entry.body_digest,
        attempt_count=0,
        fencing=1,
        give_up_at=entry.give_up_at,
        valid_until=entry.valid_until,
        message_id=entry.notice_id,
        acknowledge_within=entry.acknowledge_within,
        retry_seconds=entry.retry_seconds,
    )
