"""`concordat graph check`: every problem at once, each with its file, line, column and remedy."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from deploy.cli.graph_check import Finding, check_folder
from services.registry.adapters import graph_files
from services.registry.adapters.seed_files import SEED_DIR
from tests.seed.graph_files.folders import replace, run, seed_copy

NMC = "agreements/mou-cqc-nmc.yaml"
# What is done to which file, and what is then said: the words, the remedy.
CASES = {
    "an unknown term": (
        NMC,
        "[ftp-conduct,",
        "[ftp-conducd,",
        "'ftp-conducd' is not known in any category",
        "'ftp-conduct'",
    ),
    "an unknown body": (NMC, "to: [nmc]", "to: [nmcc]", "'nmcc' is not known in party", "Did you mean 'nmc'?"),
    "a source that is not there": (NMC, "[nmc-mous,", "[gone,", "'gone' is not known in source ids", "sources.yaml"),
    "a day that does not exist": (
        NMC,
        "in_force: {from: null",
        "in_force: {from: '2025-02-30'",
        "'2025-02-30'",
        "28 days",
    ),
    "a month that does not exist": (
        NMC,
        "in_force: {from: null",
        "in_force: {from: '2025-13-01'",
        "'2025-13-01'",
        "01 to 12",
    ),
    "a key that nobody reads": (NMC, "binding:", "bindng:", "has the unknown key 'bindng'", "Did you mean 'binding'?"),
    "a key given twice": (
        NMC,
        "status: current",
        "status: current\n    status: current",
        "'status' is given twice",
        "line",
    ),
    "a wrong type": (NMC, "binding: false", "binding: 'false'", "must be true or false", ""),
    "a word that reads as false": (
        NMC,
        "title: Memorandum",
        "title: no\n    note: Memorandum",
        "must be a text",
        "'no'",
    ),
    "a number that reads as another": (NMC, "binding: false", "binding: 10:00", "10:00 reads as a number", "quotes"),
    "a party that leaves before it joins": (
        NMC,
        "{org: cqc, capacity: signatory, from: null, to: null}",
        "{org: cqc, capacity: signatory, from: '2024-01-01', to: '2023-01-01'}",
        "the interval [2024-01-01, 2023-01-01) is empty",
        "`to` must be a later day",
    ),
    "a party twice at once": (
        NMC,
        "      - {org: nmc,",
        "      - {org: cqc, capacity: signatory, from: '2020-01-01', to: null}\n      - {org: nmc,",
        "is a party twice at once",
        "End the first before the second begins",
    ),
    "a discloser that has not signed": (
        NMC,
        "from: [cqc]",
        "from: [gdc]",
        "'gdc' is no signatory",
        "Add gdc to `parties`",
    ),
    "a circle of successions": (
        "successions.yaml",
        "from: nhs-improvement\n    to: nhs-england",
        "from: nhs-improvement\n    to: monitor",
        "runs in a circle",
        "no body may succeed itself",
    ),
    "a tab": (NMC, "    status:", "\tstatus:", "found character that cannot start any token", "never with tabs"),
    "an anchor": (
        NMC,
        "nations: [england]",
        "nations: &all [england]",
        "the anchor &all is not read",
        "write values out",
    ),
    "an alias": (NMC, "binding: false", "binding: *x", "the alias *x is not read", "Write the value out"),
    "a tag": (
        NMC,
        "binding: false",
        "binding: !!python/name:os.system x",
        "python/name:os.system is not read",
        "Remove it",
    ),
    "a merge key": (
        NMC,
        "binding: false",
        "binding: false\n    <<: {x: y}",
        "the merge key << is not read",
        "Write the keys",
    ),
    "an instant of no zone": (
        NMC,
        "'2025-03-03T10:00:00Z'",
        "'2025-03-30T01:30:00'",
        "is not an instant",
        "its offset",
    ),
    "another format": (
        NMC,
        "concordat.graph/1",
        "concordat.graph/2",
        "'concordat.graph/2' is not known",
        "concordat.graph/1",
    ),
    "a list that is none": ("sources.yaml", "sources:\n", "sources: none\nrest:\n", "sources must be a list", "- id:"),
    "an id that is none": (NMC, "id: mou-cqc-nmc", "id: mou cqc nmc", "'mou cqc nmc' is no id", "letters, digits"),
}


@pytest.mark.parametrize("name", sorted(CASES))
def test_what_is_wrong_is_named_with_its_line_and_its_remedy(name: str, tmp_path: Path) -> None:
    file, old, new, what, remedy = CASES[name]
    folder = seed_copy(tmp_path)
    line = replace(folder / file, old, new)
    found = [f for f in check_folder(folder).findings if what in f.what]
    assert {f.path for f in found} == {file}, check_folder(folder).findings
    assert any(line <= f.place.line <= line + new.count("\n") for f in found)
    assert all(remedy in f.remedy for f in found)


def test_the_column_is_that_of_the_wrong_word(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    line = replace(folder / NMC, "registration-revalidation", "registration")
    (found,) = check_folder(folder).findings
    text = (folder / NMC).read_text().splitlines()[line - 1]
    assert text[found.place.column - 1 :].startswith("registration,")


def test_every_problem_of_every_file_is_told_at_once(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    replace(folder / NMC, "instrument: mou", "instrument: handshake")
    replace(folder / NMC, "effect: PERMIT", "effect: LET")
    replace(folder / "agreements/mou-cqc-hta.yaml", "clauses:", "clauses:\n\t-")
    replace(folder / "agreements/mou-cqc-gphc.yaml", "from: [cqc]", "from: [gdc]")
    replace(folder / "organisations.yaml", "sector: public", "sector: common")
    assert [(f.path, f.what.split("'")[1] if "'" in f.what else "") for f in check_folder(folder).findings] == [
        ("agreements/mou-cqc-gphc.yaml", "gdc"),
        ("agreements/mou-cqc-hta.yaml", ""),
        (NMC, "handshake"),
        (NMC, "LET"),
        ("organisations.yaml", "common"),
    ]


def test_the_second_of_two_agreements_with_one_id_is_named_with_the_first(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    line = replace(folder / "agreements/mou-cqc-phe.yaml", "id: mou-cqc-phe", "id: mou-cqc-gphc")
    (found,) = (f for f in check_folder(folder).findings if f.what == "is there twice")
    assert (found.path, found.place.line) == ("agreements/mou-cqc-phe.yaml", line)
    assert "agreements/mou-cqc-gphc.yaml:3:5" in found.note


def test_overlapping_versions_of_a_lineage_are_named_where_the_later_one_begins(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    replace(folder / "agreements/mou-cqc-phe.yaml", "lineage: mou-cqc-phe", "lineage: mou-cqc-gphc")
    (found,) = check_folder(folder).findings
    assert "overlaps" in found.what
    assert "end mou-cqc-" in found.remedy.lower()
    assert "in_force" in (folder / found.path).read_text().splitlines()[found.place.line - 1]


def test_a_file_that_is_not_utf8_is_named_with_its_byte(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    (folder / NMC).write_bytes(b"format: concordat.graph/1\nagreements:\n  - id: \xe9\n")
    first, *_ = check_folder(folder).findings
    assert (first.path, first.place.line, first.place.column) == (NMC, 3, 9)
    assert first.what == "the byte 0xE9 is not UTF-8"


def test_a_nest_of_brackets_and_a_swarm_of_aliases_cost_nothing(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    (folder / "agreements/nest.yaml").write_text("[" * 1_000_000)
    swarm = "".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]\n" for n in range(1, 60))
    (folder / "agreements/swarm.yaml").write_text("format: concordat.graph/1\nl0: &l0 [x]\n" + swarm)
    said = {(f.path, f.what) for f in check_folder(folder).findings}
    assert ("agreements/nest.yaml", "values are nested more than 64 deep") in said
    assert ("agreements/swarm.yaml", "the alias *l0 is not read") in said


def test_a_folder_of_a_hundred_megabytes_is_refused_before_it_is_read(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    with (folder / "agreements/huge.yaml").open("wb") as file:
        file.truncate(100 * 2**20)  # it takes no room on the disk
    checked = check_folder(folder)
    assert checked.read.files == {}
    said = [f"{f.what} {f.remedy}" for f in checked.findings]
    assert any("32.0 MiB is the most" in text and "in chunks" in text for text in said)
    assert any("the file has 100.0 MiB; 4.0 MiB is the most" in text for text in said)


def test_too_many_files_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(graph_files, "FILES_MAX", 10)
    assert "10 is the most" in check_folder(SEED_DIR).findings[0].what


def test_a_file_that_does_not_belong_is_a_problem_and_a_missing_vocabulary_too(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    (folder / "extra.yml").write_text("format: concordat.graph/1\n")
    (folder / "categories.yaml").unlink()
    said = [(f.path, f.what) for f in check_folder(folder).findings]
    assert said == [("categories.yaml", "there is no such file"), ("extra.yml", "is not a file of the graph")]


def test_a_compiler_would_say_it_like_this(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    line = replace(folder / NMC, "instrument: mou", "instrument: mo")
    result = run("check", folder)
    assert result.exit_code == 1
    assert result.output.splitlines() == [
        f"{folder / NMC}:{line}:17: 'mo' is not known in instrument",
        f"{line:>6} |     instrument: mo",
        "       |                 ^",
        "       = in agreement mou-cqc-nmc.instrument",
        "       = Did you mean 'mou'?",
        "",
        f"{folder}: 1 problem in 1 file",
    ]


def test_programs_get_one_object_with_every_folder(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    replace(folder / NMC, "instrument: mou", "instrument: handshake")
    result = run("check", SEED_DIR, folder, "--json")
    assert result.exit_code == 1
    first, second = json.loads(result.output)["folders"]
    assert (first["problems"], len(second["problems"])) == ([], 1)
    assert second["problems"][0].keys() == {"file", "line", "column", "what", "remedy", "where", "note"}


def test_the_packaged_graph_has_no_problem() -> None:
    result = run("check", SEED_DIR)
    assert result.exit_code == 0, result.output
    assert "no problem" in result.output


def test_a_folder_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    result = run("check", tmp_path / "gone")
    assert result.exit_code == 1
    assert "is not a folder" in result.output


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_whatever_is_done_to_a_file_the_check_answers_with_places_in_it(data: st.DataObject) -> None:
    original = (SEED_DIR / NMC).read_bytes()
    at = data.draw(st.integers(0, len(original)))
    end = data.draw(st.integers(at, min(len(original), at + 40)))
    noise = data.draw(
        st.one_of(st.binary(max_size=12), st.text("[]{}:,-&*!#|>'\"\t\n x0@%", max_size=12).map(str.encode))
    )
    changed = original[:at] + noise + original[end:]
    read = graph_files.read_texts({"categories.yaml": b"format: concordat.graph/1\n", NMC: changed})
    lines = changed.count(b"\n") + changed.count(b"\r") + 1
    assert all(f.path != NMC or 1 <= f.fault.place.line <= lines + 1 for f in read.faults)
    assert all(1 <= item.node.place.line <= item.node.last <= lines for item in read.items)


def test_findings_come_in_the_order_of_files_and_lines(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    for file in ("organisations.yaml", NMC):
        replace(folder / file, "certainty: ", "certainty: un")
    found: tuple[Finding, ...] = check_folder(folder).findings
    assert list(found) == sorted(found)
    assert len(found) == 2
