"""The smallest graph that can be decided on: a policy, and sources to tell versions apart."""

from typing import Any

POLICY: dict[str, Any] = {
    "kind": "policy",
    "id": "policy",
    "assumed_clauses": {"default": False, "agreements": {}},
    "assumed_remits": True,
    "acknowledge": {},
    "correlation": {"window": {"amount": 60, "unit": "calendar_days"}, "count": 3},
}


def source(name: str, title: str = "A published page") -> dict[str, Any]:
    """One source."""
    return {"kind": "source", "id": name, "title": title, "url": f"https://example.org/{name}"}


SMALL: list[dict[str, Any]] = [source("page-two"), POLICY, source("page-one")]
