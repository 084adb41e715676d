"""A lane: the notices of one endpoint that this process holds, bounded, so that it can hurt nobody but itself."""

from collections import deque
from collections.abc import Callable, Collection, Sequence

from services.notifier.domain.model import REPLAY, Leased, NoticeId
from services.notifier.domain.throttle import Breaker, Heard, Throttle

RETRY_TURN = 4
"""Every fourth notice taken is an old failure where there are both: first attempts go ahead, failures still move."""


class Lane:
    """Slots bound what is held (leased rows), the cap bounds what is on the wire.

    The cap halves with each failure and grows by one with each success, so a dead endpoint is probed by one
    delivery at a time. The throttle says how fast it goes, and whether it goes at all. `monotonic` tells seconds.
    """

    __slots__ = (
        "_cap_max", "_fresh", "_monotonic", "_retries", "_slots_max", "_turn", "cap", "held", "in_flight", "surplus",
        "throttle",
    )  # fmt: skip

    def __init__(self, *, slots_max: int, in_flight_max: int, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self.throttle = Throttle()
        self._slots_max = slots_max
        self._cap_max = in_flight_max
        self.cap = in_flight_max
        self.held = 0
        self.in_flight = 0
        self.surplus = False
        self._turn = 0
        self._fresh: deque[Leased] = deque()
        self._retries: deque[Leased] = deque()

    @property
    def free(self) -> int:
        """How many more leases it may take: none while nothing may be sent, one while one may."""
        if self.throttle.is_open(self._monotonic()):
            return 0
        return max((1 if self.throttle.breaker is Breaker.HALF_OPEN else self._slots_max) - self.held, 0)

    @property
    def waiting(self) -> int:
        """How many stand in line."""
        return len(self._fresh) + len(self._retries)

    @property
    def wants_more(self) -> bool:
        """Whether rows are known to wait in the ledger and half of the slots are free."""
        return self.surplus and self.free * 2 >= self._slots_max

    @property
    def workers_wanted(self) -> int:
        """How many more deliveries may start now."""
        now = self._monotonic()
        if self.throttle.is_open(now):
            return 0
        cap = 1 if self.throttle.breaker is Breaker.HALF_OPEN else self.cap
        return max(min(self.waiting, cap - self.in_flight), 0)

    def reserve(self, count: int) -> int:
        """Take up to `count` slots; gives how many. What did not fit is surplus in the ledger."""
        taken = min(count, self.free)
        self.held += taken
        self.surplus = self.surplus or taken < count
        return taken

    def release(self, count: int) -> None:
        """Give slots back: their notices are settled, or were never leased."""
        self.held -= count

    def queue(self, notice: Leased) -> None:
        """Line up a notice whose slot is reserved."""
        again = notice.attempt_count or notice.subject.kind == REPLAY
        (self._retries if again else self._fresh).append(notice)

    def start(self) -> Leased | None:
        """The next notice to deliver, now in flight; None when cap or pace is reached or nothing waits."""
        if not self.workers_wanted or not self.throttle.take(self._monotonic()):
            return None
        self._turn += 1
        retries_first = self._turn % RETRY_TURN == 0
        first, second = (self._retries, self._fresh) if retries_first else (self._fresh, self._retries)
        self.in_flight += 1
        return (first or second).popleft()

    def drop(self, lost: Collection[NoticeId]) -> Sequence[Leased]:
        """Take these out of the line, as far as they stand in it; what is in flight stays. Gives what was taken out."""
        waiting = [*self._fresh, *self._retries]
        self._fresh = deque(notice for notice in self._fresh if notice.notice_id not in lost)
        self._retries = deque(notice for notice in self._retries if notice.notice_id not in lost)
        return [notice for notice in waiting if notice.notice_id in lost]

    def empty(self) -> Sequence[Leased]:
        """Take everything out of the line; gives what was taken out."""
        waiting = [*self._fresh, *self._retries]
        self._fresh.clear()
        self._retries.clear()
        return waiting

    def not_sent(self) -> None:
        """A delivery that was started has not been made after all."""
        self.in_flight -= 1

    def answered(self, heard: Heard) -> None:
        """A delivery has ended, well or not."""
        self.in_flight -= 1
        self.cap = min(self.cap + 1, self._cap_max) if heard.well else max(self.cap // 2, 1)
        self.throttle.answered(heard, self._monotonic())
