"""Why not, in full: every clause between originator and one body, with every gate it passes and fails."""

from __future__ import annotations

from dataclasses import dataclass

from shared.agreements.case import Attempt
from shared.agreements.classes import because_of
from shared.agreements.decide import case_of
from shared.agreements.decision import Because
from shared.agreements.facts import Facts
from shared.agreements.gates import failing, gate_names, try_gates
from shared.agreements.snapshot import Snapshot


@dataclass(frozen=True, slots=True)
class Trial:
    """One clause tried. `failed` holds *all* failing gates: to satisfy them together, and no fewer, opens it."""

    because: Because
    effect: str
    mode: str
    reason: str | None
    passed: tuple[str, ...]
    failed: tuple[str, ...]
    ambiguous: bool


def explain(snapshot: Snapshot, facts: Facts, org: str) -> tuple[Trial, ...]:
    """Every clause by which the originator might tell the body, the one that came furthest first.

    Pure and total; () when nothing joins them in this direction.
    """
    case = case_of(snapshot, facts)
    attempts = [attempt for attempt in case.attempts if attempt.recipient.org == org]
    ranked = sorted(attempts, key=lambda attempt: (-try_gates(attempt).reach, attempt.clause.cite))
    return tuple(_trial(attempt) for attempt in ranked)


def _trial(attempt: Attempt) -> Trial:
    failed = tuple(failing(attempt))
    return Trial(
        because=because_of(attempt),
        effect=attempt.clause.effect.value,
        mode=attempt.clause.mode.value,
        reason=try_gates(attempt).reason,
        passed=tuple(name for name in gate_names(attempt) if name not in failed),
        failed=failed,
        ambiguous=attempt.ambiguous,
    )
