"""`python -m tests.architecture.reasons_page`: write docs/reference/reasons.md anew, with worked cases."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.registry.adapters.seed_files import SEED_DIR, read_objects, read_yaml
from shared.agreements import Class, Snapshot, assuming, decide, facts_of, load
from shared.agreements.reasons import SENTENCES
from tests.architecture.sources import ROOT

PAGE = ROOT / "docs" / "reference" / "reasons.md"
SCENARIOS = ROOT / "deploy" / "demo" / "scenarios.yaml"
HEAD = """# Reasons

Every decision says of each organisation why it is told or not, with one of these codes and its sentence; so does
`concordat explain`. This page is made from [the sentences](../../shared/agreements/reasons.py) and from decisions of
worked cases (`python -m tests.architecture.reasons_page`), and a test holds it equal to both.

Examples with a letter and a number are [cases of the demo](../../deploy/demo/scenarios.yaml); those with the name of an
agreement are its own examples in the [seed](../../services/registry/seed). The others are rule cases on a graph in
which `alpha` may tell `beta` under one pact, named by their test.
"""
RULE_CASES = {
    "ORIGINATOR": (
        "tests/rules/test_edges.py::test_a_hold_of_the_whole_concern_names_itself_as_the_reason_of_every_body",
        "`alpha` raised the concern: it is the one body that no hold and no clause is about.",
    ),
    "SUPERSEDED": (
        "tests/rules/test_gates.py::test_a_later_version_supersedes",
        "a later pact took the place of the one that let `beta` be told, and does not cover harm.",
    ),
    "SUSPENDED": (
        "tests/rules/test_gates.py::test_a_suspended_agreement_tells_nobody_until_it_is_resumed",
        "`beta` would be told of harm, but the pact was suspended on the day.",
    ),
    "TERMINATED": (
        "tests/rules/test_gates.py::test_a_terminated_agreement_says_that_a_party_ended_it",
        "`beta` would be told of harm, but a party had ended the pact.",
    ),
    "SENSITIVITY": (
        "tests/rules/test_gates.py::test_a_clause_has_its_own_ceiling",
        "the concern holds personal data, which the clause does not let go to `beta`.",
    ),
    "INSTRUMENT_INSUFFICIENT": (
        "tests/rules/test_gates.py::test_an_instrument_between_public_bodies_carries_what_its_kind_can",
        "the concern holds data about a child, and the pact is a memorandum, which may not carry it to `beta`.",
    ),
    "ONWARD_NOT_PERMITTED": (
        "tests/rules/test_gates.py::test_what_came_under_a_lock_goes_no_further",
        "`alpha` was given it under a lock, so it goes no further to `beta`.",
    ),
    "SUBJECT_IS_RECIPIENT": (
        "tests/rules/test_gates.py::test_the_subject_is_never_told_about_itself",
        "the concern is about `beta`, so `beta` is not told of it.",
    ),
    "CONFLICT_OF_INTEREST": (
        "tests/rules/test_leads_and_holds.py::test_under_a_hold_a_clause_that_excludes_a_body_by_conflict_says_so",
        "the clause leaves out concerns about `alpha`, and this is one: a person decides on `beta`.",
    ),
    "HOLD_CONFLICT": (
        "tests/rules/test_leads_and_holds.py::test_a_concern_about_its_own_originator_is_held",
        "`alpha` raised a concern about `alpha`: nobody is told before a person decided.",
    ),
    "HOLD_UNKNOWN_TERM": (
        "tests/rules/test_leads_and_holds.py::test_an_unknown_category_holds",
        (
            "the category is not in the vocabulary, as after a slip of the pen: nobody is told yet. Markings that the "
            "policy says cannot stand together (`contradictions` in `policy.yaml`) are held so, too: "
            "`tests/rules/test_leads_and_holds.py::test_markings_that_contradict_each_other_hold`."
        ),
    ),
    "HOLD_STALE_GRAPH": (
        "tests/unit/router/test_rounds.py::test_a_concern_that_asks_for_a_newer_graph_is_held_and_decided_once_it_is_there",
        "the concern names a version of the graph that the router has not got; it is decided when that is there.",
    ),
    "HOLD_FAULT": (
        "tests/unit/router/test_routing.py::test_a_concern_that_cannot_be_evaluated_is_held_and_its_neighbours_are_told",
        "the evaluation of one concern failed: it is held, and those beside it are told.",
    ),
    "EMERGENCY": (
        "tests/unit/router/test_emergency.py::test_who_should_know_is_told_by_a_pointer_and_a_review_is_due",
        "`gamma` should know of theft and has no agreement; two people told it so much that there is something.",
    ),
    "CHOSEN": (
        "tests/unit/router/test_choosing.py::test_an_available_body_is_told_when_it_is_chosen",
        "`beta` was available, and a named person of the originator chose it.",
    ),
}
"""Where no worked case of the demo or the seed has the reason: the test that shows it, and what it is about."""
_SHOWN = {
    Class.TOLD: "is told by",
    Class.AVAILABLE: "may be told, by choice, under",
    Class.GAP: "should know and is not told",
    Class.HELD: "is held until a person decides, under",
    Class.WITHHELD: "is not told",
    Class.NO_PATH: "is not told",
    Class.ORIGINATOR: "raised it",
}


@dataclass(frozen=True, slots=True)
class Worked:
    """A worked case: its name, what it is about, and its concern."""

    name: str
    title: str
    concern: Mapping[str, Any]
    assumed: bool = False


def page() -> str:
    """The whole page."""
    examples = _examples()
    parts = [f"## {code}\n{text}\n\nExample: {examples[code]}\n" for code, text in SENTENCES.items()]
    return "\n".join([HEAD, *parts])


def _examples() -> Mapping[str, str]:
    """One example for each reason: the first of the demo, else of the seed, else the rule case."""
    shown = {code: f"`{test}`: {words}" for code, (test, words) in RULE_CASES.items()}
    rows = read_objects(SEED_DIR)
    graph = load(rows)
    found: dict[str, str] = {}
    for case in (*_of_demo(), *_of_seed(rows)):
        under = Snapshot(assuming(graph, on=case.assumed), version=0, root="")
        decision = decide(under, facts_of(case.concern))
        for row in sorted(decision.outcomes, key=lambda row: (not row.nearest, row.org)):
            found.setdefault(row.reason, f"{_named(case)}: `{row.org}` {_SHOWN[row.klass]}{_by(row)}.")
    return {**found, **shown}


def _named(case: Worked) -> str:
    sent = f"`{case.concern['originator']}` raises {', '.join(case.concern['categories'])}"
    return f'{case.name}, "{case.title}" ({sent})'


def _by(row: Any) -> str:
    if row.because:
        return " " + ", ".join(sorted({f"`{one.agreement}/{one.clause}`" for one in row.because}))
    return f"; the nearest clause is `{row.nearest}`" if row.nearest else ""


def _of_demo() -> Iterator[Worked]:
    for scenario in read_yaml(SCENARIOS)["scenarios"]:
        for case in scenario["cases"]:
            yield Worked(
                f"{scenario['id']} {case['case']}", scenario["title"], case["concern"], case["assumed_clauses"]
            )


def _of_seed(rows: Iterable[Mapping[str, Any]]) -> Iterator[Worked]:
    for row in rows:
        for example in row.get("examples", ()):
            yield Worked(f"`{row['id']}`", example["name"], example["concern"])


if __name__ == "__main__":
    PAGE.write_text(page())
    sys.stdout.write(f"{PAGE.relative_to(ROOT)}: {len(SENTENCES)} reasons\n")
