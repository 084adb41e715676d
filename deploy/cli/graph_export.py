"""`concordat graph export`: the graph of a registry as files, each byte as it was imported where nothing changed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from deploy.cli.graph_sources import NoGraph, Source, get_json, registry_url
from services.registry.adapters.graph_files import is_graph_path, read_folder
from services.registry.adapters.graph_text import updated


def exported(source: Source, registry: str | None) -> dict[str, bytes]:
    """The files of a graph: as they were imported last, with what changed since written in. Raises NoGraph."""
    url = f"{registry_url(registry)}/v1/graph/documents"
    stored: Mapping[str, str] = get_json(url, {"version": str(source.version)})["files"]
    return updated({path: text.encode() for path, text in stored.items()}, source.rows)


def write_files(files: Mapping[str, bytes], folder: Path, *, replace: bool) -> tuple[int, int]:
    """Write the files; gives how many were written and how many taken away. Raises NoGraph.

    Nothing of a folder that holds graph files already is touched without `replace`; a file that is as it should be is
    left alone.
    """
    present = set(read_folder(folder).files) if folder.is_dir() else set()
    changed = {p: data for p, data in files.items() if p not in present or (folder / p).read_bytes() != data}
    gone = {path for path in present - files.keys() if is_graph_path(path)}
    lost = (changed.keys() & present) | gone
    if lost and not replace:
        raise NoGraph(f"{folder} holds other texts of {len(lost)} files, such as {min(lost)}; say --replace.")
    for path, data in changed.items():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        fresh = target.with_name(f".{target.name}.new")
        fresh.write_bytes(data)
        fresh.replace(target)
    for path in gone:
        (folder / path).unlink()
    return len(changed), len(gone)
