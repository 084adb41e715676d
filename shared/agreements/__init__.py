"""The pure core: the agreement graph, and who is told of a concern. Standard library only.

The router runs `decide`, the registry's what-if runs it, an auditor's replay runs it: one code, so one truth.
"""

from shared.agreements.decide import decide, held_for_fault
from shared.agreements.decision import Because, Class, Decision, Duties, Lead, Outcome, Payload, SignedAs, Withheld
from shared.agreements.explain import Explanation, Repair, Trial, explain, why
from shared.agreements.facts import Facts, GatewayFact, Hop, SubjectFacts, facts_of
from shared.agreements.load import GraphInvalid, Problem, load
from shared.agreements.model import Graph, Limit, Policy
from shared.agreements.reasons import sentence
from shared.agreements.snapshot import Snapshot
from shared.agreements.variants import alone, assuming, with_assumed

__all__ = [
    "Because",
    "Class",
    "Decision",
    "Duties",
    "Explanation",
    "Facts",
    "GatewayFact",
    "Graph",
    "GraphInvalid",
    "Hop",
    "Lead",
    "Limit",
    "Outcome",
    "Payload",
    "Policy",
    "Problem",
    "Repair",
    "SignedAs",
    "Snapshot",
    "SubjectFacts",
    "Trial",
    "Withheld",
    "alone",
    "assuming",
    "decide",
    "explain",
    "facts_of",
    "held_for_fault",
    "load",
    "sentence",
    "why",
    "with_assumed",
]
