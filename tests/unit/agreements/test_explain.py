"""What an explanation says of each clause, and how reason, nearest miss and smallest repair follow from the gates."""

from __future__ import annotations

from typing import Any

import pytest

from shared.agreements import Class, Snapshot, explain, facts_of, why
from shared.agreements.decision import Because, SignedAs
from shared.agreements.explain import Trial, nearest_of, reason_of_untold, smallest_repair
from shared.agreements.gates import GATES, name_of
from tests.rules.small import Row, clause, org, pact, remit, world

NAMES = tuple(map(name_of, GATES))
CONCERN = {"originator": "alpha", "received_at": "2025-03-03T10:00:00Z", "categories": ["harm"], "nation": "england"}
OTHER_KIND = {"category": "CATEGORY"}
ELSEWHERE = {"nations": "SCOPE"}
REQUIRED_REMIT = {"recipient_remit": "required"}


def trial(cite: str = "c1", shut: dict[str, str] | None = None, **changes: Any) -> Trial:
    """A push clause of the pact, from alpha to beta; `shut`: the gates that it fails, with their reasons."""
    because = Because("pact", cite, SignedAs("alpha", changes.pop("recipient", "beta")), ())
    gates = tuple((name, (shut or {}).get(name)) for name in NAMES)
    rest = {"effect": "PERMIT", "mode": "push", "implied": (), "would_tell": True, "ambiguous": False, **changes}
    return Trial(because=because, gates=gates, **rest)


def tried(snapshot: Snapshot, **concern: Any) -> tuple[Trial, ...]:
    """Every clause from alpha to beta, on a concern of harm in England."""
    return explain(snapshot, facts_of({**CONCERN, **concern}), "beta")


def only(*clauses: Row, **concern: Any) -> Trial:
    """That of the one clause of the pact."""
    (found,) = tried(world(pact(*clauses)), **concern)
    return found


def reason(*trials: Trial, is_subject: bool = False, heard_from: bool = False) -> str:
    return reason_of_untold(trials, is_subject=is_subject, heard_from=heard_from)


def cited(found: Any) -> str | None:
    return found.because.cite if found else None


def test_the_clause_that_came_furthest_stands_first_and_of_two_the_one_cited_first() -> None:
    near = clause(id="c1", when={"categories": ["theft"]})
    far, alike = (clause(id=name, purposes=["law"]) for name in ("c3", "c2"))
    found = tried(world(pact(near, far, alike)))
    assert [row.because.clause for row in found] == ["c2", "c3", "c1"]
    assert [row.reason for row in found] == ["PURPOSE_NOT_COVERED", "PURPOSE_NOT_COVERED", "CATEGORY"]
    assert tried(world(pact(clause(frm=["beta"], to=["alpha"])))) == ()


def test_a_trial_says_every_gate_in_order_and_what_it_reached() -> None:
    found = only(clause(purposes=["law"], when={"nations": ["wales"]}))
    assert tuple(name for name, _ in found.gates) == NAMES
    assert dict(found.gates) == {**dict.fromkeys(NAMES), "nations": "SCOPE", "purpose": "PURPOSE_NOT_COVERED"}
    assert (found.reason, found.reach) == ("SCOPE", NAMES.index("nations"))
    assert found.failed == found.needed == ("nations", "purpose")
    assert (only(clause()).reason, only(clause()).reach) == (None, len(GATES))


@pytest.mark.parametrize(
    ("changes", "remits", "needed"),
    [
        ({"when": {**REQUIRED_REMIT, "categories": ["theft"]}}, ["harm"], ("category",)),
        ({"when": {**REQUIRED_REMIT, "categories": ["theft"]}}, ["fire-risk"], ("category", "remit")),
        ({"when": REQUIRED_REMIT}, ["theft"], ("remit",)),
        ({"when": {**REQUIRED_REMIT, "categories": ["theft"]}, "mode": "record"}, ["harm"], ("mode",)),
        ({"when": {**REQUIRED_REMIT, "categories": ["theft"]}, "mode": "record"}, ["theft"], ("mode", "remit")),
    ],
)
def test_the_remit_is_needed_only_where_naming_the_category_would_not_meet_it(
    changes: Row, remits: list[str], needed: tuple[str, ...]
) -> None:
    (found,) = tried(world(org("beta", remit(*remits)), pact(clause(**changes))))
    assert found.needed == needed
    assert "remit" in found.failed


