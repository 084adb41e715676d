"""What the values of a graph say of themselves: words, agreements, successions, and a snapshot of them all."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from shared.agreements import Snapshot, snapshot
from shared.agreements.model import Agreement, Graph, Scope, Succession
from shared.agreements.variants import alone, assuming
from shared.agreements.vocabulary import Vocabulary
from tests.rules.small import POLICY, bar, barred_alpha, clause, duty, follows, org, pact, remit, world

DAY, BEFORE, AFTER = date(2025, 3, 3), date(2025, 3, 2), date(2025, 3, 4)
NOBODY: frozenset[str] = frozenset()
TREE = [{"id": "leaf", "parent": "branch"}, {"id": "branch", "parent": "root"}, {"id": "root", "parent": None}]
WORDS = Vocabulary({"urgency": ("routine", "urgent"), "purposes": tuple(TREE), "categories": tuple(TREE)}, {})


def graph_of(*objects: dict[str, object]) -> Graph:
    return world(*objects).graph


def agreement(**changes: object) -> Agreement:
    return graph_of(pact(**changes)).agreements["pact"]


def succession(kind: str = "split", **changes: object) -> Succession:
    (row,) = graph_of(follows("gamma", "beta", kind, **changes)).successions
    return row


def test_words_are_known_by_id_in_their_own_order() -> None:
    assert WORDS.ids("purposes") == ("leaf", "branch", "root")
    assert WORDS.ids("urgency") == ("routine", "urgent")
    assert WORDS.ids("nothing") == ()
    assert [WORDS.rank("urgency", term) for term in ("routine", "urgent", "unknown")] == [0, 1, -1]
    assert WORDS.rank("nothing", "routine") == -1


def test_a_wider_word_covers_the_narrower_ones_at_any_depth_and_no_wider_one() -> None:
    for under in (WORDS.purposes_under, WORDS.categories_under):
        assert under(["root"]) == {"root", "branch", "leaf"}
        assert under(["branch"]) == {"branch", "leaf"}
        assert under(["leaf", "unknown"]) == {"leaf", "unknown"}
        assert under([]) == set()


def test_a_word_of_a_plain_list_covers_itself() -> None:
    assert Vocabulary({"purposes": ("law",)}, {}).purposes_under(["law"]) == {"law"}
    assert Vocabulary({}, {}).purposes_under(["law"]) == {"law"}


@pytest.mark.parametrize(("lineage", "personal"), [("ecp", True), ("aaa", False), ("zzz", False)])
def test_the_protocols_own_lineage_alone_is_personal(lineage: str, personal: bool) -> None:
    assert agreement(lineage=lineage).personal is personal


def test_a_review_is_overdue_from_the_day_after_it_was_due() -> None:
    due = replace(agreement(), review_due=DAY)
    assert [due.is_review_overdue(day) for day in (BEFORE, DAY, AFTER)] == [False, False, True]
    assert not replace(due, review_due=None).is_review_overdue(AFTER)


def test_a_scope_that_names_categories_alone_limits_nothing_else() -> None:
    found = graph_of(org("beta", remit("harm"))).organisations["beta"].remits[0].scope
    assert found == Scope(categories=frozenset({"harm"}))
    assert not found.by_incident
    assert not found.needs_remit


def test_a_succession_has_happened_from_its_day_on_and_a_planned_one_never() -> None:
    row = succession(effective=f"{DAY}")
    assert [row.has_happened(day) for day in (BEFORE, DAY, AFTER)] == [False, True, True]
    assert not replace(row, effective=None).has_happened(date.max)


@pytest.mark.parametrize(("kind", "partial"), [("split", True), ("partial_transfer", True), ("merge", False)])
def test_a_split_and_a_partial_transfer_leave_a_part_behind(kind: str, partial: bool) -> None:
    assert succession(kind).partial is partial


def test_agreements_that_differ_in_their_text_alone_are_equal() -> None:
    one = agreement()
    assert replace(one, record={"title": "Another"}) == one
    assert replace(one, review_due=DAY) != one
    organisation = graph_of().organisations["beta"]
    assert replace(organisation, record={"note": "another"}) == organisation
    shut = graph_of(barred_alpha(), bar()).bars["bar"]
    assert replace(shut, record={"title": "Another"}) == shut


def test_what_is_worked_out_or_only_written_is_not_shown() -> None:
    found = world(barred_alpha(), bar())
    assert repr(found) == f"Snapshot(graph={found.graph!r}, version=1, root='r')"
    assert repr(WORDS) == f"Vocabulary(lists={WORDS.lists!r}, values={{}})"
    shown = (found.graph.agreements["pact"], found.graph.organisations["beta"], found.graph.bars["bar"])
    assert not [word for value in shown for word in ("record=", "signatories=") if word in repr(value)]


def test_two_snapshots_of_one_graph_are_equal_whatever_was_asked_of_them() -> None:
    one, other = world(), world()
    one.bodies(DAY, NOBODY, NOBODY)
    assert one == other
    assert one != Snapshot(one.graph, 2, "r")


def test_concerns_of_other_categories_share_their_bodies_unless_a_succession_parts_them() -> None:
    whole = world()
    parted = world(follows("gamma", "beta", "split", categories=["harm"]))
    for found, shared in ((whole, True), (parted, False)):
        harm, theft, fire = (found.bodies(DAY, NOBODY, frozenset({name})) for name in ("harm", "theft", "fire-risk"))
        assert theft is fire
        assert (harm is theft) is shared
        assert found.bodies(AFTER, NOBODY, frozenset()) is not theft


def test_the_bodies_of_so_many_days_are_kept_and_of_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshot, "BODIES_KEPT_MAX", 2)
    found = world()
    first, second = (found.bodies(day, NOBODY, NOBODY) for day in (BEFORE, DAY))
    assert found.bodies(BEFORE, NOBODY, NOBODY) is first
    assert found.bodies(DAY, NOBODY, NOBODY) is second
    third = found.bodies(AFTER, NOBODY, NOBODY)
    assert found.bodies(BEFORE, NOBODY, NOBODY) is not first
    assert found.bodies(AFTER, NOBODY, NOBODY) is third
    second, _ = (found.bodies(day, NOBODY, NOBODY) for day in (DAY, BEFORE))
    monkeypatch.setattr(snapshot, "BODIES_KEPT_MAX", 1)
    found.bodies(date.max, NOBODY, NOBODY)
    assert found.bodies(DAY, NOBODY, NOBODY) is not second


def test_assumed_clauses_are_switched_as_a_whole() -> None:
    own = {"default": False, "agreements": {"pact": True}}
    graph = graph_of({**POLICY, "assumed_clauses": own})
    assert [graph.policy.admits_assumed(name) for name in ("pact", "other")] == [True, False]
    for on in (True, False):
        switched = assuming(graph, on=on)
        assert [switched.policy.admits_assumed(name) for name in ("pact", "other")] == [on, on]
        assert replace(switched, policy=graph.policy) == graph


def test_an_agreement_alone_has_its_bodies_and_nothing_else_that_tells_or_bars() -> None:
    other = pact(id="other", lineage="other")
    graph = graph_of(other, duty(clause(effect="REQUIRE")), barred_alpha(), bar(), org("beta", remit()))
    lone = alone(graph, "pact")
    assert (dict(lone.agreements), lone.duties, lone.bars) == ({"pact": graph.agreements["pact"]}, {}, {})
    assert lone.organisations == graph.organisations
    assert lone.policy.admits_assumed("pact")
    with pytest.raises(KeyError, match="nothing"):
        alone(graph, "nothing")
