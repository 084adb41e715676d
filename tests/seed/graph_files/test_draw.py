"""`concordat graph draw`: what a picture shows, that nothing in it lies on something else, and the committed one."""

from __future__ import annotations

import json
import re
from datetime import date
from functools import cache
from itertools import combinations
from pathlib import Path
from xml.etree import ElementTree

import pytest

from deploy.cli import graph_draw
from deploy.draw import neighbourhood, svg, whole
from deploy.draw.frame import words_of
from deploy.draw.network import Network, network_of
from deploy.draw.words import shortened, width, wrapped
from tests.seed.graph_files.folders import run, seed_copy
from tests.unit.agreements.seeds import seed_graph

TODAY = date(2026, 11, 22)
COMMITTED = Path("docs/pictures/nhs-england-2026-11-22.svg")
Box = tuple[float, float, float, float]


@cache
def seed_network(day: date = TODAY) -> Network:
    return network_of(seed_graph(), day)


def _picture(body: str) -> ElementTree.Element:
    near = seed_network().around(body)
    return ElementTree.fromstring(neighbourhood.draw(near, body, words_of(near, body, "")))  # noqa: S314 - our own text


def _all(root: ElementTree.Element, name: str) -> list[ElementTree.Element]:
    return list(root.iter(f"{{http://www.w3.org/2000/svg}}{name}"))


def _box(text: ElementTree.Element) -> Box:
    size, x, y = (float(text.get(key, "0")) for key in ("font-size", "x", "y"))
    wide = width(text.text or "", size) * 0.8  # our measure is on the safe side
    left = {"middle": x - wide / 2, "end": x - wide}.get(text.get("text-anchor", "start"), x)
    return left, y - size * 0.75, left + wide, y + size * 0.1


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


@pytest.mark.parametrize("body", sorted(seed_network().bodies))
def test_in_no_neighbourhood_do_words_or_boxes_lie_on_others(body: str) -> None:
    root = _picture(body)
    words = [_box(text) for text in _all(root, "text")]
    assert [pair for pair in combinations(words, 2) if _overlap(*pair)] == []
    sides = [tuple(float(r.get(k, "0")) for k in ("x", "y", "width", "height")) for r in _all(root, "rect")[1:]]
    boxes = [(x, y, x + w, y + h) for x, y, w, h in sides]
    assert [pair for pair in combinations(boxes, 2) if _overlap(*pair)] == []


def test_a_neighbourhood_has_a_line_for_each_agreement_and_every_word_is_large_enough() -> None:
    near = seed_network().around("nhs-england")
    root = _picture("nhs-england")
    members = near.members()
    lines = {(tie.agreement, tie.ends if tie.agreement not in members else "") for tie in near.ties}
    drawn = [path for path in _all(root, "path") if "C" in path.get("d", "")]
    assert len(drawn) == len(lines)
    assert min(float(text.get("font-size", "0")) for text in _all(root, "text")) >= 12


def test_a_picture_says_in_words_what_it_shows() -> None:
    root = _picture("nhs-england")
    assert (root.get("role"), root.get("aria-labelledby")) == ("img", "title desc")
    desc = next(iter(_all(root, "desc"))).text or ""
    assert "Care Quality Commission and NHS England" not in desc
    assert "NHS England and Care Quality Commission: memorandum of understanding mou-cqc-monitor" in desc
    assert "inherited, pending review" in desc


def test_an_instrument_is_known_without_its_colour() -> None:
    """Two instruments may share a dash or a width, never both."""
    assert len({(thick, dashes) for _, thick, dashes in svg.STYLES.values()}) == len(svg.STYLES)


def test_who_signed_as_monitor_is_drawn_as_nhs_england_and_marked() -> None:
    near = seed_network().around("nhs-england")
    tie = next(tie for tie in near.ties if tie.agreement == "mou-cqc-monitor")
    assert (tie.ends, tie.marks) == (("nhs-england", "cqc"), ("inherited, pending review",))
    assert any(name.startswith("Monitor") for name in near.bodies["nhs-england"].formerly)


