"""The folder of graph files that an empty registry begins with, and plain YAML files beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from services.registry.adapters.graph_files import read_folder
from services.registry.adapters.yaml_nodes import read_nodes

SEED_DIR = Path(__file__).resolve().parent.parent / "seed"


class SeedUnreadable(ValueError):
    """Files that are missing, malformed, or hold something the reader does not know; the text names each place."""


def read_yaml(path: Path) -> Any:
    """The content of one YAML file. Raises SeedUnreadable with every fault and its place."""
    try:
        data = path.read_bytes()
    except OSError as fault:
        raise SeedUnreadable(f"{path}: {fault.strerror}") from fault
    found = read_nodes(data)
    if found.faults or found.root is None:
        lines = (f"{path}:{f.place.line}:{f.place.column}: {f.what}. {f.remedy}" for f in found.faults)
        raise SeedUnreadable("\n".join(lines))
    return found.root.plain()


def read_objects(folder: Path = SEED_DIR) -> list[dict[str, Any]]:
    """Every graph object under the folder, in the order of the files. Raises SeedUnreadable with every fault."""
    found = read_folder(folder)
    if found.faults:
        raise SeedUnreadable("\n".join(f"{folder}/{fault}" for fault in found.faults))
    return [dict(row) for row in found.rows()]
