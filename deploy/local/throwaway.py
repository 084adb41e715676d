"""Folders that the demo and the benchmark make anew each time. Only one that they made themselves is ever emptied."""

import shutil
from pathlib import Path

from deploy.local import postgres_home
from deploy.local.faults import NotOurs

MARKER = "made-by-concordat"
_TEXT = "The demo or the benchmark of Concordat made this folder and empties it at its next start.\n"
# What a start that was cut off before it could leave the marker may have written.
_HOLD_FILES = frozenset({"lock", "runner.json", "pids.json"})


def demand_ours(data_dir: Path) -> None:
    """Raise NotOurs when the folder holds anything and does not carry the marker. Nothing is written."""
    if (data_dir / MARKER).is_file() or not data_dir.exists():
        return
    if not data_dir.is_dir() or {entry.name for entry in data_dir.iterdir()} - _HOLD_FILES:
        raise NotOurs(
            f"{data_dir} was not made by the demo or the benchmark, so it is not emptied",
            "Choose another folder with --data-dir, or remove that one yourself.",
        )


def empty(data_dir: Path) -> None:
    """Remove everything but the hold, and leave the marker. Take the hold first; raises NotOurs."""
    demand_ours(data_dir)
    (data_dir / MARKER).write_text(_TEXT)
    postgres_home.forget(data_dir)
    for entry in data_dir.iterdir():
        if entry.name not in (*_HOLD_FILES, MARKER):
            _remove(entry)


def _remove(entry: Path) -> None:
    if entry.is_dir() and not entry.is_symlink():
        shutil.rmtree(entry)
    else:
        entry.unlink()