@pytest.mark.parametrize(
    ("excluded", "subjects", "needed"),
    [
        (["beta"], ["beta"], ("subject_is_recipient",)),
        (["beta"], ["beta", "gamma"], ("subject_is_recipient",)),
        (["beta", "gamma"], ["beta", "gamma"], ("subject_not", "subject_is_recipient")),
        (["gamma"], ["gamma"], ("subject_not",)),
    ],
)
def test_a_conflict_is_needed_only_where_it_is_not_that_the_body_is_the_subject(
    excluded: list[str], subjects: list[str], needed: tuple[str, ...]
) -> None:
    about = [{"kind": "provider", "org": name} for name in subjects]
    found = only(clause(when={"subject_not": excluded}), subjects=[*about, {"kind": "provider"}])
    assert found.needed == needed
    assert "subject_not" in found.failed


def test_a_prohibition_asks_no_body_whether_it_is_the_subject_so_its_conflict_stands_for_itself() -> None:
    no = clause(effect="FORBID", when={"subject_not": ["beta"]})
    found = only(no, subjects=[{"kind": "provider", "org": "beta"}])
    assert "subject_is_recipient" not in dict(found.gates)
    assert (found.failed, found.implied) == (("subject_not",), ())


@pytest.mark.parametrize(
    ("changes", "remits", "tells"),
    [
        ({}, ["harm"], True),
        ({}, ["theft"], False),
        ({"when": {"categories": ["theft"]}}, ["harm"], True),
        ({"mode": "feed"}, ["harm"], True),
        ({"mode": "record", "when": {"categories": ["theft"]}}, ["harm"], True),
        ({"mode": "invite"}, ["harm"], False),
        ({"effect": "REQUIRE"}, ["theft"], True),
        ({"effect": "REQUIRE", "mode": "invite"}, ["theft"], True),
    ],
)
def test_an_open_clause_tells_a_body_in_its_remit_or_by_duty_and_else_lets_it_be_chosen(
    changes: Row, remits: list[str], tells: bool
) -> None:
    (found,) = tried(world(org("beta", remit(*remits)), pact(clause(**changes))))
    assert found.would_tell is tells


def test_a_body_that_is_untold_is_explained_with_nearest_and_repair_and_one_that_is_told_without() -> None:
    shut, opened = (world(pact(clause(purposes=[purpose]))) for purpose in ("law", "regulatory-function"))
    untold, told = (why(snapshot, facts_of(CONCERN), "beta") for snapshot in (shut, opened))
    assert (untold.outcome.klass, untold.outcome.reason) == (Class.GAP, "PURPOSE_NOT_COVERED")
    assert untold.nearest is untold.trials[0]
    assert untold.repair is not None
    assert (untold.repair.because, untold.repair.gates) == (untold.trials[0].because, ("purpose",))
    assert untold.repair.would_be is Class.TOLD
    assert (told.outcome.klass, told.nearest, told.repair) == (Class.TOLD, None, None)
    assert len(told.trials) == 1


def test_the_nearest_clause_names_the_category_between_signatories_and_is_shut() -> None:
    unsigned, other_kind = trial(shut={"capacity": "NOT_SIGNED"}), trial(shut={"mode": "FEED_ONLY", **OTHER_KIND})
    assert nearest_of([unsigned, other_kind, trial()]) is None
    feed = trial("c2", {"mode": "FEED_ONLY"})
    assert nearest_of([unsigned, feed, other_kind, trial()]) is feed


