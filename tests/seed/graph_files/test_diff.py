"""`concordat graph diff`: what differs between two graphs, field by field."""

from __future__ import annotations

import json
from pathlib import Path

from services.registry.adapters.seed_files import SEED_DIR
from tests.seed.graph_files.folders import replace, run, seed_copy

NMC = "agreements/mou-cqc-nmc.yaml"


def test_a_changed_field_is_named_with_both_values(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    replace(folder / NMC, "status: current", "status: expired")
    result = run("diff", SEED_DIR, folder)
    assert result.exit_code == 1
    assert result.output.splitlines()[2:] == [
        "~ agreement mou-cqc-nmc",
        "    /status",
        '      - "current"',
        '      + "expired"',
        "0 new, 1 changed, 0 gone",
    ]


def test_new_and_gone_objects_are_told_apart_as_json_too(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    replace(folder / "sources.yaml", "{id: ecp-2018-lexology,", "{id: ecp-2018-other,")
    result = run("diff", folder, SEED_DIR, "--json")
    assert result.exit_code in (1, 2)
    if result.exit_code == 1:
        found = json.loads(result.output)
        assert found["added"] == [{"kind": "source", "id": "ecp-2018-lexology"}]
        assert found["removed"] == [{"kind": "source", "id": "ecp-2018-other"}]


def test_comments_and_the_order_of_keys_are_no_difference(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    replace(folder / NMC, "    status: current\n", "")
    replace(folder / NMC, "    title:", "    # moved\n    status: current\n    title:")
    result = run("diff", SEED_DIR, folder)
    assert (result.exit_code, "no difference" in result.output) == (0, True)


def test_a_folder_that_is_no_graph_is_shown_with_its_problems(tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    replace(folder / NMC, "instrument: mou", "instrument: handshake")
    result = run("diff", SEED_DIR, folder)
    assert result.exit_code == 2
    assert "'handshake' is not known in instrument" in result.output


def test_what_is_neither_folder_nor_version_nor_day_is_refused() -> None:
    assert run("diff", SEED_DIR, "soon").exit_code == 2
    assert "2025-02-30" in run("diff", SEED_DIR, "2025-02-30", "--registry", "http://127.0.0.1:9").output
