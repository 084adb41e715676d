"""The rest of a notice, for a recipient that states its basis: what closes it, and what the law of now allows; pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any

from services.notifier.domain.model import NoticeState

Json = dict[str, Any]
OVER = frozenset({NoticeState.CANCELLED, NoticeState.EXPIRED})


class Ground(Enum):
    """Why the rest of a notice is not given."""

    NOTHING_LEFT_OUT = "nothing-left-out"
    TAKEN_BACK = "taken-back"
    BASIS_ENDED = "basis-ended"
    NO_LONGER_TOLD = "no-longer-told"
    OTHER_CLAUSE = "other-clause"


@dataclass(frozen=True, slots=True)
class Allowed:
    """What the agreements allow a body as of now, of a concern that it was told of.

    `because` are the clauses that would tell it, `fields` the policy of each class, `withheld` the code of what leaves
    one out; `graph` is the version and root that say so. Where it would not be told, nothing of this is there.
    """

    told: bool
    because: tuple[Json, ...] = ()
    fields: Mapping[str, str] | None = None
    withheld: Mapping[str, str] | None = None
    onward: str = "none"
    graph: Mapping[str, Any] | None = None

    @property
    def citations(self) -> frozenset[str]:
        """The clauses as they are cited: `agreement/clause`."""
        return frozenset(f"{row['agreement']}/{row['clause']}" for row in self.because)


def closed(
    state: NoticeState, valid_until: datetime | None, *, taken_back: bool, keeps_rest: bool, now: datetime
) -> Ground | None:
    """What the ledger alone says against it: a recall counts from when it is issued, delivered or not."""
    if taken_back:
        return Ground.TAKEN_BACK
    if state in OVER or (valid_until is not None and now >= valid_until):
        return Ground.BASIS_ENDED
    return None if keeps_rest else Ground.NOTHING_LEFT_OUT


def unfounded(basis: str, allowed: Allowed) -> Ground | None:
    """What the law of now says against it: the clause that is stated must be one that tells the body as of now."""
    if not allowed.told:
        return Ground.NO_LONGER_TOLD
    return None if basis in allowed.citations else Ground.OTHER_CLAUSE
