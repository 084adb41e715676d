"""What stops a concern as a whole, until a person decides."""

from __future__ import annotations

from collections.abc import Iterator

from shared.agreements import reasons
from shared.agreements.case import Case
from shared.agreements.facts import Facts
from shared.agreements.model import Graph
from shared.agreements.payload import ONWARD_ORDER


def whole_holds(case: Case) -> tuple[str, ...]:
    """Codes in their order; () when the concern may be decided body by body."""
    holds = []
    if not_understood(case):
        holds.append(reasons.HOLD_UNKNOWN_TERM)
    if is_own_cause(case):
        holds.append(reasons.HOLD_CONFLICT)
    return tuple(holds)


def not_understood(case: Case) -> tuple[str, ...]:
    """What a person must make sense of first: words that nobody knows, and words that contradict each other."""
    return (*unknown_terms(case.graph, case.facts), *contradictions(case))


def contradictions(case: Case) -> tuple[str, ...]:
    """What the concern says at once though the policy says that it cannot, in the policy's order."""
    rows = case.policy.contradictions
    return tuple(f"contradiction: {row.id}" for row in rows if all(_says(case.facts, *said) for said in row.says))


def _says(facts: Facts, name: str, words: frozenset[str]) -> bool:
    return not words.isdisjoint(_stated(getattr(facts, name)))


def is_own_cause(case: Case) -> bool:
    """Whether the concern is about the body that raised it, or about the one that runs the deployment."""
    return case.originator in case.subjects or case.policy.operator in case.subjects


def unknown_terms(graph: Graph, facts: Facts) -> tuple[str, ...]:
    """Every word and body of the concern that the graph does not know: a limit not understood is never dropped."""
    found = {f"{name}: {term}" for name, known, terms in _words(graph, facts) for term in terms if term not in known}
    return tuple(sorted(found))


def _words(graph: Graph, facts: Facts) -> Iterator[tuple[str, frozenset[str], frozenset[str]]]:
    words = graph.vocabularies
    for name, listed in _LISTS.items():
        yield name, frozenset(words.ids(listed)), _stated(getattr(facts, name))
    yield "body", frozenset(graph.organisations), _bodies(facts)
    yield "subject kind", frozenset(words.ids("subject_kinds")), frozenset(row.kind for row in facts.subjects)
    registers = frozenset(register for row in facts.subjects for register in row.registers)
    yield "register", frozenset(words.ids("registers")), registers
    gateways = frozenset(gateway.cite for bar in graph.bars.values() for gateway in bar.gateways)
    yield "gateway", gateways, facts.opened
    onward = _stated(facts.onward) | {hop.onward for hop in facts.provenance}
    yield "onward", frozenset(ONWARD_ORDER), frozenset(onward)
    given = frozenset(pair for hop in facts.provenance for pair in hop.fields or ())
    yield "field class", frozenset(words.ids("field_classes")), frozenset(name for name, _ in given)
    yield "field policy", frozenset(words.ids("field_policy_order")), frozenset(policy for _, policy in given)


_LISTS = {
    "categories": "categories",
    "purposes": "purposes",
    "topics": "topics",
    "functions": "functions",
    "flags": "flags",
    "urgency": "urgency",
    "nation": "nations",
    "setting": "settings",
    "victim": "victims",
    "fault_holder": "fault_holders",
    "provider_status": "provider_status",
    "sensitivity": "sensitivity_components",
    "marking": "markings",
    "field_classes": "field_classes",
}


def _stated(value: str | frozenset[str] | None) -> frozenset[str]:
    if value is None:
        return frozenset()
    return frozenset({value}) if isinstance(value, str) else value


def _bodies(facts: Facts) -> frozenset[str]:
    subjects = {row.org for row in facts.subjects if row.org}
    hops = {org for hop in facts.provenance for org in (hop.sender, hop.recipient)}
    return frozenset({facts.originator, *facts.named_recipients, *subjects, *hops})
