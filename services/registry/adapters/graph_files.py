"""A folder of graph files: which files there are, which objects stand in them, and where.

Every file and every top-level key is read; a file or key that is not known is a fault, never skipped. A row's own
`kind` (the kind of an organisation, of a succession …) becomes `type`, because an object's `kind` says what it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Any

from services.registry.adapters.yaml_nodes import Entry, Fault, Node, Place, read_nodes

FORMAT = "concordat.graph/1"
FILE_BYTES_MAX = 4 * 2**20
FOLDER_BYTES_MAX = 32 * 2**20
FILES_MAX = 10_000
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
    "organisations.yaml": frozenset({"organisations"}),
    "successions.yaml": frozenset({"successions"}),
    "forums.yaml": frozenset({"forums"}),
    "sources.yaml": frozenset({"sources"}),
    "statute.yaml": frozenset({"duties", "bars", "lead_rules"}),
    "policy.yaml": frozenset({"policy"}),
}
VOCABULARIES = "categories.yaml"
AGREEMENTS = "agreements"
START = Place(1, 1)
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,139}\.yaml")


@dataclass(frozen=True, slots=True)
class FileFault:
    """What is wrong, where, in which file of the folder."""

    path: str
    fault: Fault

    def __str__(self) -> str:
        place = self.fault.place
        return f"{self.path}:{place.line}:{place.column}: {self.fault.what}. {self.fault.remedy}"


@dataclass(frozen=True, slots=True)
class Item:
    """One graph object, the file and the top-level key that it stands under, and its node there."""

    kind: str
    id: str
    path: str
    key: str
    node: Node
    row: Mapping[str, Any] = field(repr=False)


@dataclass(slots=True)
class Folder:
    """Graph files as read: their bytes by path, their objects in the order of the files, every fault found."""

    files: dict[str, bytes] = field(default_factory=dict)
    items: list[Item] = field(default_factory=list)
    faults: list[FileFault] = field(default_factory=list)

    def rows(self) -> list[Mapping[str, Any]]:
        """The objects as `shared.agreements.load` takes them."""
        return [item.row for item in self.items]

    def note(self, path: str, place: Place, what: str, remedy: str) -> None:
        """Add a fault."""
        self.faults.append(FileFault(path, Fault(place, what, remedy)))


def read_folder(folder: Path) -> Folder:
    """Every graph file under `folder`. Never raises for what is in it: a folder that cannot be read is a fault."""
    read = Folder()
    if not folder.is_dir():
        read.note(str(folder), START, "is not a folder", "Name a folder laid out like services/registry/seed.")
        return read
    texts = _texts(folder, read)
    if not read.faults:
        add_texts(texts, read)
    return read


def read_texts(files: Mapping[str, bytes]) -> Folder:
    """The same for files at hand."""
    read = Folder()
    add_texts(files, read)
    return read


def is_graph_path(path: str) -> bool:
    """Whether a graph file may have this path below its folder; nothing else is ever written."""
    parts = PurePosixPath(path).parts
    if path in FILES or path == VOCABULARIES:
        return True
    return len(parts) == 2 and parts[0] == AGREEMENTS and "/".join(parts) == path and bool(_NAME.fullmatch(parts[1]))


def _texts(folder: Path, read: Folder) -> dict[str, bytes]:
    """The bytes of each file; nothing is read where there is too much of it."""
    found = sorted(path for path in folder.glob("**/*.y*ml") if path.suffix in (".yaml", ".yml"))
    sizes = {path.relative_to(folder).as_posix(): path.stat().st_size for path in found}
    if len(sizes) > FILES_MAX:
        read.note(str(folder), START, f"holds {len(sizes)} graph files; {FILES_MAX} is the most", _BULK)
    if sum(sizes.values()) > FOLDER_BYTES_MAX:
        what = f"holds {_mib(sum(sizes.values()))} of graph files; {_mib(FOLDER_BYTES_MAX)} is the most"
        read.note(str(folder), START, what, _BULK)
    for path, size in sizes.items():
        if size > FILE_BYTES_MAX:
            what = f"the file has {_mib(size)}; {_mib(FILE_BYTES_MAX)} is the most"
            read.note(path, START, what, "Split it: each agreement may have a file of its own.")
    return {} if read.faults else {path: (folder / path).read_bytes() for path in sizes}


_BULK = "Send that much in chunks to a change of the registry (POST /v1/changes/{id}/objects), without files."


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"


def add_texts(files: Mapping[str, bytes], read: Folder) -> None:
    """Read files into `read`: vocabularies first, then in the order of their paths."""
    read.files.update(files)
    if VOCABULARIES not in files:
        read.note(VOCABULARIES, START, "there is no such file", "Add it: it holds the words that agreements use.")
    for path in sorted(files, key=lambda name: (name != VOCABULARIES, PurePosixPath(name).parts)):
        if not is_graph_path(path):
            remedy = f"Known are {', '.join([VOCABULARIES, *FILES])} and {AGREEMENTS}/NAME.yaml."
            read.note(path, START, "is not a file of the graph", remedy)
            continue
        content = read_nodes(files[path])
        read.faults += [FileFault(path, fault) for fault in content.faults]
        if content.root is not None:
            read.items += _items(path, content.root, read)


def _items(path: str, root: Node, read: Folder) -> Iterator[Item]:
    if not isinstance(root.value, dict) or "format" not in root.value:
        read.note(path, root.place, "says no format", f"Begin the file with `format: {FORMAT}`.")
        return
    stated = root.value["format"].node
    if stated.value != FORMAT:
        read.note(path, stated.place, f"the format {stated.value!r} is not known", f"This program reads {FORMAT}.")
        return
    for key, entry in root.value.items():
        if key == "format":
            continue
        if path == VOCABULARIES:
            yield _vocabulary(key, entry)
        elif key not in (allowed := FILES.get(path, frozenset({AGREEMENTS}))):
            near = get_close_matches(key, allowed, 1)
            hint = f"Did you mean {near[0]!r}?" if near else f"Here may stand: {', '.join(sorted(allowed))}."
            read.note(path, entry.place, f"the key {key!r} is not known here", hint)
        else:
            yield from _objects(path, key, entry, read)


def _vocabulary(name: str, entry: Entry) -> Item:
    row = {"kind": "vocabulary", "id": name, vocabulary_key(entry.node.value): entry.node.plain()}
    return Item("vocabulary", name, VOCABULARIES, name, entry.node, row)


def vocabulary_key(content: object) -> str:
    """Under which key of the object a vocabulary's content stands."""
    return "terms" if isinstance(content, list) else "value"


