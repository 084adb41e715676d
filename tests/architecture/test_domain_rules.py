"""The page of domain rules: each names data and a test that exist."""

import re

from tests.architecture.sources import ROOT

PAGE = ROOT / "docs" / "reference" / "domain-rules.md"
ROW = re.compile(r"^\| (?!Rule |---)(.+?) \| (.+?) \| `(tests/[\w/]+\.py)::(test_\w+)` \|$", re.MULTILINE)
DATA = re.compile(r"`((?:services|shared)/[\w./-]+)`")
ROWS_MIN = 25


def test_every_rule_names_a_test_that_exists() -> None:
    rows = ROW.findall(PAGE.read_text())
    missing = [
        rule
        for rule, _, file, name in rows
        if not (ROOT / file).exists() or f"def {name}(" not in (ROOT / file).read_text()
    ]
    assert len(rows) >= ROWS_MIN
    assert missing == []


def test_every_rule_stands_as_data_that_exists_or_says_that_it_is_code() -> None:
    odd = [
        rule
        for rule, data, _, _ in ROW.findall(PAGE.read_text())
        if not data.startswith("none: ") and not all((ROOT / path).exists() for path in DATA.findall(data) or ["none"])
    ]
    assert odd == []


def test_no_row_is_written_so_that_it_is_not_looked_at() -> None:
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ") and not line.startswith("| Rule ")]
    assert len(lines) == len(ROW.findall(PAGE.read_text()))
