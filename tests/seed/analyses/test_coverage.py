from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from services.registry.domain.analyses import confirms, findings
from services.registry.domain.analyses.coverage import Coverage, gap_finding
from services.registry.domain.analyses.reach import Reach
from shared.agreements import Class, Graph, Snapshot, decide, facts_of
from tests.rules.small import clause, org, pact, remit, world
from tests.seed.analyses.worlds import DAY, ORGS, concerns, graphs, quick
from tests.unit.agreements.seeds import seed_graph

TODAY = date(2025, 11, 12)


def gaps(graph: Graph, originator: str, day: date = DAY) -> dict[tuple[str, str], bool]:
    """Each gap of the originator by category and body: whether it is whole."""
    found = Coverage(Reach(Snapshot(graph, version=0, root=""), day)).gaps(originator)
    return {(gap.category, gap.body): gap.is_whole for gap in found}


@quick
@given(graphs(), st.sampled_from(ORGS))
def test_the_gaps_found_are_those_of_every_concern_that_can_be_said(graph: Graph, originator: str) -> None:
    snapshot = Snapshot(graph, version=0, root="")
    seen: dict[tuple[str, str], set[bool]] = {}
    for concern in concerns(graph, originator):
        for row in decide(snapshot, facts_of(concern)).outcomes:
            seen.setdefault((concern["categories"][0], row.org), set()).add(row.klass is Class.GAP)
    assert set(gaps(graph, originator)) == {key for key, gap in seen.items() if True in gap}


@quick
@given(graphs())
def test_the_concern_of_every_gap_is_a_gap_to_the_evaluator(graph: Graph) -> None:
    snapshot = Snapshot(graph, version=0, root="")
    assert [finding.key for finding in findings(graph, DAY) if not confirms(snapshot, finding)] == []


@quick
@given(graphs(), st.sampled_from(ORGS))
def test_the_masks_say_what_the_gaps_say(graph: Graph, originator: str) -> None:
    reach = Reach(Snapshot(graph, version=0, root=""), DAY)
    standings, _ = Coverage(reach).standings(originator)
    listed = gaps(graph, originator)
    for body, row in standings.items():
        for number, category in enumerate(reach.space.categories):
            found = {bool(row.cannot >> number & 1): True, bool(row.partly >> number & 1): False}.get(True)
            assert listed.get((category, body)) == found


def test_the_concerns_of_the_seed_s_gaps_are_gaps_to_the_evaluator() -> None:
    reach = Reach(Snapshot(seed_graph(), version=0, root=""), TODAY)
    coverage = Coverage(reach)
    found = [gap_finding(gap, reach) for org in ("cqc", "gmc", "phe", "nhs-england") for gap in coverage.gaps(org)]
    assert len(found) > 100
    assert [row.key for row in found if not confirms(reach.snapshot, row)] == []


def test_a_clause_for_one_setting_leaves_a_gap_where_the_setting_is_another() -> None:
    wants = remit(settings=["clinic", "school"], nations=["england"])
    graph = world(org("beta", wants), pact(clause(when={"settings": ["clinic"]}))).graph
    assert gaps(graph, "alpha") == {("harm", "beta"): False}
    sentence = next(row.sentence for row in findings(graph, DAY) if row.key == "gap:alpha:harm:beta")
    assert sentence.endswith("where the setting is school.")


def test_the_whole_remit_is_a_gap_to_a_body_that_no_agreement_joins() -> None:
    graph = world(org("delta", remit("theft"))).graph
    assert gaps(graph, "gamma") == {("harm", "beta"): True, ("theft", "delta"): True}


def test_what_an_originator_leaves_unsaid_is_named_only_where_nothing_else_shows_the_gap() -> None:
    graph = world(org("beta", remit(nations=["england"]))).graph
    assert gaps(graph, "alpha") == {}
    unlimited = world(org("beta", remit()), pact(nations=["england"])).graph
    sentence = next(row.sentence for row in findings(unlimited, DAY) if row.key == "gap:alpha:harm:beta")
    assert sentence.endswith("where the nation is wales or not stated.")
