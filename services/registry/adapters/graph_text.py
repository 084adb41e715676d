"""Graph files brought up to date: what changed is written into the text, every other byte stays as it was.

What is written is read again and compared. Where a change cannot be put into the lines at hand, the object is written
anew, and at worst its file: the files always hold exactly the objects asked for.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from services.registry.adapters.graph_files import (
    AGREEMENTS,
    FILES,
    FORMAT,
    ROWS,
    VOCABULARIES,
    Item,
    is_graph_path,
    read_texts,
)
from services.registry.adapters.yaml_edits import (
    Coarse,
    Edit,
    Text,
    edits_for,
    entry_anew,
    entry_edits,
    entry_lines,
    item_lines,
    open_item_lines,
)
from services.registry.adapters.yaml_nodes import Node, read_nodes

Row = Mapping[str, Any]
Key = tuple[str, str]
Patch = Callable[[Text, Node | None, Item, Any], Sequence[Edit]]
LISTS = {kind: key for key, kind in ROWS.items()}
HOMES = {ROWS.get(key, key): name for name, keys in FILES.items() for key in keys}
ALONE_MAX = 1_000
"""So many new agreements get a file each; of more, those whose ids have a digest that begins alike share one."""
# The order in which a person expects the keys; the registry keeps objects with their keys sorted.
ORDER = (
    "id", "lineage", "instrument", "name", "title", "short", "kind", "org", "role", "capacity", "regulates", "nations",
    "parent", "exists", "sector", "register", "bars", "holders", "effect", "mode", "direction", "from", "to",
    "effective", "novation", "parties", "in_force", "supersedes", "supports", "status", "binding", "review_due",
    "when", "categories", "purposes", "fields", "onward", "limits", "summary", "certainty", "content_certainty",
    "source", "note", "originator", "received_at", "nation", "subjects", "remits", "members", "steps", "gateways",
    "clauses", "concern", "expect", "told", "examples",
)  # fmt: skip
_RANK = {key: rank for rank, key in enumerate(ORDER)}


def updated(files: Mapping[str, bytes], objects: Iterable[Row]) -> dict[str, bytes]:
    """The files so that they hold exactly these objects; a file in which nothing changes keeps every byte.

    A file that cannot be read as a graph file is not used. A file that is left without an object is left out.
    """
    wanted = {(str(row["kind"]), str(row["id"])): row for row in objects}
    usable = _usable(files)
    homes = _homes(usable, wanted)
    by_file: dict[str, dict[Key, Row]] = defaultdict(dict)
    for key, row in wanted.items():
        by_file[homes[key]][key] = row
    return {path: _file(path, usable.get(path), by_file[path]) for path in sorted(by_file)}


def _usable(files: Mapping[str, bytes]) -> dict[str, bytes]:
    known = {path: data for path, data in files.items() if is_graph_path(path)}
    broken = {fault.path for fault in read_texts(known).faults}
    return {path: data for path, data in known.items() if path not in broken}


def _homes(files: Mapping[str, bytes], wanted: Mapping[Key, Row]) -> dict[Key, str]:
    """Where each object stands: where it stood, else beside its lineage, else in the file of its kind."""
    homes: dict[Key, str] = {}
    lineages: dict[str, str] = {}
    for item in read_texts(files).items:
        homes.setdefault((item.kind, item.id), item.path)
        if item.kind == "agreement":
            lineages[str(item.row.get("lineage"))] = item.path
    new = [key for key in wanted if key not in homes]
    are_many = sum(kind == "agreement" for kind, _ in new) > ALONE_MAX
    for key in new:
        homes[key] = lineages.get(str(wanted[key].get("lineage"))) or _home(*key, shared=are_many)
    return homes


def _home(kind: str, name: str, *, shared: bool) -> str:
    if kind == "vocabulary":
        return VOCABULARIES
    if kind != "agreement":
        return HOMES[kind]
    digest = hashlib.sha256(name.encode()).hexdigest()
    return f"{AGREEMENTS}/{f'part-{digest[:2]}' if shared else name}.yaml"


def _file(path: str, data: bytes | None, wanted: Mapping[Key, Row]) -> bytes:
    """The file with these objects: patched, else with objects written anew, else written whole."""
    if data is None:
        return _written("", wanted)
    for patch in (_finely, _by_object):
        try:
            done = patch(path, data, wanted)
        except Coarse:
            continue
        if _holds(path, done, wanted):
            return done
    return _written(_heading(data.decode()), wanted)


def _holds(path: str, data: bytes, wanted: Mapping[Key, Row]) -> bool:
    read = read_texts({path: data})
    own = [fault for fault in read.faults if fault.path == path]
    return not own and len(read.items) == len(wanted) and {(i.kind, i.id): i.row for i in read.items} == wanted


def _finely(path: str, data: bytes, wanted: Mapping[Key, Row]) -> bytes:
    """Only the fields that differ. Raises Coarse."""
    return _patched(path, data, wanted, _fields)


def _by_object(path: str, data: bytes, wanted: Mapping[Key, Row]) -> bytes:
    """Each object that differs. Raises Coarse."""
    return _patched(path, data, wanted, _anew)


def _patched(path: str, data: bytes, wanted: Mapping[Key, Row], patch: Patch) -> bytes:
    items = {(item.kind, item.id): item for item in read_texts({path: data}).items}
    text, root = Text(data.decode()), read_nodes(data).root
    edits: list[Edit] = []
    for key, item in items.items():
        if key not in wanted:
            edits.append(_removed(text, item))
        elif wanted[key] != item.row:
            edits += patch(text, root, item, _content(wanted[key], item.node))
    new = {key: row for key, row in wanted.items() if key not in items}
    edits += _added(text, root, new)
    return text.applied(edits).encode()


def _fields(text: Text, root: Node | None, item: Item, content: Any) -> list[Edit]:
    if item.kind not in LISTS and root:
        return list(entry_edits(text, item.key, root.value[item.key], content))
    try:
        return list(edits_for(text, item.node, content))
    except Coarse:
        return _anew(text, root, item, content)


def _anew(text: Text, root: Node | None, item: Item, content: Any) -> list[Edit]:
    if item.kind not in LISTS and root:
        return [entry_anew(text, item.key, root.value[item.key], content)]
    before = text.prefix(item.node.place.line, item.node.place.column)
    if before.strip() != "-":
        raise Coarse
    indent = before[: before.index("-")]
    lines = [indent + line for line in _lines(item.kind, item.id, content)]
    return [text.whole(item.node.place.line, item.node.last, lines)]


def _removed(text: Text, item: Item) -> Edit:
    if text.prefix(item.node.place.line, item.node.place.column).strip() != "-":
        raise Coarse
    return text.whole(item.node.place.line, item.node.last, [])


def _added(text: Text, root: Node | None, new: Mapping[Key, Row]) -> Iterator[Edit]:
    """New objects behind the last of their list; a list that is not there yet at the end of the file."""
    by_list: dict[str, list[str]] = defaultdict(list)
    for (kind, name), row in new.items():
        by_list[LISTS.get(kind, name)] += _lines(kind, name, _content(row, None))
    for key, lines in by_list.items():
        entry = root.value.get(key) if root and isinstance(root.value, dict) else None
        if entry is None:
            heading = [f"{key}:"] if next(iter(new))[0] in LISTS else []
            end = text.text.count(text.newline) + 2
            yield text.whole(end, end - 1, heading + [f"  {line}" if heading else line for line in lines])
        elif entry.node.flow:
            raise Coarse
        else:
            indent = " " * (entry.node.place.column - 1)
            yield text.whole(entry.node.last + 1, entry.node.last, [indent + line for line in lines])


def _lines(kind: str, name: str, content: Any) -> list[str]:
    """An object as it stands in its file, without indentation: an item of a list, or a key with its value."""
    if kind == "source":  # a line each, as a list of literature
        return item_lines(content)
    return open_item_lines(content) if kind in LISTS else entry_lines(name, content)


def _content(row: Row, node: Node | None) -> Any:
    """The object as its file states it, keys in the order of `node` where they stand there, else as people expect."""
    if row["kind"] == "vocabulary":
        content = next(value for key, value in row.items() if key not in ("kind", "id"))
    elif row["kind"] == "policy":
        content = {key: value for key, value in row.items() if key not in ("kind", "id")}
    else:
        content = {"kind" if key == "type" else key: value for key, value in row.items() if key != "kind"}
    return _ordered(content, node)


def _ordered(value: Any, node: Node | None) -> Any:
    if isinstance(value, Mapping):
        stated = list(node.value) if node and isinstance(node.value, dict) else []
        rank = {key: number for number, key in enumerate(stated)}
        keys = sorted(value, key=lambda key: (rank.get(key, len(rank)), _RANK.get(key, len(_RANK)), key))
        return {key: _ordered(value[key], _inner(node, key)) for key in keys}
    if isinstance(value, Sequence) and not isinstance(value, str):
        inner = node.value if node and isinstance(node.value, list) else []
        return [_ordered(item, inner[n] if n < len(inner) else None) for n, item in enumerate(value)]
    return value


def _inner(node: Node | None, key: str) -> Node | None:
    entry = node.value.get(key) if node and isinstance(node.value, dict) else None
    return entry.node if entry else None


def _heading(text: str) -> str:
    """The comments with which a file begins."""
    lines = text.splitlines()
    count = next((number for number, line in enumerate(lines) if not line.startswith("#")), len(lines))
    return "".join(f"{line}\n" for line in lines[:count])


def _written(heading: str, wanted: Mapping[Key, Row]) -> bytes:
    by_list: dict[str, list[str]] = {}
    lines: list[str] = []
    for (kind, name), row in wanted.items():
        if kind in LISTS:
            by_list.setdefault(LISTS[kind], []).extend(f"  {line}" for line in _lines(kind, name, _content(row, None)))
        else:
            lines += _policy_or_words(kind, name, row)
    for key, items in by_list.items():
        lines += [f"{key}:", *items]
    return "".join([heading, *(f"{line}\n" for line in [f"format: {FORMAT}", *lines])]).encode()


def _policy_or_words(kind: str, name: str, row: Row) -> list[str]:
    return entry_lines("policy" if kind == "policy" else name, _content(row, None))
