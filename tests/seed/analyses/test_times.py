from datetime import date, timedelta

from hypothesis import given

from services.registry.domain.analyses import Finding, confirms, findings
from services.registry.domain.analyses.coverage import Coverage
from services.registry.domain.analyses.reach import Reach
from services.registry.domain.analyses.times import boundaries, openings, since
from shared.agreements import Graph, Snapshot
from tests.rules.small import clause, org, pact, remit, world
from tests.seed.analyses.worlds import DAY, graphs, quick

ENGLAND = remit(nations=["england"])


def gap(graph: Graph, key: str, day: date = DAY) -> Finding:
    return next(row for row in findings(graph, day) if row.key == key)


def test_a_gap_is_open_since_the_day_on_which_the_last_way_ended() -> None:
    ended = pact(in_force={"from": "2020-01-01", "to": "2023-05-03"})
    graph = world(org("beta", ENGLAND), ended).graph
    row = gap(graph, "gap:alpha:harm:beta")
    assert since(Snapshot(graph, version=0, root=""), row.evidence, boundaries(graph)) == date(2023, 5, 3)


def test_a_gap_that_never_was_closed_is_open_for_as_long_as_the_graph_knows() -> None:
    graph = world(org("beta", ENGLAND), pact(in_force={"from": "2030-01-01", "to": None})).graph
    row = gap(graph, "gap:alpha:harm:beta")
    assert since(Snapshot(graph, version=0, root=""), row.evidence, boundaries(graph)) is None


def test_a_gap_opens_on_the_day_on_which_an_agreement_ends_and_not_before() -> None:
    graph = world(org("beta", ENGLAND), pact(in_force={"from": None, "to": "2026-04-01"})).graph
    opened = [row for row in findings(graph, DAY) if row.key.startswith("gap-opens:")]
    assert [row.key for row in opened] == ["gap-opens:2026-04-01:alpha:harm:beta"]
    assert confirms(Snapshot(graph, version=0, root=""), opened[0])
    assert not any(row.key.startswith("gap:alpha:harm:beta") for row in findings(graph, DAY))
    later = date(2026, 4, 1)
    assert gap(graph, "gap:alpha:harm:beta", later).severity.value == "warning"
    assert "gap:alpha:harm:beta" not in {row.key for row in findings(graph, later - timedelta(days=1))}


def test_a_termination_that_another_agreement_makes_good_opens_no_gap() -> None:
    other = pact(clause(), id="pact-b", lineage="pact-b")
    graph = world(org("beta", ENGLAND), pact(terminated="2026-04-01"), other).graph
    assert [row.key for row in findings(graph, DAY) if row.key.startswith("gap-opens:")] == []


def test_a_review_that_is_due_names_the_gap_that_would_open_without_the_agreement() -> None:
    graph = world(org("beta", ENGLAND), pact(review_due="2026-01-01")).graph
    row = gap(graph, "gap-at-review:pact:alpha:harm:beta")
    assert (row.day, confirms(Snapshot(graph, version=0, root=""), row)) == ("2026-01-01", True)
    other = pact(clause(), id="pact-b", lineage="pact-b")
    both = world(org("beta", ENGLAND), pact(review_due="2026-01-01"), other).graph
    assert not any(row.key.startswith("gap-at-review") for row in findings(both, DAY))


@quick
@given(graphs())
def test_every_gap_of_a_day_to_come_is_one_of_today_or_opens_on_a_day_between(graph: Graph) -> None:
    today, last = date(2024, 5, 1), max([date(2025, 6, 1), *boundaries(graph)])
    opened = {tuple(row.key.split(":")[2:]) for row in openings(reach_on(graph, today))}
    assert whole_and_part(graph, last) <= whole_and_part(graph, today) | opened


def whole_and_part(graph: Graph, day: date) -> set[tuple[str, ...]]:
    reach = reach_on(graph, day)
    coverage = Coverage(reach)
    return {(gap.originator, gap.category, gap.body) for org in reach.originators() for gap in coverage.gaps(org)}


def reach_on(graph: Graph, day: date) -> Reach:
    return Reach(Snapshot(graph, version=0, root=""), day)
