"""What an analysis says: one sentence that can be checked, with the concern that shows it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Severity(Enum):
    """How much it matters to the people whom a concern is about."""

    ERROR = "error"
    """Two rules contradict one another: what was agreed cannot be done as it is written."""
    WARNING = "warning"
    """A body that should know cannot be told, or a rule does not do what it says."""
    NOTICE = "notice"
    """Nothing is lost today; somebody should look at it."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """A concern in the form that intake takes, one body, and what the evaluator says of that body.

    `shows` is a name of `confirm.SHOWS`; `cites` are the clauses that it speaks of; on the day `before` it was not so.
    """

    concern: Mapping[str, Any] = field(repr=False)
    body: str
    shows: str
    cites: tuple[str, ...] = ()
    before: str | None = None

    def to_json(self) -> dict[str, Any]:
        more = {} if self.before is None else {"before": self.before}
        return {
            "concern": dict(self.concern),
            "body": self.body,
            "shows": self.shows,
            "cites": list(self.cites),
            **more,
        }


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that an analysis found. `key` is the same for the same finding in every version of the graph.

    `about` names agreements, clauses (`<agreement>/<clause>`), duties, bars or organisations, the most telling first.
    """

    key: str
    analysis: str
    severity: Severity
    sentence: str
    remedy: str
    about: tuple[str, ...]
    evidence: Evidence
    day: str | None = None

    def to_json(self) -> dict[str, Any]:
        """The finding as an API gives it, with its evidence."""
        dated = {} if self.day is None else {"day": self.day}
        return {
            "key": self.key,
            "analysis": self.analysis,
            "severity": self.severity.value,
            "sentence": self.sentence,
            "remedy": self.remedy,
            "about": list(self.about),
            **dated,
            "evidence": self.evidence.to_json(),
        }
