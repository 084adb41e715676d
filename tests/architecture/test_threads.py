"""The page of threads that cannot happen here names tests that exist."""

import re

from tests.architecture.sources import ROOT

PAGE = ROOT / "docs" / "reference" / "threads-that-cannot-happen-here.md"
NAMED = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")


def test_every_test_of_the_page_exists() -> None:
    named = NAMED.findall(PAGE.read_text())
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (ROOT / file).exists() or f"def {name}(" not in (ROOT / file).read_text()
    ]
    assert len(named) > 25
    assert missing == []


def test_every_theme_of_the_page_has_a_test() -> None:
    themes = PAGE.read_text().split("\n## ")[1:]
    assert [theme.splitlines()[0] for theme in themes if not NAMED.search(theme)] == []
