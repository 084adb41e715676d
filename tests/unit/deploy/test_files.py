"""A file that another process reads at any moment is there whole or not at all."""

import os
import stat
from pathlib import Path

import pytest

from deploy.local.files import write_private


@pytest.mark.parametrize("before", [None, b"the old text"])
def test_who_reads_while_a_file_is_written_finds_what_was_there_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: bytes | None
) -> None:
    file = tmp_path / "run.json"
    if before is not None:
        file.write_bytes(before)
    found: list[bytes | None] = []
    monkeypatch.setattr(os, "fsync", lambda _: found.append(file.read_bytes() if file.exists() else None))
    write_private(file, b"the new text")
    assert found == [before]
    assert file.read_bytes() == b"the new text"


def test_what_a_killed_writer_left_is_in_nobodys_way(tmp_path: Path) -> None:
    file = tmp_path / "folder" / "run.json"
    write_private(file, b"one")
    file.with_name("run.json.partial").write_bytes(b"tw")
    write_private(file, b"two")
    assert [each.name for each in file.parent.iterdir()] == ["run.json"]
    assert file.read_bytes() == b"two"


def test_only_its_owner_may_read_it(tmp_path: Path) -> None:
    file = tmp_path / "run.json"
    file.write_bytes(b"for all")
    file.chmod(0o644)
    write_private(file, b"for its owner")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
