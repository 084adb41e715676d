"""The page of delivery rules has every rule once, and each has a test that exists or says why it is not in force."""

import re
from itertools import chain

from tests.architecture.sources import ROOT

PAGE = ROOT / "docs" / "reference" / "delivery-rules.md"
COUNTS = {"W": 23, "C": 13, "H": 7, "K": 4, "X": 1}
SHORT = {"U/": "tests/unit/notifier/", "I/": "tests/integration/notifier/"}
ROW = re.compile(r"^\| ([WCHKX]\d+) \| (.+) \| (.+) \|$", re.MULTILINE)
NAMED = re.compile(r"`([\w/]+\.py)::(test_\w+)`")


def _file(named: str) -> str:
    return SHORT[named[:2]] + named[2:] if named[:2] in SHORT else named


def test_every_rule_is_there_once_in_order() -> None:
    wanted = chain.from_iterable([f"{part}{n}" for n in range(1, count + 1)] for part, count in COUNTS.items())
    assert [rule for rule, _, _ in ROW.findall(PAGE.read_text())] == list(wanted)


def test_every_rule_has_a_test_or_says_that_it_is_not_in_force() -> None:
    without = [rule for rule, _, held in ROW.findall(PAGE.read_text()) if not NAMED.search(held)]
    assert without == ["H2", "K1"]
    assert [rule for rule, _, held in ROW.findall(PAGE.read_text()) if "not in force" in held] == [
        "C12", "H1", "H2", "K1", "K3",
    ]  # fmt: skip


def test_every_test_of_the_page_exists() -> None:
    named = [(_file(file), name) for file, name in NAMED.findall(PAGE.read_text())]
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (ROOT / file).exists() or f"def {name}(" not in (ROOT / file).read_text()
    ]
    assert len(set(named)) > 50
    assert missing == []
