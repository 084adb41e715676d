"""How a concern is judged: exact memory, and a hold whenever something is not right."""

from datetime import date
from functools import cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.router.domain.errors import NoGraphYet
from services.router.domain.model import Concern, Head
from services.router.domain.policy import CurrentJudge, Judge, waiting_for_a_person
from services.router.domain.tokens import is_newer
from shared.agreements import decide, facts_of
from shared.canonical import canonical
from tests.rules import small
from tests.support.router_fakes import a_concern, graph_objects, judge_of, replica_of

REPLICA = replica_of(
    graph_objects(
        small.pact(
            small.clause(when={"subject_kinds": ["registrant"], "registers": ["gmc"]}),
            small.clause(id="c2", to=["gamma"], when={"date_basis": "incident", "urgency_at_least": "urgent"}),
            in_force=small.during("2025-01-01", "2025-03-04"),
        )
    )
)


@cache
def the_judge() -> Judge:
    return judge_of(REPLICA)


some_routing = st.fixed_dictionaries(
    {
        "received_at": st.sampled_from(
            ["2025-03-03T10:00:00Z", "2025-03-03T23:59:59.5Z", "2025-03-04T00:00:00Z", "2025-03-31T23:30:00Z"]
        ),
        "categories": st.lists(st.sampled_from(["harm", "theft", "fire-risk", "nonsense"]), min_size=1, max_size=3),
        "subjects": st.lists(
            st.fixed_dictionaries(
                {"kind": st.sampled_from(["provider", "registrant"]), "registers": st.sampled_from([[], ["gmc"]])}
            ),
            max_size=2,
        ),
        "urgency": st.sampled_from([None, "routine", "urgent"]),
        "incident_date": st.sampled_from([None, date(2025, 1, 1).isoformat(), date(2024, 12, 31).isoformat()]),
        "gateways": st.sampled_from([[], [{"id": "bar/way", "decided_by": "a person", "reason": "r"}]]),
        "min_graph_token": st.sampled_from([None, f"1.{REPLICA.head.root[:8]}.s"]),
    }
)


@given(st.lists(some_routing, min_size=1, max_size=6))
def test_what_is_remembered_is_what_would_be_decided(routings: list[dict[str, Any]]) -> None:
    judge = judge_of(REPLICA)
    for routing in routings * 2:
        concern = a_concern(**routing)
        expected = canonical(decide(judge.snapshot, facts_of(concern.routing)).to_json())
        assert judge.judge(concern).verdict.body == expected


@given(st.lists(some_routing, min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_the_order_of_concerns_changes_no_decision(routings: list[dict[str, Any]], chance: Any) -> None:
    concerns = [a_concern(number, **routing) for number, routing in enumerate(routings)]
    shuffled = chance.sample(concerns, len(concerns))
    one, other = judge_of(REPLICA), judge_of(REPLICA)
    there = {c.concern_id: one.judge(c).verdict for c in concerns}
    back = {c.concern_id: other.judge(c).verdict for c in shuffled}
    assert there == back


def test_concerns_that_no_graph_can_tell_apart_share_one_verdict() -> None:
    judge = judge_of(REPLICA)
    morning = judge.judge(a_concern(1, received_at="2025-03-03T08:00:00Z"))
    evening = judge.judge(a_concern(2, received_at="2025-03-03T20:00:00Z", originator_ref="other"))
    assert morning.verdict is evening.verdict


def test_the_memory_keeps_to_its_limit_and_forgets_the_longest_unused() -> None:
    size = len(the_judge().judge(a_concern()).verdict.body)
    judge = judge_of(REPLICA, memo_bytes_max=size * 2 + size // 2)
    first = judge.judge(a_concern(categories=["harm"])).verdict
    judge.judge(a_concern(categories=["theft"]))
    assert judge.judge(a_concern(categories=["harm"])).verdict is first
    judge.judge(a_concern(categories=["fire-risk"]))
    assert judge.memo_bytes <= size * 2 + size // 2
    assert judge.judge(a_concern(categories=["harm"])).verdict is first


@pytest.mark.parametrize(
    "broken",
    [
        {"originator": None},
        {"received_at": "yesterday"},
        {"received_at": "2025-03-03T10:00:00"},
        {"incident_date": "2025-02-30"},
        {"subjects": [{"registers": []}]},
        {"subjects": 7},
        {"categories": [["nested"]]},
        {"gateways": [{"decided_by": "nobody"}]},
    ],
)
def test_a_concern_that_cannot_be_evaluated_is_held_whole(broken: dict[str, Any]) -> None:
    judgement = the_judge().judge(a_concern(**broken))
    assert judgement.verdict.hold in (("HOLD_FAULT",), ("HOLD_UNKNOWN_TERM",))
    assert judgement.verdict.told == ()
    assert sum(judgement.verdict.totals.values()) == 3


def test_a_fault_of_the_evaluator_is_named_without_its_text() -> None:
    judgement = the_judge().judge(a_concern(received_at="Mrs Example of 1 High Street"))
    assert judgement.fault == "ValueError"
    assert b"Example" not in judgement.verdict.body
    assert the_judge().judge(a_concern()).fault is None


def test_a_routing_part_without_an_originator_is_held_not_lost() -> None:
    bare = Concern("con_1", 1, "d", a_concern().accepted_at, {}, {})
    assert the_judge().judge(bare).verdict.hold == ("HOLD_FAULT",)


def test_a_concern_that_asks_for_a_newer_graph_is_held_even_if_its_like_was_decided() -> None:
    judge = judge_of(REPLICA)
    judge.judge(a_concern())
    held = judge.judge(a_concern(min_graph_token="2.abcdef01.sig"))
    assert held.verdict.hold == ("HOLD_STALE_GRAPH",)
    assert held.fault is None
    assert judge.judge(a_concern()).verdict.hold == ()


@pytest.mark.parametrize(
    ("token", "newer"),
    [
        (None, False),
        ("4.ffffffff.sig", False),
        ("5.abcdef01.sig", False),
        ("5.ffffffff.sig", True),
        ("5", True),
        ("6.abcdef01.sig", True),
        ("", True),
        ("five.abcdef01.sig", True),
        ("-1.abcdef01.sig", True),
        ("²", True),
    ],
)
def test_a_token_asks_for_another_graph_unless_it_is_understood_and_met(token: str | None, newer: bool) -> None:
    assert is_newer(token, Head(5, "abcdef0123456789")) is newer


def test_nobody_judges_before_the_first_graph() -> None:
    current = CurrentJudge()
    with pytest.raises(NoGraphYet):
        current.get()
    assert current.head == Head(0, "")
    current.swap(the_judge())
    assert current.get() is the_judge()


def test_a_concern_that_is_told_waits_for_nobody() -> None:
    told = judge_of(replica_of(graph_objects())).judge(a_concern()).verdict
    assert [outcome.org for outcome in told.told] == ["beta"]
    assert list(waiting_for_a_person(told)) == []


def test_a_gap_waits_beside_a_tell() -> None:
    verdict = judge_of(replica_of(graph_objects(small.org("gamma", small.remit())))).judge(a_concern()).verdict
    assert [outcome.org for outcome in verdict.told] == ["beta"]
    assert list(waiting_for_a_person(verdict)) == [("gap", ("NO_PATH",), ("gamma",))]


def test_a_hold_names_every_body_that_waits() -> None:
    verdict = the_judge().judge(a_concern(categories=["nonsense"])).verdict
    assert list(waiting_for_a_person(verdict)) == [("held", ("HOLD_UNKNOWN_TERM",), ("beta", "gamma"))]