def test_on_a_day_before_the_succession_the_body_itself_is_drawn() -> None:
    before = seed_network(date(2015, 11, 22))
    assert {tie.agreement for tie in before.around("monitor").ties} >= {"mou-cqc-monitor", "isa-cqc-monitor"}
    assert all(not tie.marks for tie in before.around("monitor").ties)


def test_what_is_not_in_force_is_not_drawn_and_is_counted() -> None:
    network = seed_network()
    drawn = {tie.agreement for tie in network.ties}
    graph = seed_graph()
    assert "promised-cqc-nmc" not in drawn
    assert len(drawn) + sum(network.idle.values()) == len(graph.agreements) + len(graph.duties)


def test_a_review_that_is_overdue_is_marked() -> None:
    marked = {tie.agreement for tie in seed_network().ties if "review overdue" in tie.marks}
    graph = seed_graph()
    assert marked
    assert all(graph.agreements[name].is_review_overdue(TODAY) for name in marked)


def test_arrows_point_at_who_may_be_told() -> None:
    near = seed_network().around("nhs-england")
    duty = next(tie for tie in near.ties if tie.agreement == "sd-hsca2008-s70")
    assert (duty.ends[0], duty.there, duty.back) == ("nhs-england", False, True)


def test_on_the_whole_picture_no_word_lies_on_another_inside_the_circle() -> None:
    root = ElementTree.fromstring(whole.draw(seed_network(), words_of(seed_network(), "x", "")))  # noqa: S314
    boxes = [_box(text) for text in _all(root, "text") if not text.get("transform")]
    assert len(boxes) > 60
    assert [pair for pair in combinations(boxes, 2) if _overlap(*pair)] == []
    assert len(_all(root, "circle")) == len(seed_network().bodies)


def test_the_committed_picture_is_what_the_command_in_its_page_gives() -> None:
    page = Path("docs/howto/change-a-graph.md").read_text()
    command = re.search(r"concordat graph (draw .*nhs-england.*) -o (\S+)", page)
    assert command, "the page names the command"
    assert command[2] == str(COMMITTED)
    assert run(*command[1].split()).output == COMMITTED.read_text(encoding="utf-8")


def test_the_same_as_json_for_programs() -> None:
    found = json.loads(run("draw", "--body", "nhs-england", "--as-of", "2026-11-22", "--json").output)
    assert found["as_of"] == "2026-11-22"
    tie = next(tie for tie in found["ties"] if tie["agreement"] == "mou-cqc-monitor")
    assert tie["tells"] == [["nhs-england", "cqc"], ["cqc", "nhs-england"]]


def test_a_body_that_is_gone_is_answered_with_who_acts_for_it() -> None:
    result = run("draw", "--body", "monitor", "--as-of", "2026-11-22")
    assert (result.exit_code, "those of nhs-england that day" in result.output) == (2, True)


def test_an_unknown_body_is_answered_with_the_nearest() -> None:
    assert "Did you mean 'cqc'?" in run("draw", "--body", "cqcc").output


def test_more_than_a_person_can_read_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_draw, "BODIES_MAX", 10)
    monkeypatch.setattr(graph_draw, "TIES_MAX", 10)
    assert "name one with --body" in run("draw", "--as-of", "2026-11-22").output
    assert "--json shows them all" in run("draw", "--body", "cqc", "--as-of", "2026-11-22").output
    assert len(json.loads(run("draw", "--as-of", "2026-11-22", "--json").output)["bodies"]) > 10


def test_names_that_are_markup_stay_text(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    file = folder / "organisations.yaml"
    file.write_text(file.read_text().replace("name: NHS England\n", "name: '<script>&\"'\n"))
    result = run("draw", "--graph", folder, "--body", "nhs-england", "--as-of", "2026-11-22")
    root = ElementTree.fromstring(result.output)  # noqa: S314
    assert _all(root, "script") == []
    assert any((text.text or "") == '<script>&"' for text in _all(root, "text"))


def test_words_are_broken_and_cut_to_their_room() -> None:
    name = "Parliamentary and Health Service Ombudsman"
    assert " ".join(wrapped(name, 15, 120)) == name
    assert all(width(line, 15) <= 120 for line in wrapped(name, 15, 120))
    assert width(shortened(name, 15, 120), 15) <= 120
