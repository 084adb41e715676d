"""P17: what is simulated is what is decided after the commit, and the report lists exactly what differs."""

import copy
import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from services.registry.adapters.seed_files import read_objects
from services.registry.domain.change_difference import PastConcern, moved
from services.registry.domain.model import Change, Committed
from services.registry.usecases import as_object, import_seed, read_graph
from services.registry.usecases.change import Desk
from services.registry.usecases.change_gate import Worked, what_if
from shared.agreements import Decision, GraphInvalid, Snapshot, decide, facts_of, load
from tests.support.change_fakes import InMemoryChanges, ScriptedRouter, desk_of
from tests.support.clock import FrozenClock
from tests.support.committing import commit_change
from tests.support.laws import EXAMPLES, nightly

SEED = read_objects()
AGREEMENTS = [row for row in SEED if row["kind"] == "agreement"]
# Every concern that an agreement states as an example, as if it had been received.
CONCERNS = [example["concern"] for row in AGREEMENTS for example in row["examples"]]
few = settings(max_examples=EXAMPLES // 10 if nightly else 6, deadline=None)


@cache
def base() -> Snapshot:
    return Snapshot(load(SEED), 1, "")


def _forbid(row: dict[str, Any], at: int) -> None:
    row["clauses"][at % len(row["clauses"])]["effect"] = "FORBID"


def _invite(row: dict[str, Any], at: int) -> None:
    row["clauses"][at % len(row["clauses"])]["mode"] = "invite"


def _redact(row: dict[str, Any], at: int) -> None:
    row["clauses"][at % len(row["clauses"])]["fields"] = {"narrative": "omit", "provider": "pseudonymise"}


def _end(row: dict[str, Any], at: int) -> None:
    row["terminated"] = f"20{20 + at % 6}-06-01"


def _suspend(row: dict[str, Any], at: int) -> None:
    row["suspended"] = [{"from": f"20{20 + at % 6}-01-01", "to": None}]


def _cap(row: dict[str, Any], _at: int) -> None:
    row["sensitivity_cap"] = []


def _leave(row: dict[str, Any], at: int) -> None:
    row["parties"][at % len(row["parties"])]["capacity"] = "aligned"


Turn = Callable[[dict[str, Any], int], None]
TURNS: tuple[Turn, ...] = (_forbid, _invite, _redact, _end, _suspend, _cap, _leave)


@st.composite
def changes(draw: st.DrawFn) -> list[dict[str, Any]]:
    """One to three agreements of the seed, each turned in one or two ways."""
    made = []
    for row in draw(st.lists(st.sampled_from(AGREEMENTS), min_size=1, max_size=3, unique_by=lambda row: row["id"])):
        turned = copy.deepcopy(dict(row))
        for turn in draw(st.lists(st.sampled_from(TURNS), min_size=1, max_size=2, unique=True)):
            turn(turned, draw(st.integers(0, 9)))
        made.append(turned)
    return made


concerns = st.lists(st.sampled_from(CONCERNS), min_size=1, max_size=5)


def about(rows: Sequence[Mapping[str, Any]], others: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Concerns that the turned agreements speak of, and others."""
    return [*(example["concern"] for row in rows for example in row["examples"]), *others]


async def simulated_and_committed(
    rows: Sequence[Mapping[str, Any]], routings: Sequence[Mapping[str, Any]]
) -> tuple[list[dict[str, Any]], Snapshot] | None:
    """The rows of the simulation, and the graph read back after the very same objects were committed."""
    store, clock = InMemoryChanges(), FrozenClock()
    await import_seed(lambda: SEED, begin=store.history.begin, clock=clock)
    desk: Desk = desk_of(store, clock=clock, router=ScriptedRouter(routings))
    asked = tuple(as_object(dict(row)) for row in rows)
    worked = await what_if(asked, None, desk=desk)
    change = Change(1, "ann", "why", asked)
    committed = await commit_change(change, begin=store.history.begin, clock=clock)
    assert isinstance(worked, Worked) == isinstance(committed, Committed)
    graph = await read_graph(None, begin=store.history.begin)
    if not isinstance(worked, Worked) or graph is None:
        return None
    found = json.loads(worked.body)
    assert found["root"] == graph.commit.root
    return found["rows"], Snapshot(load(o.row() for o in graph.objects), 2, graph.commit.root)


def plainly(before: Decision, after: Decision) -> dict[str, tuple[str, str, dict[str, str], dict[str, str]]]:
    """Each body whose class or fields differ, with both; in the plainest words, for a check of the report."""
    ends = {}
    for was, is_ in zip(before.outcomes, after.outcomes, strict=True):
        assert was.org == is_.org
        if (was.klass, was.fields) != (is_.klass, is_.fields):
            ends[was.org] = (was.klass.value, is_.klass.value, was.fields, is_.fields)
    return ends


@few
@given(changes(), concerns)
async def test_p17_the_simulation_lists_exactly_what_is_decided_otherwise_after_the_commit(
    rows: list[dict[str, Any]], others: list[Mapping[str, Any]]
) -> None:
    routings = about(rows, others)
    found = await simulated_and_committed(rows, routings)
    assume(found is not None)
    reported, committed = found or ([], base())
    event("something differs" if reported else "nothing differs")
    lists_exactly(reported, routings, committed)


@pytest.mark.parametrize(("turn", "ways"), [(_invite, {"both", "class", "fields"}), (_redact, {"fields"})])
def test_p17_a_body_whose_class_alone_or_whose_fields_alone_differ_is_listed_too(turn: Turn, ways: set[str]) -> None:
    turned = copy.deepcopy(next(dict(row) for row in AGREEMENTS if row["id"] == "jwp-cqc-gmc"))
    for at in range(len(turned["clauses"])):
        turn(turned, at)
    changed = Snapshot(load([*(row for row in SEED if row["id"] != turned["id"]), turned]), 2, "")
    past = [PastConcern(f"con_{number}", 1, "", row) for number, row in enumerate(CONCERNS, 1)]
    reported, _ = moved(base(), changed, past)
    lists_exactly(reported, CONCERNS, changed)
    assert {_way(row) for row in reported} == ways


def _way(row: Mapping[str, Any]) -> str:
    is_class, are_fields = row["before"] != row["after"], bool(_moves(row))
    return "both" if is_class and are_fields else "class" if is_class else "fields"


def lists_exactly(
    reported: Sequence[Mapping[str, Any]], routings: Sequence[Mapping[str, Any]], committed: Snapshot
) -> None:
    """The report names each body whose class or fields are others in the graph that was committed, and no other."""
    for number, routing in enumerate(routings, 1):
        facts = facts_of(routing)
        expected = plainly(decide(base(), facts), decide(committed, facts))
        mine = {row["org"]: row for row in reported if row["concern_id"] == f"con_{number}"}
        assert mine.keys() == expected.keys()
        for org, (before, after, had, has) in expected.items():
            assert (mine[org]["before"], mine[org]["after"]) == (before, after)
            assert _moves(mine[org]) == _plain_moves(had, has)


def _moves(row: Mapping[str, Any]) -> set[tuple[str, str, str]]:
    both = [*row["fields_lost"], *row["fields_gained"]]
    assert len({field["field"] for field in both}) == len(both)
    return {(field["field"], field["before"], field["after"]) for field in both}


def _plain_moves(had: Mapping[str, str], has: Mapping[str, str]) -> set[tuple[str, str, str]]:
    pairs = {(name, had.get(name, "omit"), has.get(name, "omit")) for name in {*had, *has}}
    return {row for row in pairs if row[1] != row[2]}


@few
@given(changes(), concerns)
def test_taking_the_change_back_swaps_what_is_lost_and_gained(
    rows: list[dict[str, Any]], others: list[Mapping[str, Any]]
) -> None:
    routings = about(rows, others)
    turned = {row["id"]: row for row in rows}
    graph = [turned.get(row["id"], row) if row["kind"] == "agreement" else row for row in SEED]
    try:
        changed = Snapshot(load(graph), 2, "")
    except GraphInvalid:
        return
    past = [PastConcern(f"con_{n}", 1, "", row) for n, row in enumerate(routings)]
    there, _ = moved(base(), changed, past)
    back, _ = moved(changed, base(), past)
    assert [(r["org"], r["before"], r["after"]) for r in there] == [(r["org"], r["after"], r["before"]) for r in back]
    assert [len(r["fields_lost"]) for r in there] == [len(r["fields_gained"]) for r in back]
