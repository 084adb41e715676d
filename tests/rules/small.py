"""The smallest graph in which a rule can show: alpha tells beta, whose remit is harm, under one pact.

Each maker takes only what the case is about; everything else is what lets the concern through.
"""

from __future__ import annotations

from typing import Any

from shared.agreements import Decision, GraphInvalid, Outcome, Snapshot, decide, facts_of, load

Row = dict[str, Any]
LIMIT = {"amount": 1, "unit": "working_days"}

WORDS: dict[str, list[Any]] = {
    "nations": ["england", "wales"],
    "ecp_categories": [{"id": "ecp-systems", "name": "systems"}],
    "categories": [{"id": name, "parent": "ecp-systems", "label": name} for name in ("harm", "theft", "fire-risk")],
    "subject_kinds": [{"id": "provider"}, {"id": "registrant"}],
    "settings": ["clinic", "school"],
    "victims": ["worker", "visitor"],
    "fault_holders": ["contractor", "unknown"],
    "provider_status": ["registered", "unregistered"],
    "urgency": ["routine", "emerging", "urgent"],
    "registers": ["gmc", "nmc"],
    "topics": ["fire", "water"],
    "flags": ["certified"],
    "functions": [{"id": "hygiene"}, {"id": "records"}],
    "purposes": [
        {"id": "regulatory-function", "parent": None},
        {"id": "inspection", "parent": "regulatory-function"},
        {"id": "law", "parent": None},
    ],
    "field_classes": [{"id": "header"}, {"id": "registrant"}, {"id": "narrative"}],
    "field_policy_order": ["omit", "pseudonymise", "generalise", "full"],
    "sensitivity_components": ["personal_data", "child"],
    "markings": ["OFFICIAL", "OFFICIAL-SENSITIVE"],
}
PUBLIC_CAPS = {"isa": ["personal_data", "child"], "mou": ["personal_data"], "statutory": ["personal_data"]}
POLICY: Row = {
    "kind": "policy",
    "id": "policy",
    "assumed_clauses": {"default": False, "agreements": {}},
    "assumed_remits": True,
    "acknowledge": {"emerging": {"amount": 2, "unit": "working_days"}},
    "correlation": {"window": {"amount": 60, "unit": "calendar_days"}, "count": 3},
    "instrument_caps": {"public_parties_only": PUBLIC_CAPS, "any_other_party": {"isa": ["personal_data"]}},
    "field_policy_default": {"fields": {"header": "full", "registrant": "generalise", "narrative": "full"}},
}


def during(start: str | None = None, end: str | None = None) -> Row:
    return {"from": start, "to": end}


def org(name: str, *remits: Row, **changes: Any) -> Row:
    row = {"kind": "organisation", "id": name, "name": name, "sector": "public", "exists": during()}
    return {**row, "remits": list(remits), "certainty": "seed", **changes}


def remit(*categories: str, **changes: Any) -> Row:
    return {"categories": list(categories or ("harm",)), **during(), "certainty": "source", **changes}


def party(name: str, start: str | None = None, end: str | None = None, **changes: Any) -> Row:
    return {"org": name, "capacity": "signatory", **during(start, end), **changes}


def clause(**changes: Any) -> Row:
    """c1: a push permit from alpha to beta on harm and theft, full scope. `when` is merged, not replaced."""
    when = {"categories": ["harm", "theft"], **changes.pop("when", {})}
    sides = {"from": changes.pop("frm", ["alpha"]), "to": changes.pop("to", ["beta"])}
    row = {"id": "c1", "effect": "PERMIT", "mode": "push", "direction": "one_way", **sides, "when": when}
    more = {"purposes": ["regulatory-function"], "onward": "free", "summary": "tells", "certainty": "source"}
    return {**row, **more, **changes}


def pact(*clauses: Row, **changes: Any) -> Row:
    """An information sharing agreement of alpha, beta and gamma."""
    row = {"kind": "agreement", "id": "pact", "instrument": "isa", "title": "Pact", "lineage": "pact"}
    parties = [party("alpha"), party("beta"), party("gamma")]
    life = {"in_force": during(), "nations": ["england", "wales"], "binding": False, "status": "current"}
    rest = {"parties": parties, "clauses": list(clauses) or [clause()], "certainty": "source"}
    return {**row, **life, **rest, **changes}


def duty(*clauses: Row, **changes: Any) -> Row:
    row = pact(*clauses, kind="duty", id="duty", instrument="statutory")
    return {key: value for key, value in {**row, **changes}.items() if key not in ("lineage", "status")}


def follows(before: str, after: str, kind: str = "merge", **changes: Any) -> Row:
    row = {"kind": "succession", "id": f"{before}-{after}", "from": before, "to": after, "type": kind}
    part = {"scope": "a part"} if kind in ("split", "partial_transfer") else {}
    rest = {"effective": "2020-01-01", "novation": "inherited", "ecp_signature": "not_carried", "certainty": "source"}
    return {**row, **part, **rest, **changes}


def bar(*gateways: Row, **changes: Any) -> Row:
    """A bar on alpha that withholds everything."""
    row = {"kind": "bar", "id": "bar", "holders": ["alpha"], "title": "Bar", "nations": ["england"]}
    rest = {"in_force": during(), "protects": "all", "without_gateway": "withhold", "gateways": list(gateways)}
    return {**row, **rest, "certainty": "source", **changes}


def gateway(**changes: Any) -> Row:
    return {"id": "way", "text": "a way", "decided_by": "router", **changes}


def barred_alpha() -> Row:
    return org("alpha", bars=["bar"])


def lead_rule(*steps: Row, **changes: Any) -> Row:
    row = {"kind": "lead_rule", "id": "rule", "title": "Rule", "agreement": "pact", "steps": list(steps)}
    return {**row, "certainty": "source", **changes}


def rows(*objects: Row, **policy: Any) -> list[Row]:
    """The small graph's, with these objects added or put in the place of those of the same kind and id.

    A policy key that is None is left out.
    """
    own = {key: value for key, value in {**POLICY, **policy}.items() if value is not None}
    plain = [org("alpha"), org("beta", remit()), org("gamma"), pact(), own]
    words = [{"kind": "vocabulary", "id": name, "terms": terms} for name, terms in WORDS.items()]
    return list({(row["kind"], row["id"]): row for row in [*plain, *words, *objects]}.values())


def world(*objects: Row, **policy: Any) -> Snapshot:
    """The small graph with these objects and this policy."""
    return Snapshot(load(rows(*objects, **policy)), version=1, root="r")


def problems(*objects: Row) -> list[str]:
    """What keeps the small graph from being read with these objects in it; [] when nothing does."""
    try:
        world(*objects)
    except GraphInvalid as fault:
        return list(map(str, fault.problems))
    return []


def ask(snapshot: Snapshot, **concern: Any) -> Decision:
    """The decision on alpha's concern of harm in England on 3 March 2025, with these changes."""
    routing = {
        "originator": "alpha",
        "received_at": "2025-03-03T10:00:00Z",
        "categories": ["harm"],
        "nation": "england",
        "subjects": [{"kind": "provider"}],
        "purposes": ["regulatory-function"],
    }
    return decide(snapshot, facts_of({**routing, **concern}))


def beta(snapshot: Snapshot, **concern: Any) -> Outcome:
    return ask(snapshot, **concern).of("beta")


def verdict(snapshot: Snapshot, **concern: Any) -> tuple[str, str]:
    """Class and reason of beta."""
    outcome = beta(snapshot, **concern)
    return outcome.klass.value, outcome.reason


TOLD = ("told", "PERMITTED")
