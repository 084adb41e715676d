"""The numbers for many bodies are those of the gaps, one by one."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from deploy.bench.coverage import coverage_rows
from deploy.bench.graphs import Size, synthetic
from services.registry.domain.analyses import BODIES_LISTED_MAX, listable
from services.registry.domain.analyses.coverage import Coverage
from services.registry.domain.analyses.reach import Reach
from services.registry.domain.analyses.table import Table
from shared.agreements import Graph, Snapshot, load
from tests.seed.analyses.worlds import DAY, ORGS, graphs, quick
from tests.unit.agreements.seeds import seed_graph


def counted(graph: Graph, originator: str) -> dict[tuple[str, bool], int]:
    coverage = Coverage(Reach(Snapshot(graph, version=0, root=""), DAY))
    return dict(Counter((gap.category, gap.is_whole) for gap in coverage.gaps(originator)))


@quick
@given(graphs(), st.sampled_from(ORGS))
def test_the_numbers_of_a_small_graph_are_its_gaps(graph: Graph, originator: str) -> None:
    assert tallied(graph, originator) == counted(graph, originator)


def test_the_numbers_of_the_seed_are_its_gaps_also_under_a_bar_that_withholds() -> None:
    for originator in ("cqc", "phso", "hssib", "hmrc", "phe"):
        assert tallied(seed_graph(), originator) == counted(seed_graph(), originator)


def tallied(graph: Graph, originator: str) -> dict[tuple[str, bool], int]:
    table = Table(Coverage(Reach(Snapshot(graph, version=0, root=""), DAY)))
    rows = list(table.counts(originator))
    whole = {(row.category, True): row.cannot for row in rows if row.cannot}
    return whole | {(row.category, False): row.partly for row in rows if row.partly}


def test_the_benchmark_counts_what_it_times() -> None:
    graph = load(synthetic(Size(150, 200)))
    time, cells, gaps = coverage_rows(Snapshot(graph, version=0, root=""))
    assert (time.name, time.within) == ("coverage of 150 bodies, 200 agreements", True)
    assert gaps.value > cells.value > 1000


def test_gaps_are_listed_one_by_one_for_graphs_of_a_thousand_bodies_at_most() -> None:
    assert listable(seed_graph())
    assert len(seed_graph().organisations) < BODIES_LISTED_MAX
