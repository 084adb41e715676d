"""Whether the evaluator agrees: what a finding's concern shows, asked of `decide` and `explain` alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from typing import Any

from services.registry.domain.analyses.finding import Evidence, Finding
from shared.agreements import Class, Facts, Outcome, Snapshot, Trial, decide, explain, facts_of

Shown = Callable[[Snapshot, Evidence], bool]
CLEAR = (Class.TOLD, Class.AVAILABLE)


def confirms(snapshot: Snapshot, finding: Finding) -> bool:
    """The evaluator says of the finding's concern what the finding says. Raises KeyError for an unknown `shows`."""
    return SHOWS[finding.evidence.shows](snapshot, finding.evidence)


def outcome_of(snapshot: Snapshot, concern: Mapping[str, Any], body: str) -> Outcome | None:
    """What the evaluator says of the body; None when the graph does not have it."""
    return next((row for row in decide(snapshot, facts_of(concern)).outcomes if row.org == body), None)


def on_day(concern: Mapping[str, Any], day: date) -> dict[str, Any]:
    """The same concern, received on another day."""
    return {**concern, "received_at": f"{day.isoformat()}T12:00:00Z"}


def _facts(evidence: Evidence) -> Facts:
    return facts_of(evidence.concern)


def _class(snapshot: Snapshot, evidence: Evidence) -> Class | None:
    found = outcome_of(snapshot, evidence.concern, evidence.body)
    return found.klass if found else None


def _trials(snapshot: Snapshot, evidence: Evidence) -> dict[str, list[Trial]]:
    found: dict[str, list[Trial]] = {}
    for trial in explain(snapshot, _facts(evidence), evidence.body):
        found.setdefault(trial.because.cite, []).append(trial)
    return found


def _gap(snapshot: Snapshot, evidence: Evidence) -> bool:
    return _class(snapshot, evidence) is Class.GAP


def _gap_opens(snapshot: Snapshot, evidence: Evidence) -> bool:
    """A gap on the day, and none on the day before."""
    before = on_day(evidence.concern, date.fromisoformat(evidence.before or ""))
    earlier = outcome_of(snapshot, before, evidence.body)
    return _gap(snapshot, evidence) and earlier is not None and earlier.klass is not Class.GAP


def _only_way(snapshot: Snapshot, evidence: Evidence) -> bool:
    """Told or available, and by clauses of this agreement alone."""
    found = outcome_of(snapshot, evidence.concern, evidence.body)
    passing = {cite.partition("/")[0] for cite, rows in _trials(snapshot, evidence).items() if _any_passes(rows)}
    return found is not None and found.klass in CLEAR and passing == {evidence.cites[0]}


def _forbidden(snapshot: Snapshot, evidence: Evidence) -> bool:
    """The first clause would let the concern through but for a prohibition, and the body is not told of it."""
    shut = any(trial.failed == ("bar",) for trial in _trials(snapshot, evidence).get(evidence.cites[0], ()))
    return shut and _class(snapshot, evidence) not in CLEAR


def _passes(snapshot: Snapshot, evidence: Evidence) -> bool:
    """Every clause named lets the concern through to the body."""
    trials = _trials(snapshot, evidence)
    return bool(evidence.cites) and all(_any_passes(trials.get(cite, ())) for cite in evidence.cites)


def _fails(snapshot: Snapshot, evidence: Evidence) -> bool:
    """No clause named lets it through."""
    trials = _trials(snapshot, evidence)
    return bool(evidence.cites) and not any(_any_passes(trials.get(cite, ())) for cite in evidence.cites)


def _too_sensitive(snapshot: Snapshot, evidence: Evidence) -> bool:
    """The clause would let the concern through but for its sensitivity."""
    return any(trial.failed == ("sensitivity",) for trial in _trials(snapshot, evidence).get(evidence.cites[0], ()))


def _via_predecessor(snapshot: Snapshot, evidence: Evidence) -> bool:
    """Clauses of the agreement reach the body, or come from the originator, under the name of a body that is gone."""
    agreement, party = evidence.cites
    return any(
        trial.because.agreement == agreement and party in _signed_as(trial)
        for rows in _trials(snapshot, evidence).values()
        for trial in rows
    )


def _signed_as(trial: Trial) -> tuple[str, str]:
    return trial.because.signed_as.discloser, trial.because.signed_as.recipient


def _gone(snapshot: Snapshot, evidence: Evidence) -> bool:
    """The body can receive nothing any more."""
    return _class(snapshot, evidence) is Class.NO_PATH


def _in_force(snapshot: Snapshot, evidence: Evidence) -> bool:
    """A clause of the agreement joins the two on the day, and the agreement is in force."""
    rows = [trial for rows in _trials(snapshot, evidence).values() for trial in rows]
    return any(trial.because.agreement == evidence.cites[0] and "in_force" in trial.passed for trial in rows)


def _any_passes(trials: Iterable[Trial]) -> bool:
    return any(trial.reason is None and not trial.ambiguous for trial in trials)


SHOWS: dict[str, Shown] = {
    "gap": _gap,
    "gap-opens": _gap_opens,
    "only-way": _only_way,
    "forbidden": _forbidden,
    "passes": _passes,
    "fails": _fails,
    "too-sensitive": _too_sensitive,
    "via-predecessor": _via_predecessor,
    "gone": _gone,
    "in-force": _in_force,
}
