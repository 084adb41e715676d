"""What was worked out of the change that was dealt with last, for the steps that ask again."""

from datetime import date
from typing import NamedTuple

from services.registry.domain.change import Signature


class Mark(NamedTuple):
    """A change as far as it is filled, the graph that it stands on by its root, and the day."""

    change_id: str
    revision: int
    object_count: int
    root: str
    day: date


class Remembered:
    """Whose signatures were needed when that was last worked out, until the change, the graph or the day moves.

    A large import is signed in many steps, and each asks: it has 300,000 signatures.
    """

    def __init__(self) -> None:
        self._of: Mark | None = None
        self._signatures: frozenset[Signature] = frozenset()

    def of(self, mark: Mark) -> frozenset[Signature] | None:
        """Those of this mark; None where another was asked for last."""
        return self._signatures if mark == self._of else None

    def put(self, mark: Mark | None, signatures: frozenset[Signature]) -> None:
        """These instead of what was remembered."""
        self._of, self._signatures = mark, signatures

    def forget(self) -> None:
        """None: nobody will ask again."""
        self.put(None, frozenset())
