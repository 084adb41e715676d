"""The page on recommendation 153: what is committed is what the graph gives, and it can be read without colours."""

import re
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest

from deploy.reports.matrix import INK, KINDS
from deploy.reports.recommendation_153 import NAME, Report, report, state_of_knowledge
from services.registry.domain.analyses.coverage import gap_finding
from services.registry.domain.analyses.recommendation import answer
from services.registry.domain.analyses.standing import Standings
from services.registry.domain.analyses.times import days_between, since
from shared.agreements import Snapshot
from tests.unit.agreements.seeds import seed_graph

FOLDER = Path(__file__).parents[3] / "docs" / "reports"
SVG = "{http://www.w3.org/2000/svg}"


@cache
def made() -> Report:
    graph = seed_graph()
    return report(graph, state_of_knowledge(graph))


@cache
def standings() -> Standings:
    graph = seed_graph()
    return Standings(Snapshot(graph, version=0, root=""), state_of_knowledge(graph))


@pytest.mark.parametrize("suffix", [".md", ".svg"])
def test_the_committed_page_is_what_the_graph_gives(suffix: str) -> None:
    text = made().markdown if suffix == ".md" else made().svg
    stale = f"make it anew with `concordat graph report {NAME}`"
    assert (FOLDER / f"{NAME}{suffix}").read_text(encoding="utf-8") == text, stale


def test_the_answer_comes_first_in_five_sentences() -> None:
    before, _, rest = made().markdown.partition("## The answer\n\n")
    paragraph = rest.split("\n", 1)[0]
    assert "##" not in before
    assert len(re.findall(r"[.](?: |$)", paragraph)) == 5


def test_the_picture_has_a_title_a_description_and_a_table_with_the_same_words() -> None:
    root = ElementTree.fromstring(made().svg)  # noqa: S314 - our own picture
    named = root.attrib["aria-labelledby"].split()
    assert [root.find(f"{SVG}{tag}").attrib["id"] for tag in ("title", "desc")] == named  # type: ignore[union-attr]  # found
    cells = {
        node.text for node in root.iter(f"{SVG}text") if node.text and " of " in node.text and node.text[0].isdigit()
    }
    assert cells
    assert all(f"| {cell} (" in made().markdown for cell in cells)


def test_the_ink_can_be_read_on_every_ground() -> None:
    grounds = {fill for fill, _ in KINDS.values() if fill.startswith("#")} | set(
        re.findall(r'fill="(#\w{6})"/>', made().svg)
    )
    assert {ground: contrast(INK, ground) >= 4.5 for ground in grounds} == dict.fromkeys(grounds, True)
    assert len(grounds) > 3


def contrast(one: str, other: str) -> float:
    """WCAG 2.2, contrast ratio."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    channels = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def test_the_successors_of_those_named_are_the_bodies_of_today() -> None:
    found = answer(standings())
    acting = {row.org: row.acting for row in found.named}
    assert acting["deaneries"] == acting["monitor"] == ("nhs-england",)
    assert found.bodies == ("nhs-england", "commissioners", "gmc", "cqc", "nmc", "gdc", "hcpc")
    assert {"hee", "monitor"} <= set(found.bodies_then)


def test_one_promise_came_late_one_is_assumed_and_one_is_open() -> None:
    states = {row.id: row.state for row in answer(standings()).promises}
    assert states == {"promised-cqc-nmc": "late", "promised-cqc-gdc": "assumed", "promised-cqc-hcpc": "open"}


def test_the_duties_of_today_are_sent_and_those_of_monitor_are_not() -> None:
    sent = {row.cite: row.sent for row in answer(standings()).duties}
    assert (sent["sd-hsca2012-s288/c1"], sent["sd-hsca2012-s288/c2"]) == (True, False)
    assert not sent["sd-hsca2012-s290/c1"]
    assert answer(standings()).lever_used == ()


def test_both_ways_to_ask_since_when_agree() -> None:
    """By stretches of all gaps, and by the evaluator on each day that matters between two bodies."""
    asked = standings()
    past = asked._past
    assert past is not None
    gaps = [gap for gap in asked.coverage.gaps("cqc") if gap.body in ("gphc", "nhs-england", "hssib", "ciw")]
    assert len(gaps) > 5
    for gap in gaps:
        evidence = gap_finding(gap, asked.reach).evidence
        days = days_between(asked.graph, gap.originator, gap.body)
        assert past.since(gap, asked.reach.day) == since(asked.reach.snapshot, evidence, days)
