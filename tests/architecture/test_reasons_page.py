"""The page of reasons is what the decision says, and each rule case that it names exists and is about that reason."""

import re

from shared.agreements.reasons import SENTENCES
from tests.architecture.reasons_page import PAGE, RULE_CASES, page
from tests.architecture.sources import ROOT


def test_the_page_of_reasons_is_made_of_the_reasons() -> None:
    assert PAGE.read_text() == page(), "run `python -m tests.architecture.reasons_page`"


def test_every_reason_has_its_sentence_and_one_example() -> None:
    parts = PAGE.read_text().split("\n## ")[1:]
    assert [part.splitlines()[0] for part in parts] == list(SENTENCES)
    for part in parts:
        code, sentence = part.splitlines()[:2]
        assert (sentence, part.count("Example: ")) == (SENTENCES[code], 1)


def test_every_rule_case_of_the_page_exists_and_names_its_reason() -> None:
    for code, (test, _) in RULE_CASES.items():
        file, _, name = test.partition("::")
        text = (ROOT / file).read_text()
        assert f"def {name}(" in text, test
        assert re.search(rf"\b{code}\b", text), test
