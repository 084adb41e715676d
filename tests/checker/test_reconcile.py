"""The equation as a pure function: what adds up, what does not, and which repeats are explained."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.checker.duplicates import IN_FLIGHT_MAX, UNWRITABLE_SECONDS, WINDOW_SECONDS
from tests.checker.model import (
    OK,
    REFUSED,
    UNKNOWN,
    VALID,
    Answer,
    Attempt,
    Concern,
    Evidence,
    Fault,
    Notice,
    Receipt,
    Submit,
)
from tests.checker.reconcile import Verdict, reconcile
from tests.checker.report import equation

AT = 1_000.0
DIGEST = "d"
KILL = Fault(1, "kill-notifier", AT + 1, AT + 1.1, AT + 3)
numbers = st.integers(1, 6)


def submit(number: int) -> Submit:
    return Submit(1, f"key-{number}", "cqc", frozenset({"gmc"}), VALID, f"says {number}", AT)


def answer(number: int, outcome: str = OK) -> Answer:
    return Answer(f"key-{number}", AT, AT + 0.1, outcome, 202 if outcome == OK else 0, f"con_{number}")


def notice(number: int) -> Notice:
    return Notice(f"ntc_{number}", f"con_{number}", "gmc", "tell", 1, "delivered", DIGEST)


def receipt(number: int, *, at: float = AT + 0.5, answered: str = "204") -> Receipt:
    named = (f"ntc_{number}", f"ntc_{number}", f"con_{number}", f"key-{number}", f"says {number}")
    return Receipt("gmc", *named, "gmc", DIGEST, "", at, answered, stamp=int(at))


def whole(count: int) -> Evidence:
    """So many concerns, each accepted, stored, owed and received once."""
    each = range(count)
    return Evidence(
        submits=[submit(n) for n in each],
        answers=[answer(n) for n in each],
        receipts=[receipt(n) for n in each],
        concerns=[Concern(f"con_{n}", f"key-{n}", "cqc") for n in each],
        notices=[notice(n) for n in each],
    )


def names(verdict: Verdict) -> set[str]:
    return {difference.name for difference in verdict.differences}


@given(numbers)
def test_what_was_received_once_adds_up(count: int) -> None:
    verdict = reconcile(whole(count))
    assert names(verdict) == set()
    assert (verdict.counts.accepted, verdict.counts.received) == (count, count)
    assert [line.partition(" = ")[2][0] for line in equation(verdict.counts)] == ["0", "0"]


@given(numbers, st.data(), st.sampled_from(["answers", "receipts", "concerns", "notices"]))
def test_nothing_can_be_taken_away_unseen(count: int, data: st.DataObject, part: str) -> None:
    rows = list(getattr(whole(count), part))
    rows.pop(data.draw(st.integers(0, count - 1)))
    verdict = reconcile(replace(whole(count), **{part: rows}))  # type: ignore[arg-type]  # a part by its name
    unseen = {"answers"}  # without an answer the outcome is unknown, and it may have been stored
    assert bool(names(verdict)) is (part not in unseen)


@given(numbers, st.data())
def test_no_repeat_goes_unexplained_without_a_fault(count: int, data: st.DataObject) -> None:
    number = data.draw(st.integers(0, count - 1))
    again = receipt(number, at=AT + data.draw(st.floats(1, 100)))
    made = whole(count)
    assert names(reconcile(replace(made, receipts=[*made.receipts, again]))) == {"unexplained duplicate"}


@given(st.floats(WINDOW_SECONDS + 0.1, 60))
def test_the_last_that_a_body_got_before_a_kill_were_under_way_however_long_before(early_seconds: float) -> None:
    count = IN_FLIGHT_MAX + 1
    made = whole(count)
    first = [receipt(n, at=KILL.at - early_seconds + n / 1_000) for n in range(count)]
    again = [receipt(n, at=KILL.at + 9) for n in range(count)]
    verdict = reconcile(replace(made, receipts=[*first, *again], faults=[KILL]))
    assert {one.webhook_id for one in verdict.explained} == {f"ntc_{n}" for n in range(1, count)}
    assert [one.about for one in verdict.differences] == ["ntc_0"]


@given(st.floats(AT - 60, AT + 60))
def test_a_kill_explains_a_repeat_of_what_was_under_way_alone(came_at: float) -> None:
    others = [receipt(n, at=KILL.at - 0.01) for n in range(1, IN_FLIGHT_MAX + 1)]
    repeats = [receipt(0, at=came_at), receipt(0, at=AT + 100), *others]
    made = whole(IN_FLIGHT_MAX + 1)
    verdict = reconcile(replace(made, receipts=repeats, faults=[KILL], attempts={"ntc_0": [success(AT + 100)]}))
    under_way = KILL.at - WINDOW_SECONDS <= came_at and int(came_at) <= KILL.gone_at
    assert len(verdict.explained) == under_way
    assert names(verdict) == (set() if under_way else {"unexplained duplicate"})


def success(at: float) -> Attempt:
    return Attempt(at - 0.01, 0.02, 204)


@given(st.floats(-WINDOW_SECONDS, 0), st.booleans())
def test_a_kill_excuses_nothing_whose_success_was_written_down(early_seconds: float, twice: bool) -> None:
    first, second = KILL.at + early_seconds, KILL.at + 5
    repeats = [receipt(0, at=first), receipt(0, at=second)]
    written = [success(first), *([success(second)] if twice else [])]
    verdict = reconcile(replace(whole(1), receipts=repeats, faults=[KILL], attempts={"ntc_0": written}))
    assert names(verdict) == {"unexplained duplicate"}


@given(st.floats(KILL.gone_at, AT + 60))
def test_who_was_killed_signs_nothing_afterwards_however_late_it_comes(came_at: float) -> None:
    """What it had signed before may be long on its way."""
    rows = [receipt(0, at=came_at), receipt(0, at=AT + 100)]
    for stamp, explained in ((int(KILL.gone_at), 1), (int(KILL.gone_at) + 1, 0)):
        repeats = [replace(rows[0], stamp=stamp), rows[1]]
        assert len(reconcile(replace(whole(1), receipts=repeats, faults=[KILL])).explained) == explained


@given(st.floats(0, 60))
def test_who_cannot_write_goes_on_for_a_moment_with_what_it_holds(late_seconds: float) -> None:
    fault = replace(KILL, name="kill-postgres")
    repeats = [receipt(0, at=fault.gone_at + late_seconds), receipt(0, at=AT + 100)]
    found = reconcile(replace(whole(1), receipts=repeats, faults=[fault])).explained
    assert len(found) == (repeats[0].received_at <= fault.gone_at + UNWRITABLE_SECONDS)


def test_the_end_of_who_sends_nothing_explains_nothing() -> None:
    repeats = [receipt(0, at=KILL.at), receipt(0, at=KILL.at + 5)]
    for name in ("kill-router", "kill-intake", "kill-kafka"):
        faults = [replace(KILL, name=name)]
        assert names(reconcile(replace(whole(1), receipts=repeats, faults=faults))) == {"unexplained duplicate"}


def test_what_the_receiver_did_not_take_may_come_again() -> None:
    repeats = [receipt(0, answered="503"), receipt(0, at=AT + 9)]
    verdict = reconcile(replace(whole(1), receipts=repeats))
    assert names(verdict) == set()
    assert len(verdict.explained) == 1


def test_what_comes_after_its_run_was_at_rest_is_a_difference() -> None:
    made = whole(1)
    verdict = reconcile(replace(made, receipts=[*made.receipts, receipt(7)], closed=frozenset({"con_7"})))
    assert names(verdict) == {"late receipt"}


def test_what_others_send_to_the_system_is_no_part_of_the_equation() -> None:
    made = whole(1)
    other = replace(made, receipts=[*made.receipts, receipt(7)])
    assert names(reconcile(other)) == {"received and not owed"}
    assert names(reconcile(replace(other, foreign=frozenset({"con_7"})))) == set()


@given(st.lists(st.sampled_from([OK, UNKNOWN]), min_size=1, max_size=5))
def test_an_unknown_outcome_may_have_been_stored_and_an_accepted_one_must(outcomes: list[str]) -> None:
    answers = [replace(answer(0, outcome), replayed=True) for outcome in outcomes]
    nothing = Evidence(submits=[submit(0)], answers=answers, receipts=[])
    assert ("accepted and lost" in names(reconcile(nothing))) is (OK in outcomes)


def test_a_refusal_after_an_unknown_outcome_refuses() -> None:
    answers = [answer(0, UNKNOWN), answer(0, REFUSED)]
    stored = replace(whole(1), answers=answers)
    assert {"refused and stored", "a right concern refused"} <= names(reconcile(stored))
