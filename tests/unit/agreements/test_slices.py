"""What each body may say and hear is found by party, kept up to a bound, and outlives commits that do not touch it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from shared.agreements import Snapshot, load, slices
from shared.agreements.slices import Slices
from tests.rules.small import Row, bar, barred_alpha, clause, duty, follows, org, pact, party, rows, world
from tests.support.following import Followed

FLAGS = {"kind": "vocabulary", "id": "flags", "terms": ["certified", "checked"]}
TWO, ALL = ["alpha", "beta"], ["alpha", "beta", "gamma"]


def between(name: str, *orgs: str, **changes: object) -> Row:
    """An agreement of these bodies, by which the first tells the second."""
    own = {"id": name, "lineage": name, "parties": [party(one) for one in orgs], **changes}
    return pact(clause(frm=[orgs[0]], to=[orgs[1]]), **own)


def mutual(name: str, *orgs: str) -> Row:
    """An agreement of two bodies, by which each tells the other."""
    clauses = clause(frm=[orgs[0]], to=[orgs[1]], direction="both")
    return pact(clauses, id=name, lineage=name, parties=[party(one) for one in orgs])


def slices_of(*objects: Row) -> Slices:
    return Slices(world(*objects).graph)


def spoken(found: Slices, body: str) -> list[str]:
    return [right.clause.cite for right in found.speaking(body)]


def heard(found: Slices, body: str) -> list[tuple[str, str]]:
    return [(tie.discloser, tie.recipient) for tie in found.hearing(body)]


def test_a_body_speaks_and_hears_by_what_it_is_a_party_to_in_the_order_of_agreements() -> None:
    found = slices_of(between("zone", *TWO), between("act", *TWO), between("back", "beta", "alpha"), duty())
    assert spoken(found, "alpha") == ["act/c1", "duty/c1", "pact/c1", "zone/c1"]
    assert spoken(found, "beta") == ["back/c1"]
    assert (heard(found, "alpha"), heard(found, "beta")) == ([("beta", "alpha")], [("alpha", "beta")])
    assert (spoken(found, "gamma"), heard(found, "gamma")) == ([], [])


def test_of_some_agreements_a_body_is_shown_those_to_which_it_or_a_predecessor_is_a_party() -> None:
    own = between("own", "delta", "beta")
    found = slices_of(org("delta"), own, between("back", "beta", "alpha"), follows("delta", "gamma"))
    asked = ["own", "nothing", "back"]
    assert [right.agreement.id for right in found.around("gamma", asked)] == ["own"]
    assert [right.agreement.id for right in found.around("beta", asked)] == ["back", "own"]
    assert [right.agreement.id for right in found.around("gamma")] == ["own", "pact"]


def test_a_body_acts_for_all_before_it_and_for_its_divisions_however_far_back() -> None:
    before = [follows("first", "second"), follows("second", "gamma"), org("part", deliver_to="first")]
    found = slices_of(org("first"), org("second"), *before)
    assert found.acting_for("gamma") == {"gamma", "second", "first", "part"}
    assert found.acting_for("second") == {"second", "first", "part"}
    assert found.acting_for("part") == {"part"}
    assert found.acting_for("beta") == {"beta"}


def test_the_bodies_with_most_agreements_stand_first_and_equals_by_name() -> None:
    found = slices_of(
        between("act", "gamma", "alpha"), between("back", "gamma", "beta"), between("own", "gamma", "beta")
    )
    assert found.much_signed(1) == ["gamma", "beta", "alpha"]
    assert found.much_signed(3) == ["gamma", "beta"]
    assert found.much_signed(5) == []
    assert slices_of().much_signed(1) == ALL


def test_a_later_version_takes_an_agreements_place_on_its_first_day() -> None:
    day = date(2026, 1, 1)
    until, since = {"in_force": {"from": None, "to": f"{day}"}}, {"in_force": {"from": f"{day}", "to": None}}
    later = pact(id="pact-2", supersedes="pact", **since)
    found = slices_of(pact(**until), later)
    assert (found.later_day("pact"), found.later_day("pact-2"), found.later_day("nothing")) == (day, None, None)
    version = found.later_version("pact")
    assert version is not None
    assert version.id == "pact-2"
    assert found.later_version("pact-2") is None


def test_of_two_later_versions_of_which_one_never_held_the_last_by_name_counts() -> None:
    until, since = {"from": None, "to": "2026-01-01"}, {"from": "2026-01-01", "to": None}
    withdrawn = pact(id="pact-2", supersedes="pact", in_force=since, terminated="2026-01-01")
    found = slices_of(pact(in_force=until), pact(id="pact-3", supersedes="pact", in_force=since), withdrawn)
    version = found.later_version("pact")
    assert version is not None
    assert version.id == "pact-3"


@pytest.mark.parametrize(("bound", "kept"), [(5, False), (6, True), (7, True)])
def test_rights_and_ties_are_kept_up_to_a_bound_of_all_together(
    monkeypatch: pytest.MonkeyPatch, bound: int, kept: bool
) -> None:
    monkeypatch.setattr(slices, "KEPT_MAX", bound)
    found = slices_of(between("act", *TWO), between("own", *TWO), between("back", "beta", "alpha"))
    first, other = found.speaking("alpha"), found.speaking("beta")
    assert (len(first), len(other)) == (3, 1)
    assert found.speaking("beta") is other
    assert (found.speaking("alpha") is first) is kept


def test_what_is_heard_is_worked_out_once() -> None:
    found = slices_of()
    assert found.hearing("beta") is found.hearing("beta")
    assert found.hearing("alpha") is found.hearing("alpha")


def test_an_agreement_a_duty_and_a_gateways_clauses_are_found_by_id() -> None:
    snapshot: Snapshot = world(duty())
    for name in ("pact", "duty"):
        found = snapshot.sharing(name)
        assert found is not None
        assert found.id == name
    assert snapshot.sharing("nothing") is None


DAY, NOBODY = date(2025, 3, 3), frozenset[str]()
BODIES = ("alpha", "beta", "gamma", "delta", "heir")
START = rows(mutual("pact", *TWO), mutual("act", "gamma", "delta"), org("delta"), org("heir"), follows("beta", "heir"))


def kept_after(*changed: Row, touched: list[str]) -> set[str]:
    """The bodies whose slices, all asked for before, are the same after the commit of these objects."""
    followed = Followed(START)
    before = Slices(followed.snapshot.graph)
    asked = {body: (before.speaking(body), before.hearing(body)) for body in BODIES}
    assert followed.commit(list(changed))
    after = before.after(followed.snapshot.graph, touched)
    said = {body for body, (rights, _) in asked.items() if after.speaking(body) is rights}
    assert said == {body for body, (_, ties) in asked.items() if after.hearing(body) is ties}
    return said


def test_an_agreement_leaves_the_slices_of_all_but_its_parties_and_who_acts_for_them() -> None:
    assert kept_after(mutual("pact", "beta", "alpha"), touched=TWO) == {"gamma", "delta"}
    assert kept_after(mutual("act", "delta", "gamma"), touched=["gamma", "delta"]) == {"alpha", "beta", "heir"}


@pytest.mark.parametrize(
    "changed",
    [[follows("delta", "gamma")], [duty()], [bar(), barred_alpha()], [FLAGS]],
    ids=lambda rows: rows[0]["kind"],
)
def test_what_is_no_agreement_leaves_no_slice(changed: list[Row]) -> None:
    assert kept_after(*changed, touched=[]) == set()


def test_agreements_that_were_read_with_other_words_leave_no_slice_though_all_else_is_the_same() -> None:
    graph, anew, plain = Followed(START).snapshot.graph, Followed(START).snapshot.graph, load(START)
    before = Slices(graph)
    asked = {body: before.speaking(body) for body in BODIES}
    for held, kept in ((graph.agreements, set(BODIES)), (anew.agreements, set()), (plain.agreements, set())):
        after = before.after(replace(graph, agreements=held), [])
        assert {body for body, rights in asked.items() if after.speaking(body) is rights} == kept


def joined(found: Snapshot, body: str) -> list[tuple[str, str]]:
    return [(row.clause.cite, row.recipient.org) for row in found.bodies(DAY, NOBODY, NOBODY).joined_to(body, ())]


def test_a_commit_moves_the_slices_of_who_is_a_party_and_of_who_was_one() -> None:
    followed = Followed(rows(pact(clause(direction="both"), parties=[party("alpha"), party("beta")])))
    before = followed.snapshot
    assert {body: joined(before, body) for body in ALL} == {
        "alpha": [("pact/c1", "beta")],
        "beta": [("pact/c1", "alpha")],
        "gamma": [],
    }
    moved = pact(clause(direction="both", to=["gamma"]), parties=[party("alpha"), party("gamma")])
    assert followed.commit([moved])
    after = followed.snapshot
    assert (after.version, after.root) == (2, followed.anew().root)
    assert {body: joined(after, body) for body in ALL} == {
        "alpha": [("pact/c1", "gamma")],
        "beta": [],
        "gamma": [("pact/c1", "alpha")],
    }