def _objects(path: str, key: str, entry: Entry, read: Folder) -> Iterator[Item]:
    content = entry.node.value
    if key == "policy":
        if isinstance(content, dict):
            yield Item(
                "policy", "policy", path, key, entry.node, {"kind": "policy", "id": "policy", **entry.node.plain()}
            )
        else:
            read.note(path, entry.node.place, "the policy must be a mapping", "Write its keys below it.")
        return
    if not isinstance(content, list):
        read.note(path, entry.node.place, f"{key} must be a list", "Begin each object with `- id: …`.")
        return
    yield from filter(None, (_object(path, key, node, read) for node in content))


def _object(path: str, key: str, node: Node, read: Folder) -> Item | None:
    name = node.value.get("id") if isinstance(node.value, dict) else None
    if name is None:
        read.note(path, node.place, f"a {ROWS[key]} without an id", "Give it `id:`, a word of letters, digits and `-`.")
        return None
    if not isinstance(name.node.value, str) or not _ID.fullmatch(name.node.value):
        what = f"{name.node.source!r} is no id"
        read.note(path, name.node.place, what, "Use letters, digits, `-` and `_`, 128 at most, in quotes if a number.")
        return None
    own = {"type" if name == "kind" else name: value for name, value in node.plain().items()}
    return Item(ROWS[key], name.node.value, path, key, node, {"kind": ROWS[key], **own})
