"""How far a consumer is behind, and whether it stands still although there is something to read."""

from collections.abc import Collection, Mapping, Set
from time import monotonic
from typing import Protocol

from aiokafka import TopicPartition

from shared.faults import LogUnavailable
from shared.kafka.ends import NoAnswer

LOOK_SECONDS = 3.0
FROZEN_SECONDS = 15.0
DOUBTFUL_SECONDS = 30.0


class Ends(Protocol):
    """Where the log ends, as the broker says."""

    async def of(self, partitions: Collection[TopicPartition]) -> Mapping[TopicPartition, int]:
        """The offset of the next record of each partition; raises LogUnavailable."""
        ...


class UselessClient(LogUnavailable):
    """The broker answers, and this client must be made anew."""


class StandsStill(UselessClient):
    """There is something to read, and the client brings nothing."""


class Doubtful(UselessClient):
    """The broker said nothing for so long that what the client asked it is lost; it may wait for that still."""


class LogShrank(UselessClient):
    """The log ends before what was read of it: it is not the log that this client knows."""


class Lag:
    """Compares where a consumer stands with where the log ends, which it asks for every few seconds."""

    def __init__(self, ends: Ends, *, frozen_seconds: float = FROZEN_SECONDS) -> None:
        self._source = ends
        self._frozen_seconds = frozen_seconds
        self._ends: Mapping[TopicPartition, int] = {}
        self._asked_at = float("-inf")
        self._silent = False
        self._unanswered_since = float("inf")
        self._since: dict[TopicPartition, tuple[int, float]] = {}

    async def look(self, armed: Mapping[TopicPartition, int], *, busy: Set[TopicPartition] = frozenset()) -> int:
        """How many records wait. A partition of which something is under way (`busy`) does not stand still.

        Raises LogUnavailable where the broker does not say: nothing is to be said of this client then. Raises
        LogShrank, and StandsStill for a partition that has not moved for too long with something to read: the client
        is of no more use.
        """
        now = monotonic()
        if now - self._asked_at > LOOK_SECONDS or (not self._silent and armed.keys() - self._ends.keys()):
            self._asked_at, self._silent = now, True
            await self._ask_in_doubt(dict(armed), now)
            self._silent = False
            now = monotonic()  # it may have had to wait for its turn
        if self._silent:
            raise LogUnavailable("it did not say a moment ago")
        behind = {tp: max(self._ends.get(tp, at) - at, 0) for tp, at in armed.items()}
        for tp, at in armed.items():
            if not behind[tp] or tp in busy or self._since.get(tp, (-1, now))[0] != at:
                self._since[tp] = (at, now)
        if any(now - self._since[tp][1] > self._frozen_seconds for tp in armed):
            raise StandsStill
        return sum(behind.values())

    def forget(self) -> None:
        """Nothing has stood still: what was read could not be handled, or there is a new client."""
        self._since.clear()

    async def _ask_in_doubt(self, armed: Mapping[TopicPartition, int], now: float) -> None:
        try:
            await self._ask(armed)
        except NoAnswer:
            self._unanswered_since = min(self._unanswered_since, now)
            raise
        since, self._unanswered_since = self._unanswered_since, float("inf")
        if monotonic() - since > DOUBTFUL_SECONDS:
            raise Doubtful

    async def _ask(self, armed: Mapping[TopicPartition, int]) -> None:
        self._ends = await self._source.of(tuple(armed))
        if any(self._ends[tp] < at for tp, at in armed.items()):
            raise LogShrank
