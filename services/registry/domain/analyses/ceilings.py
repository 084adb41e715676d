"""How sensitive a concern may be: the evaluator's own gate, asked for each component alone."""

from __future__ import annotations

from dataclasses import replace

from shared.agreements.case import Attempt, Case
from shared.agreements.gates import sensitivity
from shared.agreements.model import Agreement, Terms


def ceiling(attempt: Attempt) -> Terms:
    """The components that the clause of the attempt can carry."""
    words = attempt.case.graph.vocabularies.ids("sensitivity_components")
    return frozenset(word for word in words if sensitivity(carrying(attempt, frozenset({word}))) is None)


def ceiling_of(agreement: Agreement, attempt: Attempt) -> Terms:
    """What the agreement itself could carry, whatever its clauses say."""
    clause = replace(attempt.clause, sensitivity_max=None)
    return ceiling(attempt._replace(agreement=agreement, clause=clause))


def carrying(attempt: Attempt, components: Terms) -> Attempt:
    """The same attempt with a concern of this sensitivity."""
    case = Case.__new__(Case)
    case.__dict__.update(attempt.case.__dict__)
    case.facts = replace(attempt.case.facts, sensitivity=components)
    return attempt._replace(case=case)
