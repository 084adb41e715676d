"""Copies of the packaged graph with something changed in them."""

from __future__ import annotations

import shutil
from pathlib import Path

from click.testing import CliRunner, Result

from deploy.cli.graph import graph
from services.registry.adapters.seed_files import SEED_DIR


def run(*arguments: str | Path) -> Result:
    """`concordat graph …`"""
    return CliRunner().invoke(graph, [str(argument) for argument in arguments])


def seed_copy(target: Path) -> Path:
    """The packaged graph in a folder that may be changed."""
    return Path(shutil.copytree(SEED_DIR, target / "graph"))


def replace(file: Path, old: str, new: str) -> int:
    """Put `new` for the first `old`; gives the line on which it stands, from 1."""
    text = file.read_bytes().decode()
    before, found, after = text.partition(old)
    assert found, f"{old!r} is not in {file.name}"
    file.write_bytes((before + new + after).encode())
    return before.count("\n") + 1
