"""What a change would do: to the agreements' own examples, to what the analyses find, and to concerns of the past.

The concerns are decided twice, on the graph as it is and as it would be, by the very code that routers run.
"""

from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from services.registry.domain.model import GraphObject, Row
from shared.agreements import Class, Decision, Facts, Graph, Outcome, Snapshot, alone, decide, facts_of

FORMAT = "concordat.difference/1"
OMIT = "omit"
_ORDER = "field_policy_order"
_ABSENT: tuple[Class, dict[str, str]] = (Class.NO_PATH, {})


@dataclass(frozen=True, slots=True)
class PastConcern:
    """The clear part of a concern, as its newest decision was taken on it."""

    concern_id: str
    version: int
    received_at: str
    routing: Row


@dataclass(frozen=True, slots=True)
class Past:
    """The concerns of a window, newest last; `left_out` older ones were too many. Not `known`: there is no history."""

    since: str
    until: str
    concerns: Sequence[PastConcern] = ()
    left_out: int = 0
    known: bool = True


class Found(Protocol):
    """Something that an analysis found; `key` is the same for the same finding in every version of the graph."""

    @property
    def key(self) -> str:
        """What tells it from others."""
        ...

    def to_json(self) -> dict[str, Any]:
        """The finding as an API gives it."""
        ...


@dataclass(frozen=True, slots=True)
class Ground:
    """A graph that is decided on, and what the analyses find in it by key; None where it is too much to list."""

    snapshot: Snapshot
    findings: Mapping[str, Found] | None


def difference(base: Ground, changed: Ground, past: Past, examples_of: Collection[str] | None = None) -> dict[str, Any]:
    """Everything that would change, as plain JSON values; the same for the same inputs.

    `examples_of`: the agreements whose examples could come out otherwise; None for all of them.
    """
    graph = changed.snapshot.graph
    names = sorted(graph.agreements if examples_of is None else examples_of)
    failed = list(failed_examples(graph, names))
    rows, unreadable = moved(base.snapshot, changed.snapshot, past.concerns)
    return {
        "format": FORMAT,
        "base": {"version": base.snapshot.version, "root": base.snapshot.root},
        "root": changed.snapshot.root,
        "passes": not failed,
        "examples": {"run": _example_count(graph, names), "failed": failed},
        "findings": _findings(base.findings, changed.findings),
        "history": _history(past, unreadable),
        "totals": _totals(rows),
        "rows": rows,
    }


def touched(base: Iterable[GraphObject], asked: Sequence[GraphObject]) -> list[dict[str, str]]:
    """Each object that the change proposes, and whether it is new, changed, or as it was."""
    keys = {item.key for item in asked}
    before = {item.key: item.body for item in base if item.key in keys}
    return [{"kind": item.kind, "id": item.id, "change": _change(before.get(item.key), item)} for item in asked]


def _change(before: bytes | None, item: GraphObject) -> str:
    if before is None:
        return "new"
    return "unchanged" if before == item.body else "changed"


def failed_examples(graph: Graph, names: Iterable[str]) -> Iterator[dict[str, str]]:
    """Every example of these agreements that does not come out as they state it, with each thing that differs.

    Examples say what the terms say. One that is dated within a suspension, or after the termination, may come out as it
    would without: else no agreement could ever be suspended.
    """
    kin = _kin(graph)
    for name in names:
        examples = graph.agreements[name].record.get("examples", ())
        if examples:
            readings = _readings(graph, name, kin)
            for example in examples:
                faults = [list(_example_faults(snapshot, example)) for snapshot in readings]
                if all(faults):
                    yield {"agreement": name, "name": example["name"], "detail": "; ".join(faults[-1])}


def _kin(graph: Graph) -> Mapping[str, set[str]]:
    """Each body with those that it followed, that followed it, and that deliver to it or it to them."""
    kin: dict[str, set[str]] = {}
    pairs = [(row.predecessor, row.successor) for row in graph.successions]
    pairs += [(body.id, body.deliver_to) for body in graph.organisations.values() if body.deliver_to]
    for one, other in pairs:
        kin.setdefault(one, set()).add(other)
        kin.setdefault(other, set()).add(one)
    return kin


def _among(graph: Graph, name: str, kin: Mapping[str, set[str]]) -> Graph:
    """One agreement by itself among the bodies that its examples can speak of.

    Those are its parties, whom the examples name, and all who could ever act for one of them. Nobody else has a path.
    """
    agreement = graph.agreements[name]
    named = {word for example in agreement.record["examples"] for word in _words(example)}
    found = ahead = {party.org for party in agreement.parties} | (named & {*graph.organisations, *kin})
    while ahead := {other for one in ahead for other in kin.get(one, ())} - found:
        found = found | ahead
    bodies = {org: body for org, body in graph.organisations.items() if org in found}
    successions = tuple(row for row in graph.successions if row.predecessor in found)
    return replace(alone(graph, name), organisations=bodies, successions=successions)


