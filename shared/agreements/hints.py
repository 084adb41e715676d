"""What a person may try where the originator itself can do nothing."""

from __future__ import annotations

from dataclasses import replace

from shared.agreements.case import Case
from shared.agreements.classes import tells
from shared.agreements.gates import forbids, try_gates


def suggest_onward(case: Case, told: set[str], gaps: set[str]) -> list[str]:
    """`suggest-onward:a->b`: a is told, and its own agreements would tell b, which should know. A hint, no leave."""
    return [f"suggest-onward:{org}->{gap}" for org in sorted(told) for gap in _reached_by(org, case, gaps)]


def _reached_by(org: str, case: Case, gaps: set[str]) -> list[str]:
    if not gaps:
        return []
    as_originator = Case(case.snapshot, replace(case.facts, originator=org))
    attempts = [attempt for attempt in as_originator.attempts if attempt.recipient.org in gaps]
    as_originator.forbidden = frozenset(attempt.recipient.org for attempt in attempts if forbids(attempt))
    telling = (a for a in attempts if not a.ambiguous and tells(a) and try_gates(a).passed)
    return sorted({attempt.recipient.org for attempt in telling})
