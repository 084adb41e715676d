"""What an import would send, and where the registry's refusals stand in the files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest

from deploy.cli.graph_import import Plan, planned, refused
from deploy.cli.graph_sources import NoGraph, known_at
from services.registry.adapters.graph_files import read_folder
from services.registry.adapters.seed_files import SEED_DIR
from tests.seed.graph_files.folders import replace, run, seed_copy

NMC = "agreements/mou-cqc-nmc.yaml"
SEED = read_folder(SEED_DIR)
STORED = {path: data.decode() for path, data in SEED.files.items()}


def plan(folder: Path, rows: list[Any] | None = None) -> Plan:
    return planned(folder, {"version": 7, "objects": SEED.rows() if rows is None else rows}, STORED)


def test_an_untouched_folder_sends_nothing(tmp_path: Path) -> None:
    made = plan(seed_copy(tmp_path))
    assert (made.items, made.files, made.left) == ((), {}, 0)


def test_only_what_differs_is_sent_objects_and_files(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    replace(folder / NMC, "binding: false", "binding: true")
    replace(folder / "sources.yaml", "sources:", "# a comment\nsources:")
    made = plan(folder)
    assert [item.id for item in made.items] == ["mou-cqc-nmc"]
    assert made.files.keys() == {NMC, "sources.yaml"}


def test_a_file_that_is_gone_is_said_to_be_gone_and_its_objects_stay(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    (folder / "agreements/isa-cqc-good-care-guide.yaml").unlink()
    made = plan(folder)
    assert made.files == {"agreements/isa-cqc-good-care-guide.yaml": ""}
    assert (made.items, made.left) == ((), 1)


def test_half_a_graph_is_no_plan(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = seed_copy(tmp_path)
    replace(folder / NMC, "instrument: mou", "instrument: handshake")
    with pytest.raises(NoGraph, match="nothing was done"):
        plan(folder)
    assert "'handshake' is not known" in capsys.readouterr().out


def test_what_the_registry_refuses_is_shown_at_the_object_in_its_file(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    line = replace(folder / NMC, "  - id: mou-cqc-nmc", "  - binding: true\n    id: mou-cqc-nmc")
    replace(folder / NMC, "    binding: false\n", "")
    errors = [{"pointer": "/objects/0", "detail": "it overlaps something"}]
    answer = httpx.Response(422, json={"title": "no", "errors": errors})
    (found,) = refused(plan(folder), answer).findings
    assert (found.path, found.place.line, found.what) == (NMC, line, "it overlaps something")


def test_a_folder_of_a_hundred_megabytes_is_refused_with_the_bulk_way(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    with (folder / "agreements/huge.yaml").open("wb") as file:
        file.truncate(100 * 2**20)
    credentials = tmp_path / "c.json"
    credentials.write_text("{}")
    checked = run("check", folder)
    assert checked.exit_code == 1
    assert "32.0 MiB is the most" in checked.output
    assert "/v1/changes/{id}/objects" in checked.output
    assert "32 MiB" in run("import", "--help").output


def test_without_a_client_that_may_draft_the_way_out_is_named(tmp_path: Path) -> None:
    more = ("--registry", "http://127.0.0.1:9", "--reason", "x", "--credentials", tmp_path / "none.json")
    result = run("import", SEED_DIR, *more)
    assert (result.exit_code, "--credentials" in result.output) == (2, True)


def test_a_day_is_known_to_its_end_in_london_over_a_clock_change() -> None:
    assert known_at("2022-03-26") == {"known_at": "2022-03-26T23:59:59.999999Z"}
    assert known_at("2022-03-27") == {"known_at": "2022-03-27T22:59:59.999999Z"}
    with pytest.raises(NoGraph):
        known_at("2025-02-30")
