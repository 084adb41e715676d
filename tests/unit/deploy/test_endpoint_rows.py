"""The bench's rows about endpoints: what is compared with what, and that what was not delivered is never hidden."""

from pathlib import Path

import pytest

from deploy.bench.endpoints import HANGING, HEALTHY, HealthyTraffic, _beside, _cases, _drained, _Lines
from deploy.bench.rates import RateResult
from deploy.bench.rows import in_columns


def result(p95_ms: float, *, received: int = 100) -> RateResult:
    return RateResult(
        rate_per_second=100,
        accept_ms={"p95": 1.0},
        receipt_ms={"p95": p95_ms},
        counts={"offered": 100, "accepted": 100, "expected": 100, "received": received, "repeats": 0},
        drain_seconds=0,
        statements_per_notice=1,
        cpu_ms_per_concern={},
        memory_mb={},
    )


@pytest.mark.parametrize(("with_one_hanging_ms", "within"), [(13.2, True), (13.3, False)])
def test_the_healthy_ones_are_held_against_themselves_before_and_after_one_of_them_hung(
    with_one_hanging_ms: float, within: bool
) -> None:
    rows = {row.name: row for row in _beside(result(10.0), result(with_one_hanging_ms), result(12.0))}
    assert rows["one hangs: p95 against without"].within is within


def test_a_healthy_one_that_missed_a_notice_is_a_row_that_is_not_within() -> None:
    rows = {row.name: row for row in _beside(result(10.0), result(10.0, received=99), result(10.0))}
    assert rows["one hangs: lost or doubled"].within is False
    assert rows["all healthy: lost or doubled"].within is True


def test_a_drain_counts_deliveries_by_the_second_and_the_cpu_of_each_part() -> None:
    rows = {row.name: row for row in _drained(50_000, 20.0, {"notifier": 0.4, "postgres": 0.3})}
    assert (rows["drain: deliveries"].value, rows["drain: deliveries"].within) == (2_500, False)
    assert rows["drain: CPU per delivery"].value == pytest.approx(0.7)
    assert next(_drained(50_000, 16.0, {})).value == 50_000
    assert {row.name: row.within for row in _drained(50_000, 16.0, {})}["drain: deliveries"] is True


def test_one_fifth_of_the_bodies_hangs_and_is_counted_nowhere() -> None:
    told = {org for case in _cases() for org in case.told}
    assert told == {*HEALTHY, HANGING}
    traffic = HealthyTraffic(_cases(), "run")
    drawn = [traffic.next(number)[0] for number in range(2 * len(_cases()))]
    assert {org for case in drawn for org in case.told} == set(HEALTHY)


def test_lines_are_counted_as_they_come_and_those_of_before_are_not(tmp_path: Path) -> None:
    first, second = tmp_path / "1", tmp_path / "2"
    first.write_text("before\n")
    lines = _Lines([first, second])
    assert lines.read() == 0
    second.write_text("one\ntwo\nhal")
    assert lines.read() == 2
    with second.open("a") as file:
        file.write("f\n")
    assert lines.read() == 3


def test_no_line_is_wider_than_eighty_columns() -> None:
    slow = result(12_000.0)
    rows = [*_beside(result(1_000.0), slow, slow), *_drained(50_000, 16.0, {"notifier": 0.4, "postgres": 0.3})]
    assert max(map(len, in_columns(rows))) <= 80
