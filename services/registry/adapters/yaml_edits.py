"""Another value put into a YAML text: only the lines of what differs are written, comments and all else stay.

`edits_for` raises Coarse where the lines at hand do not allow it; the caller then writes a larger part anew. What
comes out is never trusted: the caller reads it again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml

from services.registry.adapters.yaml_nodes import Entry, Node

try:
    from yaml import CSafeDumper as SafeDumper
except ImportError:
    from yaml import SafeDumper  # type: ignore[assignment]  # the slower twin, same calls

WIDTH = 120
STEP = "  "
_BREAK = re.compile(r"\r\n|\r|\n")


class Coarse(Exception):
    """The change cannot be put into the lines at hand."""


class _Dumper(SafeDumper):
    """Writes values as graph files are written: inner lists and mappings in brackets, items under a dash indented."""

    def ignore_aliases(self, _data: Any) -> bool:
        """Equal values are written out each time: a graph file holds no anchors."""
        return True


@dataclass(frozen=True, slots=True, order=True)
class Edit:
    """Put `text` for what stands between two offsets of the text."""

    start: int
    end: int
    text: str


class Text:
    """A text by lines and columns that count from 1."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.newline = "\r\n" if "\r\n" in text else "\n"
        self._starts = [0, *(match.end() for match in _BREAK.finditer(text))]

    def start_of(self, line: int) -> int:
        """The offset at which the line begins, the text's end for lines behind it."""
        return self._starts[line - 1] if line <= len(self._starts) else len(self.text)

    def line(self, number: int) -> str:
        """The line without its break."""
        return self.text[self.start_of(number) : self.start_of(number + 1)].rstrip("\r\n")

    def prefix(self, line: int, column: int) -> str:
        """What stands before the column."""
        return self.line(line)[: column - 1]

    def whole(self, first: int, last: int, lines: Sequence[str]) -> Edit:
        """Put lines for whole lines; `last` below `first` puts them in before `first`."""
        start, end = self.start_of(first), self.start_of(last + 1)
        needs_break = lines and start == len(self.text) and self.text and not self.text.endswith(("\n", "\r"))
        text = "".join(f"{line}{self.newline}" for line in lines)
        return Edit(start, max(start, end), f"{self.newline if needs_break else ''}{text}")

    def applied(self, edits: Sequence[Edit]) -> str:
        """The text after all edits; those that put something in at one place stay in their order."""
        parts, at = [], 0
        for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
            if edit.start < at:
                raise Coarse
            parts += [self.text[at : edit.start], edit.text]
            at = edit.end
        return "".join([*parts, self.text[at:]])


def dumped(value: Any) -> list[str]:
    """The lines of a list or mapping as a graph file shows it: what holds no other list or mapping in brackets."""
    holds_scalars = isinstance(value, dict) and not any(isinstance(inner, dict | list) for inner in value.values())
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False if holds_scalars else None,
        width=WIDTH - 20,
        indent=2,
    )
    return text.rstrip("\n").split("\n")


def entry_lines(key: str, value: Any) -> list[str]:
    """The lines of one key with its value; lists of mappings stand indented under it."""
    if isinstance(value, list) and any(isinstance(item, dict | list) for item in value):
        return [*key_line(key), *(STEP + line for item in value for line in item_lines(item))]
    if isinstance(value, dict) and any(isinstance(inner, dict | list) for inner in value.values()):
        return [*key_line(key), *(STEP + line for inner in value.items() for line in entry_lines(*inner))]
    return dumped({key: value})


def key_line(key: str) -> list[str]:
    """The line of a key whose value stands below it."""
    return [line.removesuffix(" null") for line in dumped({key: None})]


def item_lines(item: Any) -> list[str]:
    """The lines of one item of a list, with its dash."""
    if isinstance(item, dict) and any(isinstance(inner, dict | list) for inner in item.values()):
        return open_item_lines(item)
    if isinstance(item, dict | list):
        return dumped([item])
    return [f"- {line}" if number == 0 else STEP + line for number, line in enumerate(_scalar(item))]


def open_item_lines(item: Mapping[str, Any]) -> list[str]:
    """The lines of a mapping as an item, one line or more for each key."""
    lines = [line for inner in item.items() for line in entry_lines(*inner)]
    return [f"{'- ' if number == 0 else STEP}{line}" for number, line in enumerate(lines)]


def _scalar(value: Any) -> list[str]:
    lines = dumped({"x": value})
    return [lines[0].removeprefix("x: "), *lines[1:]]


def edits_for(text: Text, node: Node, new: Any) -> Iterator[Edit]:
    """What to write so that the block at `node` reads as `new`. Raises Coarse."""
    if isinstance(node.value, dict) and isinstance(new, Mapping) and not node.flow and node.value:
        yield from _in_mapping(text, node, new)
    elif isinstance(node.value, list) and isinstance(new, list) and not node.flow and node.value and new:
        yield from _in_list(text, node, new)
    else:
        raise Coarse


