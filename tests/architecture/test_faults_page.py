"""The page of faults: each has a test that exists, or says that it is not here yet."""

import re

from tests.architecture.sources import ROOT

PAGE = ROOT / "docs" / "reference" / "faults.md"
KILLS = "\n## Random kills"
ROW = re.compile(r"^\| (?!Fault |---)(.+?) \| (.+?) \| (.*?)\|$", re.MULTILINE)
NAMED = re.compile(r"`([EIUCK])/([\w/]+\.py)::(test_\w+)`")
FOLDERS = {"E": "e2e", "I": "integration", "U": "unit", "C": "conformance", "K": "checker"}
ROWS_MIN, NOT_YET_MAX = 50, 0


def rows() -> list[tuple[str, str, str]]:
    """The faults, with their tests and what was seen."""
    return ROW.findall(PAGE.read_text().partition(KILLS)[0])


def test_every_test_of_the_page_exists() -> None:
    named = {(f"tests/{FOLDERS[part]}/{file}", name) for part, file, name in NAMED.findall(PAGE.read_text())}
    missing = [
        f"{file}::{name}"
        for file, name in sorted(named)
        if not (ROOT / file).exists() or f"def {name}(" not in (ROOT / file).read_text()
    ]
    assert len(named) > ROWS_MIN
    assert missing == []


def test_every_fault_has_a_test_or_says_that_it_is_not_here_yet() -> None:
    without = [fault for fault, tests, _ in rows() if not NAMED.search(tests)]
    assert len(rows()) >= ROWS_MIN
    assert without == [fault for fault, tests, _ in rows() if tests == "not here yet"]
    assert len(without) <= NOT_YET_MAX


def test_every_test_of_a_row_is_written_so_that_it_is_looked_for() -> None:
    odd = [fault for fault, tests, _ in rows() if "::" in tests and len(NAMED.findall(tests)) != tests.count("::")]
    assert odd == []
