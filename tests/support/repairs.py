"""How a person would satisfy each gate of one clause, as edits of the graph's objects and of the concern."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from shared.agreements import Because, Repair
from tests.support.graph_words import CATEGORIES, COMPONENTS, PURPOSES, WORDS

Row = dict[str, Any]
ALWAYS: Row = {"from": None, "to": None}
KEYS = {
    "needs_all": ("needs_all",), "subject": ("subject_kinds", "registers"),
    "settings": ("settings",), "victims": ("victims",), "provider_status": ("provider_status",),
    "fault_holders": ("fault_holders",), "topics": ("topics",), "topics_none": ("topics_none",),
    "urgency": ("urgency_at_least",), "flags_all": ("flags_all",), "functions": ("functions",),
    "subject_not": ("subject_not",), "remit": ("recipient_remit",),
}  # fmt: skip


def repaired(rows: list[Row], routing: Row, repair: Repair, gates: Iterable[str]) -> tuple[list[Row], Row]:
    """The graph and the concern in which these of the clause's gates are satisfied and its others stay as they were.

    The concern names a nation: without one it matches no agreement, and nobody could amend a clause for it.
    """
    because, todo = repair.because, set(gates)
    # A new signatory could lower the instrument's cap: the ceiling that let the concern by is then written down.
    todo |= {"sensitivity"} if "capacity" in todo and "sensitivity" not in repair.gates else set()
    edited = [_edited(row, because, todo) for row in rows]
    if "assumed" in todo:
        edited = [_switched_on(row, because.agreement) if row["kind"] == "policy" else row for row in edited]
    if "bar" in todo:
        edited = [{**row, "without_gateway": "omit_fields"} if row["kind"] == "bar" else row for row in edited]
    # A prohibition that does not bind today would bind a new signatory: it is no gate of this clause.
    if "bar" in todo or "bar" not in repair.gates:
        edited = [_without_prohibitions(row) for row in edited]
    return edited, {**routing, **({"provenance": []} if "onward" in todo else {})}


def about_another(routing: Row, bodies: Iterable[str]) -> Row:
    """The concern as it would be if none of these bodies were its subject."""
    orgs = set(bodies)
    return {**routing, "subjects": [{**row, "org": None} if row["org"] in orgs else row for row in routing["subjects"]]}


def _edited(row: Row, because: Because, todo: set[str]) -> Row:
    if row["kind"] not in ("agreement", "duty") or row["id"] != because.agreement:
        return _unlinked(row, because, todo)
    edited = {**row, "clauses": [_clause(item, because, todo) for item in row["clauses"]]}
    if todo & {"capacity", "accession"}:
        edited["parties"] = [_party(item, because, todo) for item in row["parties"]]
    if "in_force" in todo:
        edited = {key: item for key, item in edited.items() if key not in ("terminated", "suspended", "supersedes")}
        lineage = {"lineage": f"{row['id']}-by-itself"} if row.get("lineage") == "pact" else {}
        edited |= {"in_force": ALWAYS, **lineage}
    return edited


def _unlinked(row: Row, because: Because, todo: set[str]) -> Row:
    """A later version no longer takes the place of the one that is to be in force."""
    if "in_force" in todo and row.get("supersedes") == because.agreement:
        return {key: item for key, item in row.items() if key != "supersedes"}
    return row


def _party(party: Row, because: Because, todo: set[str]) -> Row:
    if party["org"] not in (because.signed_as.discloser, because.signed_as.recipient):
        return party
    capacity = {"capacity": "signatory"} if "capacity" in todo else {}
    return {**party, **capacity, **(ALWAYS if "accession" in todo else {})}


def _clause(clause: Row, because: Because, todo: set[str]) -> Row:
    if clause["id"] != because.clause:
        return clause
    dropped = {key for gate in todo for key in KEYS.get(gate, ())}
    when = {key: item for key, item in clause["when"].items() if key not in dropped}
    # A record counts as naming every category; written as a push it names them.
    every = "category" in todo or ("mode" in todo and clause["mode"] == "record")
    when |= {"nations": WORDS["nations"]} if "nations" in todo else {}
    when |= {"categories": list(CATEGORIES)} if every else {}
    edited = {**clause, "when": when}
    edited |= {"mode": "push"} if "mode" in todo else {}
    edited |= {"purposes": list(PURPOSES)} if "purpose" in todo else {}
    edited |= {"sensitivity_max": COMPONENTS} if "sensitivity" in todo else {}
    return _on_its_side(edited, because) if "capacity" in todo else edited


def _on_its_side(clause: Row, because: Because) -> Row:
    """To sign is to take a side of the clause."""
    sides = {"from": because.signed_as.discloser, "to": because.signed_as.recipient}
    missing = {
        side: [*clause[side], org]
        for side, org in sides.items()
        if "@signatories" not in clause[side] and org not in clause[side]
    }
    return {**clause, **missing}


def _switched_on(policy: Row, agreement: str) -> Row:
    switches = {**policy["assumed_clauses"]["agreements"], agreement: True}
    return {**policy, "assumed_clauses": {**policy["assumed_clauses"], "agreements": switches}}


def _without_prohibitions(row: Row) -> Row:
    """Each is put on record instead, those in gateways too."""
    if "gateways" in row:
        return {**row, "gateways": [_quiet_way(way) for way in row["gateways"]]}
    return {**row, "clauses": [_quiet(item) for item in row["clauses"]]} if "clauses" in row else row


def _quiet_way(way: Row) -> Row:
    return {**way, "permits": _quiet(way["permits"])} if "permits" in way else way


def _quiet(clause: Row) -> Row:
    return {**clause, "effect": "PERMIT", "mode": "record"} if clause["effect"] == "FORBID" else clause
