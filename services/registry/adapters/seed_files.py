"""Reads a folder of graph files (YAML) into graph objects for `shared.agreements.load`.

Every file and every top-level key is read; a file or key that is not known is a fault, never skipped. A row's own
`kind` (the kind of an organisation, of a succession …) becomes `type`, because an object's `kind` says what it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

try:
    from yaml import CSafeLoader as SafeLoader  # ten times as fast, where PyYAML was built with it
except ImportError:
    from yaml import SafeLoader  # type: ignore[assignment]  # the slower twin, same calls

FORMAT = "concordat.graph/1"
ROWS = {
    "organisations": "organisation",
    "successions": "succession",
    "forums": "forum",
    "sources": "source",
    "agreements": "agreement",
    "duties": "duty",
    "bars": "bar",
    "lead_rules": "lead_rule",
}
FILES = {
    "organisations.yaml": {"organisations"},
    "successions.yaml": {"successions"},
    "forums.yaml": {"forums"},
    "sources.yaml": {"sources"},
    "statute.yaml": {"duties", "bars", "lead_rules"},
    "policy.yaml": {"policy"},
}
VOCABULARIES = "categories.yaml"
AGREEMENTS = "agreements"
SEED_DIR = Path(__file__).resolve().parent.parent / "seed"


class SeedUnreadable(ValueError):
    """A graph file that is missing, malformed, or holds something the reader does not know; the text names it."""


class _Loader(SafeLoader):
    """Plain values: days stay text, and a key given twice is an error."""


_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in SafeLoader.yaml_implicit_resolvers.items()
}


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    pairs = loader.construct_pairs(node, deep=True)
    found = dict(pairs)
    if len(found) != len(pairs):
        raise yaml.constructor.ConstructorError(None, None, "a key is given twice", node.start_mark)
    return found


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def read_yaml(path: Path) -> Any:
    """The content of one YAML file. Raises SeedUnreadable with the file's name and the place of the fault."""
    try:
        return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)  # noqa: S506 - a SafeLoader
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as fault:
        raise SeedUnreadable(f"{path}: {fault}") from fault


def read_objects(folder: Path = SEED_DIR) -> list[dict[str, Any]]:
    """Every graph object under the folder, in the order of the files. Raises SeedUnreadable."""
    return [*_vocabularies(folder), *_rows(folder)]


def _rows(folder: Path) -> Iterator[dict[str, Any]]:
    for path in _files(folder):
        allowed = FILES.get(path.name, {AGREEMENTS})
        for key, rows in _content(path, allowed).items():
            yield from [{"kind": "policy", "id": "policy", **rows}] if key == "policy" else _objects(rows, key)


def _files(folder: Path) -> list[Path]:
    found = sorted(path for path in folder.glob("**/*.yaml") if path != folder / VOCABULARIES)
    unknown = [path for path in found if path.parent != folder / AGREEMENTS and path not in {folder / n for n in FILES}]
    if unknown:
        raise SeedUnreadable(f"{unknown[0]}: not a file of the graph")
    return found


def _objects(rows: list[dict[str, Any]], key: str) -> Iterator[dict[str, Any]]:
    for row in rows:
        own = {"type" if name == "kind" else name: value for name, value in row.items()}
        yield {"kind": ROWS[key], **own}


def _vocabularies(folder: Path) -> Iterator[dict[str, Any]]:
    for name, content in _content(folder / VOCABULARIES, None).items():
        yield {"kind": "vocabulary", "id": name, "terms" if isinstance(content, list) else "value": content}


def _content(path: Path, allowed: set[str] | None) -> dict[str, Any]:
    content = read_yaml(path)
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        raise SeedUnreadable(f"{path}: format is not {FORMAT}")
    rest = {key: value for key, value in content.items() if key != "format"}
    if allowed is not None and (unknown := rest.keys() - allowed):
        raise SeedUnreadable(f"{path}: has the unknown key {sorted(unknown)[0]!r}")
    return rest
