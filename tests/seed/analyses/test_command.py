"""`concordat graph check --analyses` and `concordat graph report`."""

import json
from pathlib import Path

from click.testing import CliRunner, Result

from deploy.cli.graph import graph
from services.registry.adapters.seed_files import SEED_DIR

REPORTS = Path(__file__).parents[3] / "docs" / "reports"


def run(*arguments: str) -> Result:
    return CliRunner().invoke(graph, list(arguments))


def test_a_graph_is_shown_with_what_it_shows_and_findings_are_no_problem_of_the_files() -> None:
    result = run("check", str(SEED_DIR), "--analyses", "--as-of", "2025-11-12")
    assert result.exit_code == 0
    assert "error: bar-phso-s15 forbids what mou-cqc-phso/c3 permits." in result.output
    assert "counted by originator" in result.output


def test_findings_as_json_carry_their_concerns() -> None:
    result = run("check", str(SEED_DIR), "--analyses", "--as-of", "2025-11-12", "--json")
    rows = json.loads(result.output)["folders"][0]["analyses"]
    assert {row["analysis"] for row in rows} == {"coverage", "conflicts", "reviews"}
    assert all(row["evidence"]["concern"]["received_at"] == "2025-11-12T12:00:00Z" for row in rows)


def test_a_folder_that_is_no_graph_shows_its_problems_and_nothing_else(tmp_path: Path) -> None:
    result = run("check", str(tmp_path), "--analyses")
    assert (result.exit_code, "counted by originator" in result.output) == (1, False)


def test_the_report_is_written_with_its_picture(tmp_path: Path) -> None:
    result = run("report", "recommendation-153", "--output", str(tmp_path / "new"))
    assert result.exit_code == 0, result.output
    for name in ("recommendation-153.md", "recommendation-153.svg"):
        assert (tmp_path / "new" / name).read_bytes() == (REPORTS / name).read_bytes()


def test_the_report_on_another_day_is_about_that_day(tmp_path: Path) -> None:
    run("report", "recommendation-153", "--as-of", "2014-01-01", "--output", str(tmp_path))
    page = (tmp_path / "recommendation-153.md").read_text(encoding="utf-8")
    assert "As of 1 January 2014." in page
    assert "Health Education England acts for Postgraduate medical deaneries" in page


def test_a_report_of_what_is_no_graph_says_what_to_do(tmp_path: Path) -> None:
    result = run("report", "recommendation-153", "--graph", str(tmp_path), "--output", str(tmp_path))
    assert result.exit_code == 2
    assert "concordat graph check" in result.output