def _is_block_like(node: Node, new: Any) -> bool:
    same = isinstance(new, dict) if isinstance(node.value, dict) else isinstance(new, list)
    return isinstance(node.value, dict | list) and same and not node.flow and bool(new)


def _in_mapping(text: Text, node: Node, new: Mapping[str, Any]) -> Iterator[Edit]:
    for key, entry in node.value.items():
        if key not in new:
            yield _without(text, entry.place.line, entry.place.column, entry.node.last)
        elif entry.node.plain() != new[key]:
            yield from entry_edits(text, key, entry, new[key])
    before: Entry | None = None
    for key, value in new.items():
        if key in node.value:
            before = node.value[key]
            continue
        after = before or next(reversed(node.value.values()))
        indent = " " * (node.place.column - 1)
        lines = [indent + line for line in entry_lines(key, value)]
        yield text.whole(after.node.last + 1, after.node.last, lines)


def entry_edits(text: Text, key: str, entry: Entry, new: Any) -> Iterator[Edit]:
    """What to write so that one key of a block mapping has the value `new`. Raises Coarse."""
    if _is_block_like(entry.node, new):
        try:
            yield from list(edits_for(text, entry.node, new))
            return
        except Coarse:
            pass
    yield entry_anew(text, key, entry, new)


def entry_anew(text: Text, key: str, entry: Entry, new: Any) -> Edit:
    """The whole key and its value; a comment behind the old value stays."""
    prefix = text.prefix(entry.place.line, entry.place.column)
    lines = _beside(prefix, entry_lines(key, new), text, entry.node)
    return text.whole(entry.place.line, entry.node.last, lines)


def _beside(prefix: str, lines: list[str], text: Text, node: Node) -> list[str]:
    """The lines behind what stands before them, with the comment that stood behind the old value."""
    indent = " " * len(prefix)
    placed = [f"{prefix if number == 0 else indent}{line}" for number, line in enumerate(lines)]
    tail = text.line(node.last)[node.stop - 1 :].rstrip() if node.stop and node.flow else ""
    if tail.lstrip().startswith("#"):
        at = 0 if placed[0].endswith(":") else -1
        placed[at] += tail
    return placed


def _without(text: Text, line: int, column: int, last: int) -> Edit:
    if text.prefix(line, column).strip():
        raise Coarse  # the dash of the item stands before it
    return text.whole(line, last, [])


def _in_list(text: Text, node: Node, new: list[Any]) -> Iterator[Edit]:
    pairs = _paired(node.value, new)
    indent = _dash(text, node.value[0])
    kept = {id(child) for child, _ in pairs if child}
    for child in node.value:
        if id(child) not in kept:
            _dash(text, child)
            yield text.whole(child.place.line, child.last, [])
    before: Node | None = None
    for child, value in pairs:
        if child is None:
            after = before.last if before else node.value[0].place.line - 1
            yield text.whole(after + 1, after, [indent + line for line in item_lines(value)])
            continue
        before = child
        if child.plain() != value:
            yield from _in_item(text, child, value)


def _in_item(text: Text, child: Node, value: Any) -> Iterator[Edit]:
    if _is_block_like(child, value):
        try:
            yield from list(edits_for(text, child, value))
            return
        except Coarse:
            pass
    indent = _dash(text, child)
    lines = _beside(indent, item_lines(value), text, child)
    yield text.whole(child.place.line, child.last, lines)


def _dash(text: Text, child: Node) -> str:
    """The spaces before the dash of an item. Raises Coarse where something else stands there too."""
    prefix = text.prefix(child.place.line, child.place.column)
    if not re.fullmatch(r" *- +", prefix):
        raise Coarse
    return prefix[: prefix.index("-")]


def _paired(old: list[Node], new: list[Any]) -> list[tuple[Node | None, Any]]:
    """Each new item with the old one that it replaces: by name where all have one, else by place."""
    names, wanted = [_name(child.plain()) for child in old], [_name(value) for value in new]
    if None in names or None in wanted or len(set(names)) < len(names) or len(set(wanted)) < len(wanted):
        if len(old) > len(new):
            raise Coarse
        return [(old[number] if number < len(old) else None, value) for number, value in enumerate(new)]
    common = [name for name in names if name in wanted]
    if not common or common != [name for name in wanted if name in names]:
        raise Coarse
    by_name = dict(zip(names, old, strict=True))
    return [(by_name.get(name), value) for name, value in zip(wanted, new, strict=True)]


def _name(value: Any) -> str | None:
    named = value.get("id") or value.get("org") or value.get("name") if isinstance(value, dict) else None
    return str(named) if named else None
