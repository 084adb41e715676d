"""The fast path beside the reference: what it keeps has a bound, and what it has yet to read it says.

That it decides as the reference does is a property of its own (P5).
"""

from collections.abc import Iterable
from datetime import date
from typing import Any

import pytest

from shared.agreements import Class, Facts, Snapshot, decide, facts_of
from shared.agreements.case import Case
from shared.agreements.days import Span
from shared.agreements.fast import Decider, concern, days, decider, footing, gate, shelf
from shared.agreements.fast.days import ALWAYS, Calendar, Season
from shared.agreements.fast.facets import Column
from shared.agreements.fast.gate import Gate
from shared.agreements.fast.shelf import Shelf
from shared.agreements.fast.terrain import terrain_of
from shared.agreements.holds import unknown_terms
from tests.rules import small
from tests.rules.small import Row

ROUTING: Row = {
    "originator": "alpha",
    "received_at": "2025-03-03T10:00:00Z",
    "categories": ["harm"],
    "nation": "england",
    "subjects": [{"kind": "provider"}],
    "purposes": ["regulatory-function"],
}


def asked(**changes: Any) -> Facts:
    return facts_of({**ROUTING, **changes})


def told_on() -> Snapshot:
    """Alpha tells beta; gamma should know, and only beta may tell it."""
    to_gamma = small.pact(small.clause(frm=["beta"], to=["gamma"]), id="other", lineage="other")
    return small.world(small.org("gamma", small.remit()), to_gamma)


def test_a_season_takes_the_reasons_and_the_absences_of_these_lanes_alone_from_the_other() -> None:
    mine = Season({"EXPIRED": 0b0011, "SUSPENDED": 0b0100}, 0b1001)
    other = Season({"EXPIRED": 0b0100, "TERMINATED": 0b1010}, 0b0110)
    assert mine.but(0b1100, other) == Season({"EXPIRED": 0b0111, "SUSPENDED": 0, "TERMINATED": 0b1000}, 0b0101)


class Turning:
    """An agreement that turns on these days, and counts how often it is asked."""

    def __init__(self, *turns: date) -> None:
        self._turns = turns
        self.asked = 0

    def turns(self) -> Iterable[date]:
        return self._turns

    def why_not(self, day: date) -> str | None:
        self.asked += 1
        return "EXPIRED" if day >= self._turns[0] else None


def calendar(force: Turning, *sides: tuple[Span, ...]) -> Calendar:
    codes = Column().codes.__class__("I", (0, 1))
    return Calendar(Column(codes, (None, force)), Column(codes, (None, sides or (ALWAYS, ALWAYS))))


def test_the_days_between_two_turns_are_worked_out_once_and_so_many_at_a_time_are_kept() -> None:
    force = Turning(*(date(2025, month, 1) for month in range(1, 7)))
    year = calendar(force)
    first = [date(2025, month, 3) for month in range(1, days.SEASONS_KEPT_MAX + 1)]
    for day in (*first, *first, *(day.replace(day=20) for day in first)):
        year.season(day)
    assert force.asked == days.SEASONS_KEPT_MAX
    year.season(date(2024, 12, 31))
    assert force.asked == days.SEASONS_KEPT_MAX + 1
    year.season(first[0])
    assert force.asked == days.SEASONS_KEPT_MAX + 2


def test_a_lane_is_shut_from_the_day_of_the_turn_on_and_while_a_side_is_no_party() -> None:
    year = calendar(Turning(date(2025, 3, 1)), (Span(date(2025, 2, 1), date(2025, 4, 1)),), ALWAYS)
    seen = {day: year.season(day) for day in (date(2025, 1, 31), date(2025, 2, 1), date(2025, 3, 1), date(2025, 4, 1))}
    assert [dict(season.unforced) for season in seen.values()] == [{}, {}, {"EXPIRED": 0b10}, {"EXPIRED": 0b10}]
    assert [season.absent for season in seen.values()] == [0b10, 0, 0, 0b10]


