"""What the graph itself shows: who should know and cannot be told, rules that contradict, rules that do nothing.

Pure, and complete over the graph's own vocabularies: each finding carries a concern that the evaluator confirms.
"""

from services.registry.domain.analyses.confirm import confirms
from services.registry.domain.analyses.everything import BODIES_LISTED_MAX, findings, listable
from services.registry.domain.analyses.finding import Evidence, Finding, Severity

__all__ = ["BODIES_LISTED_MAX", "Evidence", "Finding", "Severity", "confirms", "findings", "listable"]
