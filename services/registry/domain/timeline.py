"""The words of the graph over time: states that were recorded, and what is asked of them."""

from dataclasses import dataclass
from datetime import date, datetime

from services.registry.domain.model import Commit, GraphObject

Key = tuple[str, str]
"""Kind and id of an object."""


@dataclass(frozen=True, slots=True)
class Recorded:
    """One recorded state of an object: the commit that made it, and the moment that ended it; None: it stands."""

    commit: Commit
    until: datetime | None
    item: GraphObject


@dataclass(frozen=True, slots=True)
class Search:
    """Which objects of a kind are asked for, in the graph as recorded at `version`.

    `party` is a body that is a party on `day`; `in_force_on` a day on which it is in force and not suspended.
    """

    kind: str
    version: int
    day: date
    party: str | None = None
    in_force_on: date | None = None
