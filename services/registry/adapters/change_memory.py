"""What is remembered of the change that was dealt with last, where it is large: an import is read in each of its steps.

Events and objects are added and never changed, so that what was committed before is still so.
"""

from collections.abc import Sequence

from services.registry.domain.change import ChangeLog, Part
from services.registry.domain.model import GraphObject

KEPT_FROM_BYTES = 1_000_000
"""Objects of a change whose first part is smaller are read from the database."""
KEPT_BYTES_MAX = 256 * 2**20


class ChangeMemory:
    """The log and the objects of one change each, of whatever was committed here."""

    def __init__(self) -> None:
        self.log = KeptLog()
        self.objects = KeptObjects()

    def drop(self, change_id: str) -> None:
        """Nobody will ask for this change any more."""
        self.log.drop(change_id)
        self.objects.drop(change_id)


class KeptLog:
    """The committed events of the long change that was read last.

    Only who has added nothing reads or fills it, so that nothing of a transaction that fails stays in it.
    """

    def __init__(self) -> None:
        self._log = ChangeLog("", ())

    def of(self, change_id: str) -> ChangeLog:
        """What is known of the change: its first events, which may be none."""
        return self._log if change_id == self._log.change_id else ChangeLog(change_id, ())

    def put(self, log: ChangeLog) -> None:
        """Remember this log instead."""
        self._log = log

    def drop(self, change_id: str) -> None:
        """Forget this change."""
        if change_id == self._log.change_id:
            self._log = ChangeLog("", ())


class KeptObjects:
    """The objects of the large change that was filled last; who reads compares how many are stored."""

    def __init__(self) -> None:
        self._of = ("", 0)
        self._items: list[GraphObject] = []
        self._byte_count = 0

    def of(self, change_id: str, revision: int) -> Sequence[GraphObject]:
        """What is known of the revision: its first objects, which may be none."""
        return tuple(self._items) if (change_id, revision) == self._of else ()

    def put(self, change_id: str, part: Part) -> None:
        """A part that was committed; what does not follow on what is known makes it forget all."""
        added = sum(len(item.body) for item in part.objects)
        if part.first == 0 and added >= KEPT_FROM_BYTES:
            self._begin((change_id, part.revision))
        if self._of != (change_id, part.revision):
            return
        if part.first != len(self._items) or self._byte_count + added > KEPT_BYTES_MAX:
            self._begin(("", 0))
            return
        self._items += part.objects
        self._byte_count += added

    def drop(self, change_id: str) -> None:
        """Forget this change."""
        if change_id == self._of[0]:
            self._begin(("", 0))

    def _begin(self, of: tuple[str, int]) -> None:
        self._of, self._items, self._byte_count = of, [], 0
