"""What a scenario expects, held against a decision: the differences, each as one line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from shared.agreements import Decision

Json = Mapping[str, Any]


def differences(expected: Json, decision: Decision | Json) -> list[str]:
    """Every way in which a decision (or its JSON) differs from `expected` of a scenario case; [] when in none.

    `told` is complete; `available`, `not_told` and `gap_includes` name some bodies. Keys that speak of delivery or
    of several concerns together (`delivery`, `correlation`, `suggest-rrp`) are not this function's.
    """
    found = decision.to_json() if isinstance(decision, Decision) else decision
    return [line for key, look in _CHECKS.items() if key in expected for line in look(expected[key], found)]


def class_and_reason(found: Json, org: str) -> tuple[str, str]:
    """The class and the reason of one body in a decision's JSON."""
    for klass in ("told", "available"):
        for row in found[klass]:
            if row["org"] == org:
                return klass, row["reason"]
    for klass, grouped in found["not_told"].items():
        for reason, orgs in grouped.items():
            if org in orgs:
                return klass, reason
    return "unknown", "unknown"


def orgs_of(found: Json, klass: str) -> list[str]:
    """The bodies of one class in a decision's JSON."""
    if klass in ("told", "available"):
        return [row["org"] for row in found[klass]]
    return sorted(org for orgs in found["not_told"].get(klass, {}).values() for org in orgs)


def _told(rows: list[Json], found: Json) -> Iterator[str]:
    wanted, actual = {row["org"]: row for row in rows}, {row["org"]: row for row in found["told"]}
    yield from (f"told: {org} is missing" for org in sorted(wanted.keys() - actual.keys()))
    yield from (f"told: {org} is too many" for org in sorted(actual.keys() - wanted.keys()))
    for org in sorted(wanted.keys() & actual.keys()):
        yield from _one_told(org, wanted[org], actual[org])


def _one_told(org: str, wanted: Json, actual: Json) -> Iterator[str]:
    because = sorted(f"{row['agreement']}/{row['clause']}" for row in actual["because"])
    via = sorted({row["signed_as"]["recipient"] for row in actual["because"]} - {org})
    yield from _same(f"told: {org} reason", wanted["reason"], actual["reason"])
    yield from _same(f"told: {org} because", sorted(wanted["because"]), because)
    yield from _same(f"told: {org} via", sorted(wanted.get("via", [])), via)


def _available(orgs: list[str], found: Json) -> Iterator[str]:
    yield from _classed("available", orgs, found)


def _gap(orgs: list[str], found: Json) -> Iterator[str]:
    yield from _classed("gap", orgs, found)


def _classed(klass: str, orgs: list[str], found: Json) -> Iterator[str]:
    for org in orgs:
        yield from _same(f"{org} class", klass, class_and_reason(found, org)[0])


def _not_told(rows: list[Json], found: Json) -> Iterator[str]:
    for row in rows:
        klass, reason = class_and_reason(found, row["org"])
        yield from _same(f"{row['org']} reason", row["reason"], reason)
        yield from _same(f"{row['org']} class", row.get("class", klass), klass)


def _hold(codes: list[str], found: Json) -> Iterator[str]:
    yield from _same("hold", sorted(codes), sorted(found["hold"]))


def _hold_candidates(orgs: list[str], found: Json) -> Iterator[str]:
    yield from _same("hold candidates", sorted(orgs), orgs_of(found, "held"))


def _unroutable(wanted: bool, found: Json) -> Iterator[str]:  # noqa: FBT001 - the value of a scenario's key
    yield from _same("unroutable", wanted, found["unroutable"])


def _lead(wanted: Json, found: Json) -> Iterator[str]:
    """A firm lead follows from a rule; a derived one may also be left to a person."""
    candidates = set((found["lead"] or {}).get("any_of", ()))
    if not candidates <= set(wanted["any_of"]) or (wanted["mark"] == "firm" and not candidates):
        yield f"lead: expected one of {wanted['any_of']}, found {sorted(candidates)}"


def _limits(rows: list[Json], found: Json) -> Iterator[str]:
    told = {row["org"]: row["duties"]["limits"] for row in found["told"]}
    for row in rows:
        for name in row.keys() - {"org", "by"}:
            wanted = {**row[name], "by": row["by"]}
            yield from _same(f"limit {name} of {row['org']}", wanted, told.get(row["org"], {}).get(name))


def _one_delivery(_wanted: object, found: Json) -> Iterator[str]:
    orgs = orgs_of(found, "told")
    yield from _same("one delivery", sorted(set(orgs)), sorted(orgs))


def _flags(flags: list[str], found: Json) -> Iterator[str]:
    ours = [flag for flag in flags if flag != "suggest-rrp"]
    yield from (f"flag {flag} is missing" for flag in ours if flag not in found["flags"])


def _same(what: str, wanted: object, actual: object) -> Iterator[str]:
    if wanted != actual:
        yield f"{what}: expected {wanted}, found {actual}"


_CHECKS: dict[str, Callable[[Any, Json], Iterator[str]]] = {
    "told": _told,
    "available": _available,
    "not_told": _not_told,
    "gap_includes": _gap,
    "hold": _hold,
    "hold_candidates": _hold_candidates,
    "unroutable": _unroutable,
    "lead": _lead,
    "limits": _limits,
    "one_delivery": _one_delivery,
    "flags": _flags,
}
