"""The words of the generated graphs and concerns: few, so that clauses and concerns meet, and of every kind."""

from __future__ import annotations

from typing import Any

ORGS = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta")
PARENTS = ("systems", "people")
CATEGORIES = ("harm", "theft", "fire-risk", "cover-up")
COMPONENTS = ["personal_data", "special_category", "criminal_offence"]
PURPOSES = ("regulatory-function", "inspection", "law", "court")
# Leap day and the day after, both changes of the clock in London, and days far from either.
DAYS = (
    "2024-02-29", "2024-03-01", "2024-10-27", "2024-10-28", "2025-01-01", "2025-03-30", "2025-03-31", "2025-06-01",
    "2025-10-26", "2026-01-01",
)  # fmt: skip

_PLAIN: dict[str, list[str]] = {
    "nations": ["england", "wales"],
    "settings": ["clinic", "school"],
    "victims": ["worker", "visitor"],
    "fault_holders": ["contractor", "unknown"],
    "provider_status": ["registered", "unregistered"],
    "urgency": ["routine", "emerging", "urgent"],
    "registers": ["gmc", "nmc"],
    "topics": ["fire", "water"],
    "flags": ["certified", "signed-off"],
    "field_policy_order": ["omit", "pseudonymise", "generalise", "full"],
    "sensitivity_components": COMPONENTS,
    "markings": ["OFFICIAL", "OFFICIAL-SENSITIVE"],
}
_NAMED: dict[str, list[str]] = {
    "subject_kinds": ["provider", "registrant"],
    "functions": ["hygiene", "records"],
    "field_classes": ["header", "registrant", "narrative"],
}
WORDS: dict[str, list[str]] = {
    **_PLAIN,
    **_NAMED,
    "categories": list(CATEGORIES),
    "purposes": list(PURPOSES),
    "orgs": list(ORGS),
}
_TREES: dict[str, list[Any]] = {
    "ecp_categories": [{"id": name, "name": name} for name in PARENTS],
    "categories": [{"id": name, "parent": PARENTS[at // 2], "label": name} for at, name in enumerate(CATEGORIES)],
    "purposes": [
        {"id": "regulatory-function", "parent": None},
        {"id": "inspection", "parent": "regulatory-function"},
        {"id": "law", "parent": None},
        {"id": "court", "parent": "law"},
    ],
}
_TERMS: dict[str, list[Any]] = {
    **_PLAIN,
    **{name: [{"id": term} for term in terms] for name, terms in _NAMED.items()},
    **_TREES,
}
VOCABULARY: list[dict[str, Any]] = [
    {"kind": "vocabulary", "id": name, "terms": terms} for name, terms in _TERMS.items()
]
