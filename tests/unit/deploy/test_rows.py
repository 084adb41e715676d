"""The benchmark's figures: for machines in one form, for people within eighty columns."""

import json
import os

from deploy.bench.memory import proportional_bytes
from deploy.bench.rates import RateResult
from deploy.bench.rows import Row, cost_rows, in_columns, rate_rows, ready_row, sustained_row

CPU = {"intake": 0.3, "kafka": 0.1, "notifier": 0.2, "postgres": 0.4, "registry": 0.0, "router": 0.1}
RESULT = RateResult(
    rate_per_second=1000.0,
    accept_ms={"p50": 2.0, "p95": 9.0, "p99": 12.0},
    receipt_ms={"p50": 20.0, "p95": 130.0, "p99": 12345.678},
    counts={"offered": 100, "accepted": 100, "expected": 200, "received": 200, "repeats": 0},
    drain_seconds=0.5,
    statements_per_notice=1.5,
    cpu_ms_per_concern=CPU,
    memory_mb=dict.fromkeys(CPU, 120.0),
)
ROWS = [ready_row(9.0), *rate_rows(RESULT), sustained_row([RESULT]), *cost_rows(RESULT)]


def named(name: str) -> Row:
    return next(row for row in ROWS if row.name == name)


def test_each_row_has_the_five_keys_and_is_json_even_without_a_figure() -> None:
    for row in [*ROWS, Row("none", float("nan"), "ms")]:
        assert list(row.to_json()) == ["name", "value", "unit", "budget", "within"]
        json.dumps(row.to_json(), allow_nan=False)


def test_names_are_unique() -> None:
    assert len({row.name for row in ROWS}) == len(ROWS)


def test_no_line_is_wider_than_eighty_columns() -> None:
    assert max(map(len, in_columns(ROWS))) <= 80


def test_a_figure_beyond_its_budget_is_said_to_be() -> None:
    assert named("1000/s to receipt, p95").within is False
    assert named("sustained, backlog steady").within is False
    assert named("1000/s SQL per notice").within is True


def test_cpu_of_a_notice_stands_beside_that_of_a_concern() -> None:
    assert named("1000/s CPU per notice").value * 2 == named("1000/s CPU per concern").value
    assert named("1000/s CPU per notice, kafka").value == 0.05


def test_the_engines_have_memory_rows_without_a_budget() -> None:
    assert named("1000/s memory, kafka").budget is None
    assert named("1000/s memory, postgres").value == 120.0
    assert named("1000/s memory, intake").budget == 250


def test_the_proportional_share_of_this_process_is_some_memory() -> None:
    assert proportional_bytes(os.getpid()) > 2**20
