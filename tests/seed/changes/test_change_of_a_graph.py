"""A change that is checked by what it touches shows exactly what the whole graph after it would show."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.agreements import Facts, Snapshot, decide
from shared.agreements.load import Checked, GraphInvalid, Rows, check, check_change, load, read, reread, roster_of
from shared.canonical import canonical
from shared.graphcopy import GraphCopy
from shared.graphroot import object_key
from shared.graphrows import GraphRows
from tests.rules.small import POLICY, WORDS, Row, bar, clause, follows, gateway, org, pact, party
from tests.unit.agreements.seeds import objects
from tests.unit.agreements.strategies import quick, seed_concerns

Place = tuple[str | int, ...]
ODD: tuple[Any, ...] = (None, "", "nobody", "1999-01-01", "2031-12-31", 0, [], {}, True, ["nobody"])


def copy_of(rows: Sequence[Mapping[str, Any]]) -> GraphCopy:
    return GraphCopy.of({object_key(row): canonical(row) for row in rows})


def checked(packed: GraphCopy) -> Checked:
    rows = GraphRows(packed)
    return Checked(rows, roster_of(rows))


@cache
def seed() -> tuple[GraphCopy, Checked]:
    packed = copy_of(objects())
    return packed, checked(packed)


def whole(packed: GraphCopy, changed: Sequence[Row]) -> list[str]:
    """What the full check finds in the graph after the change."""
    touched = {object_key(row) for row in changed}
    rows = GraphRows(packed)
    rest = [row for kind, name in packed if (kind, name) not in touched and (row := rows.get(kind, name))]
    try:
        check([*changed, *rest])
    except GraphInvalid as fault:
        return [str(problem) for problem in fault.problems]
    return []


def touched_only(base: Checked, changed: Sequence[Row] | Rows) -> list[str]:
    try:
        check_change(base, changed)
    except GraphInvalid as fault:
        return [str(problem) for problem in fault.problems]
    return []


def places(value: Any, at: Place = ()) -> Iterator[Place]:
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from places(item, (*at, key))


def at(value: Any, place: Place) -> Any:
    for key in place:
        value = value[key]
    return value


@cache
def said_of(key: str) -> tuple[Any, ...]:
    """What stands under a key anywhere in the seed: values of the right form in the wrong place."""
    found = {repr(at(row, p)): at(row, p) for row in objects() for p in places(row) if p and p[-1] == key}
    return tuple(found.values())


@st.composite
def edits(draw: st.DrawFn) -> list[Row]:
    """Some objects of the seed with one or two places changed, some under another id; most break something."""
    drawn = draw(st.lists(st.sampled_from(objects()), min_size=1, max_size=4, unique_by=object_key))
    return list({object_key(row): row for row in (draw(edited(dict(row))) for row in drawn)}.values())


@st.composite
def edited(draw: st.DrawFn, row: Row) -> Row:
    changed = copy.deepcopy(row)
    for _ in range(draw(st.integers(0, 2))):
        inside = [place for place in places(changed) if place and place not in (("kind",), ("id",))]
        if not inside:
            break
        place = draw(st.sampled_from(inside))
        holder, key = at(changed, place[:-1]), place[-1]
        if draw(st.integers(0, 4)) == 0:
            del holder[key]
        else:
            values = (*said_of(key), *ODD) if isinstance(key, str) else ODD
            holder[key] = copy.deepcopy(draw(st.sampled_from(values)))
    return {**changed, "id": f"{changed['id']}-new"} if draw(st.integers(0, 4)) == 0 else changed


@quick
@given(edits())
def test_a_change_shows_what_the_whole_graph_would_show(changed: list[Row]) -> None:
    packed, base = seed()
    found = whole(packed, changed)
    assert touched_only(base, changed) == found
    assert touched_only(base, GraphRows(copy_of(changed))) == found  # read as they are asked for, like an import


@quick
@given(st.lists(edits(), max_size=5))
def test_after_any_sound_changes_the_graph_is_the_one_that_is_read_anew(steps: list[list[Row]]) -> None:
    packed, base = seed()
    graph = read(base)
    for changed in steps:
        if touched_only(base, changed):
            continue
        packed = packed.changed({object_key(row): canonical(row) for row in changed})
        base = base.after(GraphRows(packed), changed)
        graph = reread(graph, base, GraphRows(copy_of(changed)))
    assert base.roster == roster_of(GraphRows(packed))
    assert graph == load(
        [row for kind in sorted({key[0] for key in packed}) for row in GraphRows(packed).of_kind(kind)]
    )


def _small(*rows: Row) -> GraphCopy:
    words = [{"kind": "vocabulary", "id": name, "terms": terms} for name, terms in WORDS.items()]
    plain = [POLICY, *words, *(org(name) for name in ("alpha", "beta", "gamma"))]
    return copy_of(list({object_key(row): row for row in [*plain, *rows]}.values()))


OLD = pact(in_force={"from": None, "to": "2025-01-01"})
NEW = pact(id="pact-2", lineage="pact", supersedes="pact", in_force={"from": "2025-01-01", "to": None})
# Each change breaks an object that it does not touch, or meets one: what stands there already, and the change.
AT_A_DISTANCE: dict[str, tuple[list[Row], list[Row]]] = {
    "an older version ends on another day": ([OLD, NEW], [{**OLD, "in_force": {"from": None, "to": "2024-01-01"}}]),
    "an older version leaves the lineage": ([OLD, NEW], [{**OLD, "lineage": "other"}]),
    "a version overlaps one of its lineage": ([OLD], [pact(id="pact-3", lineage="pact")]),
    "a parent supports its child": (
        [pact(id="a", lineage="a"), pact(id="b", lineage="b", supports="a")],
        [pact(id="a", lineage="a", supports="b")],
    ),
    "a circle of three parents is closed": (
        [pact(id="b", lineage="b", supports="c"), pact(id="c", lineage="c", supports="a"), pact(id="a", lineage="a")],
        [pact(id="a", lineage="a", supports="b")],
    ),
    "a body forgets its bar": ([org("alpha", bars=["bar"]), bar()], [org("alpha")]),
    "a bar lets a body go": (
        [org("alpha", bars=["bar"]), org("beta", bars=["bar"]), bar(holders=["alpha", "beta"])],
        [bar(holders=["alpha"])],
    ),
    "a bar binds a body that does not name it": ([org("alpha", bars=["bar"]), bar()], [bar(holders=["alpha", "beta"])]),
    "a receiver becomes a division": (
        [org("alpha", deliver_to="beta")],
        [org("beta", deliver_to="gamma")],
    ),
    "a circle is closed": ([follows("alpha", "beta"), follows("beta", "gamma")], [follows("gamma", "alpha")]),
    "an id is taken by another kind": (
        [pact(id="one")],
        [org("alpha", bars=["one"]), bar(gateway(), id="one")],
    ),
    "an identifier is another body's": (
        [org("alpha", identifiers=[{"scheme": "ods", "value": "X1"}])],
        [org("beta", identifiers=[{"scheme": "ods", "value": "X1"}])],
    ),
    "a word is taken away that a clause uses": (
        [pact(clause(when={"nations": ["wales"]}))],
        [{"kind": "vocabulary", "id": "nations", "terms": ["england"]}],
    ),
    "a second policy": ([], [{**POLICY, "id": "other"}]),
    "a party that is nobody": ([pact()], [pact(parties=[party("alpha"), party("nobody")])]),
}


@pytest.mark.parametrize("name", AT_A_DISTANCE)
def test_a_change_is_refused_for_what_it_breaks_elsewhere(name: str) -> None:
    standing, changed = AT_A_DISTANCE[name]
    packed = _small(*standing)
    assert whole(packed, []) == []
    found = touched_only(checked(packed), changed)
    assert found != []
    assert found == whole(packed, changed)


def test_a_word_that_is_added_needs_no_look_at_the_rest() -> None:
    packed = _small(pact())
    assert (
        touched_only(checked(packed), [{"kind": "vocabulary", "id": "settings", "terms": ["clinic", "school", "ward"]}])
        == []
    )


def test_an_agreement_that_cannot_be_read_raises_when_it_is_asked_for_and_not_before() -> None:
    packed = _small(pact(), pact(id="odd", instrument="handshake"))
    graph = read(checked(packed))
    assert graph.agreements["pact"].instrument == "isa"
    with pytest.raises(GraphInvalid, match="handshake"):
        graph.agreements["odd"]


def test_a_key_that_is_not_known_is_refused_before_anything_is_decided() -> None:
    with pytest.raises(GraphInvalid, match="weather"):
        checked(_small(pact(clause(when={"weather": ["rain"]}))))


@quick
@given(st.lists(edits(), min_size=1, max_size=5), st.lists(seed_concerns(), min_size=1, max_size=3))
def test_p5_a_snapshot_that_was_changed_decides_as_one_that_is_made_anew(
    steps: list[list[Row]], concerns: list[Facts]
) -> None:
    packed, base = seed()
    snapshot = Snapshot(read(base), 1, "r")
    for changed in steps:
        _decided(snapshot, concerns)
        if touched_only(base, changed):
            continue
        packed = packed.changed({object_key(row): canonical(row) for row in changed})
        base = base.after(GraphRows(packed), changed)
        snapshot = snapshot.after(reread(snapshot.graph, base, changed), snapshot.version + 1, "r", changed)
    whole_graph = load([row for kind in sorted({key[0] for key in packed}) for row in GraphRows(packed).of_kind(kind)])
    assert _decided(snapshot, concerns) == _decided(Snapshot(whole_graph, 1, "r"), concerns)


def _decided(snapshot: Snapshot, concerns: Sequence[Facts]) -> list[Any]:
    return [decide(snapshot, facts).to_json() for facts in concerns]
