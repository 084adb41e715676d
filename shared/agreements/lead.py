"""Who owns the next action, where a rule says so. Rule 18: leads that follow from no rule are a person's to name."""

from __future__ import annotations

from collections.abc import Iterable

from shared.agreements.case import Case
from shared.agreements.decision import Lead
from shared.agreements.model import LeadRule, LeadStep
from shared.agreements.scope import SCOPE_TESTS


def lead_of(case: Case, told: Iterable[str]) -> Lead | None:
    """The candidates of every rule that applies; one is nominated when only one is left, or only one is told."""
    found = {rule.id: step.candidates for rule in case.graph.lead_rules if (step := _step(rule, case))}
    candidates = tuple(sorted({org for orgs in found.values() for org in orgs}))
    if not candidates:
        return None
    return Lead(tuple(sorted(found)), candidates, _nominated(candidates, set(told)))


def asks_a_person(case: Case) -> tuple[str, ...]:
    """Rules that apply and leave it to a person: before their first day, or at their `else`."""
    applying = (rule for rule in case.graph.lead_rules if _applies(rule, case))
    return tuple(f"lead-undecided:{rule.id}" for rule in applying if not _step(rule, case))


def _nominated(candidates: tuple[str, ...], told: set[str]) -> str | None:
    if len(candidates) == 1:
        return candidates[0]
    among = [org for org in candidates if org in told]
    return among[0] if len(among) == 1 else None


def _step(rule: LeadRule, case: Case) -> LeadStep | None:
    """First match wins; a step without candidates is a person's to decide."""
    if not _applies(rule, case) or _too_early(rule, case):
        return None
    matching = (step for step in rule.steps if _matches(step, case))
    step = next(matching, None)
    return step if step and step.candidates else None


def _applies(rule: LeadRule, case: Case) -> bool:
    agreement = case.snapshot.sharing(rule.agreement or "")
    clauses = agreement.clauses if agreement else ()
    return any(clause.when.categories & case.facts.categories for clause in clauses)


def _too_early(rule: LeadRule, case: Case) -> bool:
    day = case.facts.incident_day if rule.by_incident else case.day
    return rule.not_before is not None and day < rule.not_before


def _matches(step: LeadStep, case: Case) -> bool:
    categories = step.when.categories
    named = not categories or bool(categories & case.facts.categories)
    return named and all(test(step.when, case) is None for test in SCOPE_TESTS)
