"""What the demo prints is whole at every width, and plain where nobody looks at a terminal."""

import io
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from deploy.demo.cases import Case
from deploy.demo.report import (
    REASON_WIDTH,
    SHORT_REASONS,
    Line,
    Told,
    show,
    show_legend,
    show_records,
    show_summary,
    summary,
)
from shared.agreements.reasons import SENTENCES

BECAUSE = [{"agreement": f"an-agreement-with-a-long-name-{n}", "clause": "c1"} for n in range(5)]
DECISION: dict[str, Any] = {
    "told": [
        {"org": "gmc", "reason": "PERMITTED", "because": BECAUSE, "fields": {}},
        {"org": "cqc", "reason": "REQUIRED", "because": BECAUSE[:1], "fields": {}},
    ],
    "available": [{"org": "most-recommended-care", "reason": "AVAILABLE", "because": BECAUSE[:1]}],
    "not_told": {
        "gap": {"EXPIRED": ["ngo"], "NO_PATH": [f"body-{n}" for n in range(9)]},
        "withheld": {"CATEGORY": ["nmc", "hse"]},
        "held": {"HOLD_SUCCESSION_AMBIGUOUS": ["hee"]},
    },
    "hold": ["HOLD_UNKNOWN_TERM"],
    "unroutable": True,
    "lead": None,
    "totals": {"told": 2, "available": 1, "gap": 10, "held": 1, "withheld": 2},
}
EXPECTED = {"told": [], "not_told": [{"org": "nmc"}]}
TITLE = "A title that goes on for longer than a terminal of eighty columns has room for, and then some"
CASE = Case("T1a", TITLE, assumed=False, concern={"originator": "most-recommended-care"}, expected=EXPECTED)
TOLD = Told(
    CASE, f"con_{'1' * 32}", DECISION, {"gmc": 90.4, "cqc": 110.0}, ["hse was not to be told and received a notice"]
)
RECORD = {"at": "2026-01-02T03:04:05.678901Z", "kind": "decision", "actor": "router", "body": {"digest": "ab" * 32}}


def printed(width: int) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width)
    show_legend(console)
    show(console, TOLD)
    show_records(console, [{**RECORD, "fact_id": "fct_1"}])
    show_summary(console, summary([TOLD]))
    return out.getvalue()


@given(st.integers(80, 140))
def test_no_line_is_wider_than_the_terminal_and_nothing_is_cut(width: int) -> None:
    text = printed(width)
    assert max(map(len, text.splitlines())) <= width
    words = " ".join(text.split())
    assert TITLE in words
    assert all(f"{row['agreement']}/{row['clause']}" in words for row in BECAUSE)
    assert TOLD.faults[0] in words


def test_without_a_terminal_there_is_no_colour() -> None:
    assert "\x1b" not in printed(100)


def test_each_body_has_one_line_where_there_is_room() -> None:
    assert [line for line in printed(100).splitlines() if " cqc " in line] == [
        "  ✓ cqc                     110 ms  must be told              an-agreement-with-a-long-name-0/c1"
    ]


def test_a_body_of_which_nothing_was_heard_is_not_shown_as_fast() -> None:
    silent = Told(CASE, "con_1", DECISION, {}, [])
    out = io.StringIO()
    show(Console(file=out, width=100), silent)
    assert "nothing" in next(line for line in out.getvalue().splitlines() if " gmc " in line)


def test_what_came_in_an_earlier_run_is_said_to_have_come_earlier() -> None:
    told = Told(CASE, "con_1", DECISION, {"gmc": None, "cqc": None}, [])
    out = io.StringIO()
    show(Console(file=out, width=100), told)
    assert out.getvalue().count("earlier") == 2
    assert summary([told])["received"] == 2


def test_gaps_that_are_not_listed_are_counted() -> None:
    assert "9 gaps in all because of: no agreement joins them" in printed(100)


def test_the_summary_counts_bodies_and_milliseconds() -> None:
    found = summary([TOLD, TOLD])
    assert (found["told"], found["available"], found["gap"], found["held"], found["unroutable"]) == (4, 2, 20, 2, 2)
    assert found["receipt_ms_median"] == pytest.approx(100.2)
    assert (found["receipt_ms_p95"], found["differences"]) == (110, 2)


def test_every_reason_has_short_words_that_fit() -> None:
    assert SHORT_REASONS.keys() == SENTENCES.keys()
    assert max(map(len, SHORT_REASONS.values())) <= REASON_WIDTH
    assert "forbidden" in Line("not told", "gmc", "FORBIDDEN").text(80)


def test_a_machine_gets_the_whole_decision() -> None:
    found = json.loads(json.dumps(TOLD.to_json()))
    assert found["told"][0] == {**DECISION["told"][0], "ms": 90.4}
    assert found["not_told"] == DECISION["not_told"]


def test_a_run_in_which_nothing_was_received_has_figures_all_the_same() -> None:
    figures = summary([Told(CASE, "con_1", DECISION, {}, [])])
    json.dumps(figures, allow_nan=False)
    out = io.StringIO()
    show_summary(Console(file=out, width=80), figures)
    assert "nothing was received" in out.getvalue()
