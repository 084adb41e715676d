"""P5 through commits: what a body may say, changed lane by lane, is what would be read from nothing, and so decides."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.bench.graphs import HUB, Size, synthetic
from services.registry.adapters.seed_files import read_objects
from shared.agreements import Class, decide, facts_of
from shared.agreements.fast import Decider
from shared.agreements.fast.bits import bits_at, places_of
from shared.agreements.fast.facets import Column, facet_after
from shared.agreements.fast.layout import FEW_GUARDS, FEW_PIECES, Layout
from shared.agreements.fast.slice import Slice
from tests.properties.test_fast import assert_equal
from tests.rules import small
from tests.support.concerns import concerns
from tests.support.following import Followed
from tests.support.graph_words import DAYS, ORGS
from tests.support.graphs import AGREEMENTS, graphs
from tests.support.laws import EXAMPLES, Row, law, nightly
from tests.support.router_fakes import a_concern, graph_objects

HUB_GRAPH = Size(150, 300)
HUB_CONCERNS = [example["concern"] for row in read_objects() for example in row.get("examples", ())][::7]
few_commits = settings(law, max_examples=EXAMPLES // 5)
hub_commits = settings(law, max_examples=max(3, EXAMPLES // 20 if nightly else 0))


@few_commits
@given(graphs(), st.lists(graphs(), min_size=1, max_size=2), st.data())
def test_p5_slices_that_followed_commits_on_agreements_are_those_read_from_nothing(
    rows: list[Row], others: list[list[Row]], data: st.DataObject
) -> None:
    followed = Followed(rows)
    for other in others:
        for org in ORGS:
            followed.decider.slice_of(org)
        pacts = [row for row in other if row["kind"] == "agreement"]
        names = data.draw(st.sets(st.sampled_from(AGREEMENTS), min_size=1, max_size=2))
        followed.commit([row for row in pacts if row["id"] in names])
    anew = Decider(followed.anew())
    for org in ORGS:
        assert content(followed.decider.slice_of(org).slice) == content(anew.slice_of(org).slice)


@few_commits
@given(graphs(), graphs(), st.lists(concerns(), min_size=1, max_size=3))
def test_p5_a_slice_for_whom_a_concern_names_follows_commits_as_the_slice_itself_does(
    rows: list[Row], other: list[Row], routings: list[Row]
) -> None:
    asked = [facts_of({**routing, "named_recipients": ["beta", "delta"]}) for routing in routings]
    followed = Followed(rows)
    for facts in asked:
        followed.decider.decide(facts)
    if followed.commit([row for row in other if row["kind"] == "agreement"][1:3]):
        anew = followed.anew()
        for facts in asked:
            assert_equal(followed.decider.decide(facts), decide(anew, facts))


def test_p5_whom_a_concern_names_may_be_told_under_an_agreement_that_changed() -> None:
    pact = small.pact(small.clause(to=["@named"]))
    followed, facts = Followed(graph_objects(pact)), facts_of(a_concern(named_recipients=["gamma"]).routing)
    assert followed.decider.decide(facts).names(Class.AVAILABLE) == ("gamma",)
    assert followed.commit([{**pact, "in_force": small.during("2020-01-01", None)}])
    assert followed.decider.decide(facts).names(Class.AVAILABLE) == ("gamma",)
    assert_equal(followed.decider.decide(facts), decide(followed.anew(), facts))


@hub_commits
@given(st.lists(st.binary(min_size=16, max_size=16), min_size=1, max_size=4), st.sampled_from(range(7)))
def test_p5_the_hub_decides_through_commits_as_the_reference_and_as_a_slice_read_from_nothing(
    commits: list[bytes], number: int
) -> None:
    """The hub is party to three agreements in ten, and to more with every commit."""
    followed, asked = Followed(hub_graph()), [facts_of({**row, "originator": HUB}) for row in HUB_CONCERNS[number::7]]
    followed.decider.slice_of(HUB)
    for step, data in enumerate(commits):
        followed.commit([changed_pact(followed, step, at, *data[at : at + 4]) for at in range(0, len(data), 4)])
        for facts in asked[:2]:
            followed.decider.decide(facts)
    anew = followed.anew()
    assert content(followed.decider.slice_of(HUB).slice) == content(Decider(anew).slice_of(HUB).slice)
    for facts in asked:
        assert_equal(followed.decider.decide(facts), decide(anew, facts))


def test_p5_one_commit_on_a_hundred_of_the_hubs_agreements_is_followed() -> None:
    followed = Followed(hub_graph())
    followed.decider.slice_of(HUB)
    names = [row["id"] for row in hub_graph() if row["kind"] == "agreement" and signs(row, HUB)]
    assert followed.commit([{**followed.row("agreement", name), "nations": ["england"]} for name in names[::2]])
    left = [row for name in names[1::2] if len(without_hub(row := followed.row("agreement", name))["parties"]) > 1]
    assert len(left) > 1
    assert followed.commit([without_hub(row) for row in left])
    held, anew = followed.decider.slice_of(HUB).slice, Decider(followed.anew()).slice_of(HUB).slice
    assert len(held.layout.guard_of) > FEW_GUARDS
    assert len(names[::2]) > FEW_PIECES
    assert content(held) == content(anew)


def content(held: Slice) -> tuple[object, ...]:
    """Everything that a slice says, whatever the order of its lanes: each has one value of every facet."""
    sheet, layout = held.sheet, held.layout
    lanes = []
    for place in places_of(held.lanes):
        values = [[value for value, having in facet.items() if having >> place & 1] for facet in sheet.facets.values()]
        assert all(len(found) == 1 for found in values)
        columns = [column[place] for column in sheet.columns.values()]
        lanes.append(repr((layout.body_of(place), canonical_of(values), canonical_of(columns))))
    everything = {lanes for facet in sheet.facets.values() for lanes in facet.values()}
    assert all(lanes and not lanes & ~held.lanes for lanes in everything)
    naming = sorted(repr(canonical_of(list(speech))) for speech in held.naming)
    needed = {unbarred.clause for unbarred in held.unbarred}
    return sorted(lanes), naming, dict(held.heard), needed <= held.rights.keys()


def canonical_of(value: Any) -> Any:
    """Sets sorted: their order is chance."""
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, list | tuple):
        return [canonical_of(item) for item in value]
    if hasattr(value, "__dataclass_fields__"):
        return [canonical_of(getattr(value, name)) for name in value.__dataclass_fields__]
    return value


@cache
def hub_graph() -> list[Row]:
    return synthetic(HUB_GRAPH)


def signs(row: Mapping[str, Any], org: str) -> bool:
    return any(party["org"] == org for party in row["parties"])


def without_hub(row: Row) -> Row:
    """A clause may still name the hub; then the change is refused, so only what all signatories say stays."""
    clauses = [
        {**clause, "direction": "among", "from": ["@signatories"], "to": ["@signatories"]} for clause in row["clauses"]
    ]
    return {
        **row,
        "parties": [party for party in row["parties"] if party["org"] != HUB] or row["parties"],
        "clauses": clauses,
    }


def changed_pact(followed: Followed, step: int, at: int, which: int, what: int, day: int, other: int) -> Row:
    """An agreement of the graph with one thing changed, or one more like it."""
    names = [row["id"] for row in hub_graph() if row["id"].startswith("pact-")]
    row = followed.row("agreement", names[which % len(names)])
    start, joins = DAYS[day % len(DAYS)], hub_graph_bodies()[other % len(hub_graph_bodies())]
    alone = {key: value for key, value in row.items() if key not in ("supersedes", "terminated")}
    alone |= {"id": f"added-{step}-{at}", "lineage": f"added-{step}-{at}", "in_force": {"from": start, "to": None}}
    present = [party["org"] for party in row["parties"]]
    joined = {"org": joins, "capacity": "signatory", "from": start, "to": None}
    return (
        {**row, "in_force": {"from": None, "to": start}},
        {**row, "parties": [*row["parties"], joined] if joins not in present else row["parties"]},
        alone,
        {**alone, "parties": [{**joined, "org": HUB}, *(row for row in alone["parties"] if row["org"] != HUB)]},
        {**row, "suspended": [{"from": start, "to": None}]},
        without_hub(row),
        {**row, "clauses": row["clauses"][:1]},
    )[what % 7]


@cache
def hub_graph_bodies() -> list[str]:
    return sorted(row["id"] for row in hub_graph() if row["kind"] == "organisation")


@law
@given(st.dictionaries(st.integers(0, 150), st.integers(1, 4), max_size=90), st.data())
def test_a_layout_laid_anew_has_every_lane_where_its_body_is(counts: dict[int, int], data: st.DataObject) -> None:
    """Against a list of lanes by body: sets and columns say of each lane what they said before."""
    layout, lanes = built({body: [f"{body}.{n}" for n in range(many)] for body, many in counts.items()})
    places = list(places_of(layout.lanes))
    gone = sorted(data.draw(st.sets(st.sampled_from(places)))) if places else []
    fresh = sorted(data.draw(st.lists(st.integers(0, 160), max_size=60)))
    values = [f"new {number}" for number in range(len(fresh))]
    after, moves = layout.relaid(gone, fresh)
    column = lanes.after(moves, values)
    facet = facet_after({"old": layout.lanes & ~bits_at(gone, layout.width)}, moves, ["new"] * len(fresh))
    expected = [(layout.body_of(place), lanes[place]) for place in places if place not in gone]
    expected += list(zip(fresh, values, strict=True))
    assert sorted((after.body_of(place), column[place]) for place in places_of(after.lanes)) == sorted(expected)
    assert facet.get("new", 0) == bits_at(moves.fresh, after.width)
    assert facet.get("old", 0) | facet.get("new", 0) == after.lanes
    assert after.any_of(after.lanes) == after.guards
    bodies = sorted({body for body, _ in expected})
    assert after.orgs(after.guards) == bodies
    assert all(
        after.any_of(bits_at((place,), after.width)) == 1 << after.guard_of[after.body_of(place)]
        for place in places_of(after.lanes)
    )


def built(bodies: Mapping[int, list[str]]) -> tuple[Layout, Column]:
    empty = Layout()
    fresh = [body for body in sorted(bodies) for _ in bodies[body]]
    layout, moves = empty.relaid((), fresh)
    return layout, Column().after(moves, [name for body in sorted(bodies) for name in bodies[body]])


def test_a_column_lets_go_of_values_that_no_lane_has_any_more() -> None:
    layout, column = Layout(), Column()
    for number in range(50):
        layout, moves = layout.relaid(list(places_of(layout.lanes)), [0, 1, 2])
        column = column.after(moves, [f"{number}.{lane}" for lane in range(3)])
        assert [column[place] for place in places_of(layout.lanes)] == [f"{number}.{lane}" for lane in range(3)]
        assert len(column.values) <= 12


@law
@given(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=60), st.sets(st.sampled_from("abcdefgh")))
def test_a_column_finds_the_lanes_of_values_by_set_and_by_place(values: list[str], wanted: set[str]) -> None:
    layout, moves = Layout().relaid((), [0] * len(values))
    column = Column().after(moves, values)
    places = [place for place, value in enumerate(values) if value in wanted]
    having = [value in wanted for value in column.values]
    assert column.places({code for code, is_wanted in enumerate(having) if is_wanted}) == places
    assert column.having(having) == bits_at(places, layout.width)