def test_what_a_gate_shuts_is_worked_out_once_for_what_it_reads_and_so_many_at_a_time_are_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(gate, "KEPT_MAX", 2)
    tried: list[str] = []

    def shutting(case: Case) -> Iterable[tuple[str, int]]:
        tried.append(str(case.facts.urgency))
        return [("CATEGORY", 0b100), ("PURPOSE_NOT_COVERED", 0)]

    one = Gate("category", lambda case: case.facts.urgency, shutting)
    cases = {word: Case(small.world(), asked(urgency=word)) for word in ("routine", "emerging", "urgent")}
    for word in ("routine", "emerging", "routine", "emerging"):
        assert one.shut(cases[word]) == (("CATEGORY", 0b100),)
    assert tried == ["routine", "emerging"]
    for word in ("urgent", "urgent", "routine", "urgent"):
        one.shut(cases[word])
    assert tried == ["routine", "emerging", "urgent", "routine"]


def test_words_are_looked_up_once_and_so_many_at_a_time_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[str] = []

    def noted(graph: Any, facts: Facts) -> Any:
        looked.append(str(facts.urgency))
        return unknown_terms(graph, facts)

    monkeypatch.setattr(concern, "unknown_terms", noted)
    monkeypatch.setattr(concern, "WORDS_KEPT_MAX", 2)
    common = concern.Common(small.world())
    for word in ("routine", "urgent", "routine", "urgent"):
        assert common.knows(asked(urgency=word))
    assert looked == ["routine", "urgent"]
    for word in ("emerging", "emerging", "routine"):
        assert common.knows(asked(urgency=word))
    assert looked == ["routine", "urgent", "emerging", "routine"]
    assert not common.knows(asked(urgency="unheard-of"))
    assert not common.knows(asked(originator="nobody"))


def test_there_is_a_bound_to_the_words_that_are_kept_however_high(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concern, "WORDS_KEPT_MAX", 300)
    terms = [{"id": f"function-{number}"} for number in range(301)]
    common = concern.Common(small.world({"kind": "vocabulary", "id": "functions", "terms": terms}))
    for term in terms:
        assert common.knows(asked(functions=[term["id"]]))
    assert max(map(len, common._known)) <= 300


def test_a_planned_succession_hands_over_no_categories_and_every_other_does() -> None:
    found = {}
    for kind, day in (("merge", "2020-01-01"), ("planned", None), ("split", "2020-01-01")):
        part = {"functions": ["hygiene"], "categories": ["theft"], "effective": day}
        step = small.follows("beta", "gamma", kind, **part)
        found[kind] = concern.Common(small.world(step)).implied({"theft"})
    assert found == {"merge": {"hygiene"}, "planned": set(), "split": {"hygiene"}}
    assert concern.Common(small.world()).implied({"theft"}) == set()


def test_what_has_yet_to_be_read_is_the_originator_first_and_then_who_is_told_and_might_tell_on() -> None:
    found, facts = Decider(told_on()), asked()
    assert found.spoken() == []
    assert (found.lacks(facts), found.takes_long(facts)) == (["alpha"], True)
    found.slice_of("alpha")
    assert (found.lacks(facts), found.takes_long(facts)) == (["beta"], True)
    found.read_for(facts)
    assert (found.lacks(facts), found.takes_long(facts)) == ([], False)
    assert found.spoken() == ["alpha", "beta"]
    assert found.decide(facts).flags == ("suggest-onward:beta->gamma",)


def test_nobody_is_read_to_tell_on_where_nobody_is_missing() -> None:
    found, facts = Decider(small.world()), asked()
    found.slice_of("alpha")
    assert [row.org for row in found.decide(facts).told] == ["beta"]
    assert found.lacks(facts) == []
    assert found.decide(facts).may_tell_on == ()


def test_reading_for_a_concern_reads_all_of_it_at_once() -> None:
    found, facts = Decider(told_on()), asked()
    found.read_for(facts)
    assert found.lacks(facts) == []


def test_a_decision_takes_long_when_more_rows_are_to_be_written_than_a_moment_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found, facts = Decider(told_on()), asked()
    found.read_for(facts)
    assert [len(found.decide(facts).of_class(klass)) for klass in (Class.TOLD, Class.GAP)] == [1, 1]
    monkeypatch.setattr(decider, "ROWS_OF_A_MOMENT", 2)
    assert not found.takes_long(facts)
    monkeypatch.setattr(decider, "ROWS_OF_A_MOMENT", 1)
    assert found.takes_long(facts)


def test_who_spoke_on_the_graph_before_is_read_ahead_up_to_so_many_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decider, "EXPECTED_MAX", 2)
    found = Decider(told_on(), ["gamma", "gamma", "nobody", "alpha"])
    assert found.spoken() == ["gamma", "nobody"]
    assert list(found.ahead()) == ["gamma"]
    found.slice_of("gamma")
    assert list(found.ahead()) == []