def test_of_two_shut_clauses_the_nearest_is_the_further_then_by_reason_then_by_name() -> None:
    feed, scope = trial("c9", {"mode": "FEED_ONLY"}), trial("c1", ELSEWHERE)
    ended, suspended = trial("c9", {"in_force": "EXPIRED"}), trial("c1", {"in_force": "SUSPENDED"})
    again = trial("c2", {"in_force": "SUSPENDED"})
    assert cited(nearest_of([feed, scope])) == cited(nearest_of([scope, feed])) == "pact/c1"
    assert cited(nearest_of([ended, suspended])) == cited(nearest_of([suspended, ended])) == "pact/c1"
    assert cited(nearest_of([again, suspended])) == cited(nearest_of([suspended, again])) == "pact/c2"


def test_what_passes_waits_or_forbids_is_no_repair() -> None:
    passing, waiting = trial(), trial(shut=ELSEWHERE, ambiguous=True)
    forbidding = trial(shut=ELSEWHERE, effect="FORBID")
    assert smallest_repair([passing, waiting, forbidding]) is None
    duty = trial("c2", ELSEWHERE, effect="REQUIRE")
    assert cited(smallest_repair([passing, waiting, forbidding, duty])) == "pact/c2"


def test_a_repair_lets_a_body_be_told_or_be_chosen() -> None:
    telling, allowing = (smallest_repair([trial(shut=ELSEWHERE, would_tell=tells)]) for tells in (True, False))
    assert telling is not None
    assert allowing is not None
    assert (telling.would_be, allowing.would_be) == (Class.TOLD, Class.AVAILABLE)


FAR, FURTHER = {"nations": "SCOPE"}, {"purpose": "PURPOSE_NOT_COVERED"}


@pytest.mark.parametrize(
    ("smaller", "other"),
    [
        (trial("c9", FAR, would_tell=False), trial("c1", {**FAR, **FURTHER})),  # fewer gates before all
        (trial("c9", {**FAR, "remit": "NOT_IN_REMIT"}, implied=("remit",)), trial("c1", {**FAR, **FURTHER})),
        (trial("c9", FAR), trial("c1", FURTHER, would_tell=False)),  # then who tells
        (trial("c9", FURTHER), trial("c1", FAR)),  # then who came further
        (trial("c1", FAR), trial("c9", FAR, recipient="a")),  # then by name
        (trial("c1", FAR, recipient="a"), trial("c1", FAR, recipient="b")),  # and by the party that signed
    ],
)
def test_the_smaller_repair_is(smaller: Trial, other: Trial) -> None:
    for trials in ([smaller, other], [other, smaller]):
        found = smallest_repair(trials)
        assert found is not None
        assert (found.because, found.gates) == (smaller.because, smaller.needed)


UNSIGNED, CONFLICT = {"capacity": "NOT_SIGNED"}, {"subject_not": "CONFLICT_OF_INTEREST"}


@pytest.mark.parametrize(
    ("shut", "said"),
    [
        ([CONFLICT, FURTHER], "CONFLICT_OF_INTEREST"),
        ([CONFLICT, {**UNSIGNED, **OTHER_KIND}], "CONFLICT_OF_INTEREST"),
        ([{"in_force": "EXPIRED"}], "EXPIRED"),
        ([{"assumed": "ASSUMED_OFF"}], "ASSUMED_OFF"),
        ([{"mode": "FEED_ONLY"}, FAR], "SCOPE"),
        ([OTHER_KIND], "CATEGORY"),
        ([{"mode": "FEED_ONLY", **OTHER_KIND}], "CATEGORY"),
        ([UNSIGNED, OTHER_KIND], "CATEGORY"),
        ([UNSIGNED], "NOT_SIGNED"),
    ],
)
def test_the_reason_of_a_body_that_no_clause_tells_is(shut: list[dict[str, str]], said: str) -> None:
    trials = [trial(shut=gates) for gates in shut]
    assert reason(*trials) == reason(*trials, heard_from=True) == said
    assert reason(*trials, is_subject=True) == "SUBJECT_IS_RECIPIENT"


def test_without_a_clause_the_reason_is_the_direction_or_that_there_is_no_path() -> None:
    assert reason() == "NO_PATH"
    assert reason(heard_from=True) == "WRONG_DIRECTION"
    assert reason(is_subject=True) == "SUBJECT_IS_RECIPIENT"
