"""`concordat publish` reads what people write and knows when to stop waiting."""

from pathlib import Path
from typing import get_args

import click
import pytest

from deploy.cli.publish import SETTLED, is_settled, read_concerns
from services.intake.domain.model import Status


def test_only_statuses_of_intake_settle_a_concern() -> None:
    assert set(get_args(Status)) - SETTLED == {"accepted", "routed"}
    assert set(get_args(Status)) >= SETTLED


@pytest.mark.parametrize(("status", "told", "settled"), [
    ("accepted", [], False), ("routed", [{"org": "gmc"}], False), ("routed", [], True),
    ("delivered", [{"org": "gmc"}], True), ("undelivered", [{"org": "gmc"}], True), ("held", [], True),
])  # fmt: skip
def test_a_concern_is_settled_when_nothing_more_comes_by_itself(status: str, told: list[object], settled: bool) -> None:
    assert is_settled({"status": status, "told": told}) is settled


def test_days_and_moments_stay_what_was_written(tmp_path: Path) -> None:
    file = tmp_path / "concern.yaml"
    file.write_text("originator: cqc\nincident_date: 2025-03-10\nreceived_at: 2025-03-10T09:30:00Z\n")
    concern = read_concerns(file)[0]
    assert (concern["incident_date"], concern["received_at"]) == ("2025-03-10", "2025-03-10T09:30:00Z")


@pytest.mark.parametrize("text", ["{", "originator: a\noriginator: b\n", "just text", "[]"])
def test_a_file_without_a_concern_is_named(text: str, tmp_path: Path) -> None:
    file = tmp_path / "concern.yaml"
    file.write_text(text)
    with pytest.raises(click.ClickException, match=r"concern\.yaml"):
        read_concerns(file)