def test_who_takes_long_to_read_is_read_ahead_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decider, "LONG_AGREEMENTS", 2)
    found = Decider(told_on(), ["gamma"])
    assert list(found.ahead()) == ["gamma", "alpha", "beta"]


def test_no_decision_has_a_body_that_the_graph_does_not_have() -> None:
    decision = Decider(told_on()).decide(asked())
    with pytest.raises(KeyError, match="nobody"):
        decision.of("nobody")


def test_whose_originator_is_unknown_names_every_body_as_held_and_itself_nowhere() -> None:
    facts = asked(originator="nobody")
    decision, plain = Decider(told_on()).decide(facts), decide(told_on(), facts)
    assert decision.whole() == plain
    assert decision.of_class(Class.ORIGINATOR) == ()
    with pytest.raises(KeyError, match="nobody"):
        decision.of("nobody")


@pytest.mark.parametrize(("more", "kept"), [(1, [1, 2, 1, 2, 1]), (0, [1, 2, 1, 2, 1]), (-1, [1, 2, 3, 4, 1])])
def test_of_a_wide_slice_more_footings_are_kept(monkeypatch: pytest.MonkeyPatch, more: int, kept: list[int]) -> None:
    ends = [small.org(f"body-{year}", exists=small.during(None, f"{year}-06-01")) for year in range(2010, 2016)]
    fast = Decider(small.world(*ends))
    held = fast.slice_of("alpha")
    for name, value in (("WIDE", held.slice.width + more), ("FOOTINGS_KEPT_MAX", 2), ("FOOTINGS_OF_WIDE_KEPT_MAX", 4)):
        monkeypatch.setattr(footing, name, value)
    sizes = []
    for year in range(2010, 2015):
        fast.decide(asked(received_at=f"{year}-12-01T10:00:00Z")).totals()
        sizes.append(len(held.footings._kept))
    assert sizes == kept


def shelf_of(snapshot: Snapshot) -> Shelf:
    return Shelf(snapshot, terrain_of(snapshot))


def test_a_shelf_is_half_full_once_half_of_what_may_be_kept_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    found = shelf_of(told_on())
    weight = sum(found.get(org).weight for org in ("alpha", "beta"))
    assert weight == 2 * shelf.SLICE_WEIGHT + sum(found.get(org).slice.width for org in ("alpha", "beta"))
    for most, is_half in ((weight, True), (2 * weight, True), (2 * weight + 1, False)):
        monkeypatch.setattr(shelf, "WEIGHT_KEPT_MAX", most)
        assert found.is_half_full is is_half


def test_what_was_used_longest_ago_goes_until_there_is_room_again(monkeypatch: pytest.MonkeyPatch) -> None:
    snapshot = small.world(small.org("delta"))
    weight = {org: shelf_of(snapshot).get(org).weight for org in ("alpha", "beta", "gamma", "delta")}
    monkeypatch.setattr(shelf, "WEIGHT_KEPT_MAX", weight["alpha"] + weight["beta"] + weight["gamma"])
    found = shelf_of(snapshot)
    for org in ("alpha", "beta", "alpha", "gamma"):
        found.get(org)
    assert found.spoken() == ["gamma", "alpha", "beta"]
    found.get("delta")
    assert found.spoken() == ["delta", "gamma"]
    assert found.lacks("alpha")
    assert not found.lacks("gamma")


def test_the_last_slice_is_kept_however_heavy_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shelf, "WEIGHT_KEPT_MAX", 1)
    found = shelf_of(told_on())
    for org in ("alpha", "beta"):
        found.get(org)
    assert found.spoken() == ["beta"]


def test_bodies_with_one_reason_are_counted_together_whether_a_clause_joins_them_or_not() -> None:
    clauses = small.clause(), small.clause(id="c2", frm=["gamma"], to=["alpha"])
    facts = asked(subjects=[{"kind": "provider", "org": org} for org in ("beta", "gamma")])
    decision = Decider(small.world(small.pact(*clauses))).decide(facts)
    assert decision.reasons()["withheld"] == {"SUBJECT_IS_RECIPIENT": 2}


def test_of_a_body_that_is_the_subject_and_is_met_with_silence_no_gap_is_told() -> None:
    world = small.world(small.barred_alpha(), small.bar(), small.org("gamma", small.remit()))
    facts = asked(subjects=[{"kind": "provider", "org": "gamma"}])
    assert Decider(world).decide(facts).whole() == decide(world, facts)
    assert decide(world, facts).of("gamma").klass is Class.NO_PATH