def _words(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        yield from (word for part in value.values() for word in _words(part))
    elif isinstance(value, Sequence):
        yield from (word for part in value for word in _words(part))


def _readings(graph: Graph, name: str, kin: Mapping[str, set[str]]) -> list[Snapshot]:
    """The agreement by itself, as it stands, and where it is interrupted without that."""
    only, agreement = _among(graph, name, kin), graph.agreements[name]
    graphs = [only]
    if agreement.suspended or agreement.terminated:
        going_on = replace(agreement, suspended=(), terminated=None)
        graphs.append(replace(only, agreements={name: going_on}))
    return [Snapshot(one, version=0, root="") for one in graphs]


def _example_count(graph: Graph, names: Iterable[str]) -> int:
    return sum(len(graph.agreements[name].record.get("examples", ())) for name in names)


def _example_faults(snapshot: Snapshot, example: Mapping[str, Any]) -> Iterator[str]:
    facts, expected = _facts(example["concern"]), example["expect"]
    if facts is None:
        yield "its concern cannot be read: see that `received_at` is an instant with its offset"
        return
    decision = decide(snapshot, facts)
    for klass in (Class.TOLD, Class.AVAILABLE):
        found = [outcome.org for outcome in decision.of_class(klass)]
        wanted = sorted(expected.get(klass.value, []))
        if found != wanted:
            yield f"{klass.value} would be {_listed(found)}, agreed is {_listed(wanted)}"
    for row in expected.get("not_told", []):
        outcome = decision.of(row["org"])
        if outcome.told or outcome.reason != row["reason"]:
            yield f"{row['org']} would be {outcome.klass.value} ({outcome.reason}), agreed is {row['reason']}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "nobody"


def moved(base: Snapshot, changed: Snapshot, concerns: Iterable[PastConcern]) -> tuple[list[dict[str, Any]], int]:
    """Each body of each concern whose class or fields would be others, and how many concerns cannot be read."""
    rows: list[dict[str, Any]] = []
    seen: dict[Hashable, list[dict[str, Any]]] = {}
    unreadable = 0
    for concern in concerns:
        facts = _facts(concern.routing)
        if facts is None:
            unreadable += 1
            continue
        key = facts.key()
        if key not in seen:
            seen[key] = list(compared(decide(base, facts), decide(changed, facts), changed))
        about = {"concern_id": concern.concern_id, "version": concern.version}
        rows += [{**about, **row} for row in seen[key]]
    return rows, unreadable


def _facts(routing: Row) -> Facts | None:
    try:
        return facts_of(routing)
    except (KeyError, ValueError, TypeError):
        return None


def compared(before: Decision, after: Decision, words: Snapshot) -> Iterator[dict[str, Any]]:
    """The bodies whose class or fields differ, by id. A body that a graph does not have has no path in it."""
    earlier, later = _by_org(before.outcomes), _by_org(after.outcomes)
    for org in sorted({*earlier, *later}):
        (was, had), (is_, has) = earlier.get(org, _ABSENT), later.get(org, _ABSENT)
        lost, gained = _fields_moved(had, has, words)
        if was is not is_ or lost or gained:
            yield {
                "org": org,
                "before": was.value,
                "after": is_.value,
                "fields_lost": lost,
                "fields_gained": gained,
            }


def _by_org(outcomes: Iterable[Outcome]) -> dict[str, tuple[Class, dict[str, str]]]:
    return {outcome.org: (outcome.klass, outcome.fields) for outcome in outcomes}


def _fields_moved(had: Mapping[str, str], has: Mapping[str, str], words: Snapshot) -> tuple[list[Any], list[Any]]:
    """Fields that would be shown less, and more; who is not told is shown nothing."""
    lost: list[dict[str, str]] = []
    gained: list[dict[str, str]] = []
    for name in sorted({*had, *has}):
        before, after = had.get(name, OMIT), has.get(name, OMIT)
        if before != after:
            fewer = _rank(after, words) < _rank(before, words)
            (lost if fewer else gained).append({"field": name, "before": before, "after": after})
    return lost, gained


def _rank(transform: str, words: Snapshot) -> int:
    """Most protective first. What is left out is the least that can be shown, known or not."""
    return -1 if transform == OMIT else words.graph.vocabularies.rank(_ORDER, transform)


def _findings(before: Mapping[str, Found] | None, after: Mapping[str, Found] | None) -> dict[str, Any]:
    if before is None or after is None:
        return {"state": "too-many"}
    new = [after[key].to_json() for key in sorted(after.keys() - before.keys())]
    ended = [before[key].to_json() for key in sorted(before.keys() - after.keys())]
    return {"state": "listed", "new": new, "ended": ended}


def _history(past: Past, unreadable: int) -> dict[str, Any]:
    if not past.known:
        return {"state": "none"}
    return {
        "state": "read",
        "since": past.since,
        "until": past.until,
        "looked_at": len(past.concerns),
        "left_out": past.left_out,
        "unreadable": unreadable,
    }


def _totals(rows: Sequence[Mapping[str, Any]]) -> dict[str, int]:
    told = Class.TOLD.value
    count: Counter[str] = Counter()
    for row in rows:
        count["newly_told"] += row["after"] == told != row["before"]
        count["no_longer_told"] += row["before"] == told != row["after"]
        count["class_changed"] += row["before"] != row["after"]
        count["fields_lost"] += bool(row["fields_lost"])
        count["fields_gained"] += bool(row["fields_gained"])
    concerns = len({(row["concern_id"], row["version"]) for row in rows})
    names = ("newly_told", "no_longer_told", "class_changed", "fields_lost", "fields_gained")
    return {"concerns": concerns, **{name: count[name] for name in names}}
