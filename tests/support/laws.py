"""How hard a law is tried, and how two decisions are compared."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hypothesis import HealthCheck, settings

from shared.agreements import Decision, Outcome
from shared.canonical import canonical

Row = dict[str, Any]
QUICK_EXAMPLES = 80
_PROFILE = settings.get_current_profile_name()
nightly = _PROFILE == "nightly"
EXAMPLES = {"nightly": 10_000, "mutants": 20}.get(_PROFILE, QUICK_EXAMPLES)
# A graph is a thousand bytes on purpose, and a law that needs a rare graph says so by itself.
law = settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.data_too_large, HealthCheck.large_base_example, HealthCheck.too_slow],
)
ORDER = ("omit", "pseudonymise", "generalise", "full")


def told(decision: Decision) -> set[str]:
    return {outcome.org for outcome in decision.told}


def encoded(decision: Decision) -> bytes:
    """The canonical bytes that the router stores."""
    return canonical(decision.to_json())


def shows_no_more(less: Outcome, more: Outcome) -> bool:
    """No field class of the one travels in a clearer form than in the other."""
    return all(ORDER.index(less.fields[name]) <= ORDER.index(more.fields[name]) for name in more.fields)


def mapped(value: Any, change: Callable[[str], str]) -> Any:
    """The same rows with every string put through `change`, keys too (agreements are keys of a policy)."""
    if isinstance(value, dict):
        return {change(key): mapped(item, change) for key, item in value.items()}
    if isinstance(value, list):
        return [mapped(item, change) for item in value]
    return change(value) if isinstance(value, str) else value


def without(rows: list[Row], *keys: tuple[str, str]) -> list[Row]:
    """The rows that are none of these kinds and ids."""
    return [row for row in rows if (row["kind"], row["id"]) not in keys]


def of_kind(rows: list[Row], kind: str) -> list[Row]:
    return [row for row in rows if row["kind"] == kind]


def merged(rows: list[Row], *changes: Row) -> list[Row]:
    """The graph after a commit of these objects: each new, or in the place of the one with its kind and id."""
    found = {(row["kind"], row["id"]): row for row in [*rows, *changes]}
    return list(found.values())