def test_a_slice_weighs_its_lanes_and_what_every_slice_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    found = shelf_of(told_on()).get("alpha")
    for weight in (found.slice.width, 150):
        monkeypatch.setattr(shelf, "SLICE_WEIGHT", weight)
        assert found.weight - found.slice.width == weight


TO_GAMMA = small.pact(small.clause(to=["gamma"]), id="other", lineage="other")
WAYS: dict[str, tuple[list[dict[str, Any]], list[Row]]] = {
    "by what they permit": ([{"permits": small.clause(id="g1")}, {"permits": small.clause(id="g2", to=["gamma"])}], []),
    "by the agreements that they name": ([{"agreements": ["pact"]}, {"agreements": ["other"]}], [TO_GAMMA]),
}


@pytest.mark.parametrize("by", WAYS)
@pytest.mark.parametrize(("opened", "told"), [("one", "beta"), ("two", "gamma")])
def test_of_two_gateways_of_a_bar_each_opens_its_own(by: str, opened: str, told: str) -> None:
    ways, others = WAYS[by]
    gateways = [
        small.gateway(id=name, decided_by="person", **way) for name, way in zip(("one", "two"), ways, strict=True)
    ]
    world = small.world(small.barred_alpha(), small.bar(*gateways), small.org("gamma", small.remit()), *others)
    facts = asked(gateways=[{"id": f"bar/{opened}", "decided_by": "a person"}])
    decision = Decider(world).decide(facts)
    assert decision.whole() == decide(world, facts)
    assert [row.org for row in decision.told] == [told]


def test_the_nearest_clause_towards_the_subject_is_one_that_would_have_told_it() -> None:
    """The bar's own clause is opened, and comes before the pact's, which the bar shuts."""
    way = small.gateway(id="one", decided_by="person", permits=small.clause(id="g1"))
    world = small.world(small.org("alpha", bars=["a-bar"]), small.bar(way, id="a-bar"))
    gateways = [{"id": "a-bar/one", "decided_by": "a person"}]
    facts = asked(gateways=gateways, subjects=[{"kind": "provider", "org": "beta"}])
    assert Decider(world).decide(facts).whole() == decide(world, facts)
    assert decide(world, facts).of("beta").nearest == "a-bar/g1"


def test_the_nearest_clause_towards_a_subject_that_is_forbidden_is_the_furthest_of_all() -> None:
    clauses = small.clause(), small.clause(id="c2", effect="FORBID")
    world = small.world(small.pact(*clauses))
    facts = asked(subjects=[{"kind": "provider", "org": "beta"}])
    assert Decider(world).decide(facts).whole() == decide(world, facts)
    assert decide(world, facts).of("beta").nearest == "pact/c2"


def test_whom_a_concern_names_needs_a_slice_of_its_own_only_where_a_clause_tells_such() -> None:
    named = frozenset({"gamma"})
    plain = shelf_of(told_on())
    assert plain.get("alpha", named) is plain.get("alpha")
    assert not plain.lacks("alpha", named)
    world = small.world(small.pact(small.clause(to=["@named"])))
    naming = shelf_of(world)
    naming.get("alpha")
    assert naming.lacks("alpha", named)
    assert naming.get("alpha", named) is not naming.get("alpha")
    assert not naming.lacks("alpha", named)
    assert not naming.lacks("alpha")
    assert naming.get("alpha", named) is naming.get("alpha", named)
    assert naming.get("beta", named) is naming.get("beta")


def test_of_slices_that_a_change_touches_the_plain_one_follows_and_others_stay_as_they_are() -> None:
    named = frozenset({"gamma"})
    found = shelf_of(small.world(small.pact(small.clause(to=["@named"]))))
    held = {
        key: found.get(*key) for key in (("alpha", frozenset[str]()), ("alpha", named), ("gamma", frozenset[str]()))
    }
    after = found.after(found.snapshot, {"pact"}, {"alpha"})
    assert sorted(after.spoken()) == ["alpha", "gamma"]
    assert after.get("gamma") is held["gamma", frozenset[str]()]
    assert after.lacks("alpha", named)
    assert not after.lacks("alpha")
    assert found.after(found.snapshot, {"other"}, {"beta"}).get("alpha", named) is held["alpha", named]
