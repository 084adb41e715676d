"""What agreements say of each other, by name: read of all of them, and kept through each change."""

from hypothesis import given
from hypothesis import strategies as st

from shared.agreements.load.roster import Roster
from tests.rules.small import Row, pact, party
from tests.support.laws import law

NAMES = st.sampled_from(["one", "two", "three"])
ROWS = st.builds(
    lambda name, orgs, lineage, more: pact(id=name, parties=[party(org) for org in orgs], lineage=lineage, **more),
    NAMES,
    st.lists(st.sampled_from(["alpha", "beta"]), max_size=3),
    NAMES,
    st.dictionaries(st.sampled_from(["supersedes", "supports"]), NAMES),
)
GRAPHS = st.dictionaries(NAMES, ROWS).map(lambda rows: [{**row, "id": name} for name, row in rows.items()])


def plain(rows: list[Row]) -> Roster:
    def by(*pairs: tuple[str, str]) -> dict[str, tuple[str, ...]]:
        return {key: tuple(sorted({name for other, name in pairs if other == key})) for key, _ in pairs}

    return Roster(
        by_party=by(*((one["org"], row["id"]) for row in rows for one in row["parties"])),
        later=by(*((row["supersedes"], row["id"]) for row in rows if "supersedes" in row)),
        children=by(*((row["supports"], row["id"]) for row in rows if "supports" in row)),
        versions=by(*((row["lineage"], row["id"]) for row in rows if row["lineage"] != row["id"])),
    )


@law
@given(GRAPHS)
def test_a_roster_names_each_agreement_once_by_whom_and_what_it_is_about(rows: list[Row]) -> None:
    assert Roster.over(rows) == plain(rows)


@law
@given(GRAPHS, GRAPHS)
def test_a_roster_after_a_change_is_that_of_the_graph_after_it(rows: list[Row], changed: list[Row]) -> None:
    touched = {row["id"] for row in changed}
    before, kept = ([row for row in rows if (row["id"] in touched) is wanted] for wanted in (True, False))
    assert plain(rows).changed(before, changed) == plain([*kept, *changed])


def test_a_change_leaves_no_name_behind_of_which_nothing_is_said_any_more() -> None:
    gone, there = pact(id="one", supersedes="two"), pact(id="one")
    assert plain([gone]).changed([gone], [there]).later == {}
    assert plain([there]).changed([there], [gone]).later == {"two": ("one",)}
