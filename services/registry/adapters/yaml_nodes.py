"""YAML text into values that know their place: line and column of every key and every value.

Only what a graph needs is taken: texts, whole numbers, true, false, null, lists and mappings with plain keys. Anchors,
aliases, tags and merge keys are refused, so that what is read is what is written and a small file stays small.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceEndEvent,
)

try:
    from yaml import CSafeLoader as Loader  # ten times as fast, where PyYAML was built with it
except ImportError:
    from yaml import SafeLoader as Loader  # type: ignore[assignment]  # the slower twin, same calls

DEPTH_MAX = 64
WHOLE_MAX = 2**53 - 1
_WHOLE = re.compile(r"-?(?:0|[1-9][0-9]*)")
_REFUSED = re.compile("[^\t\n\r\x20-\x7e\xa0-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]|[\u2028\u2029]")
_TAG = "tag:yaml.org,2002:"
_TRUE = frozenset({"yes", "true", "on"})


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """Where something begins in a file; line and column count from 1, columns in characters."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong at a place of a file, and what to do about it."""

    place: Place
    what: str
    remedy: str


@dataclass(slots=True)
class Node:
    """A value and where it stands.

    `value` is a scalar, a list of nodes, or a mapping from each key to `Entry`. `last` is the last line of the value
    itself, without what follows it, and `stop` the column behind it there, 0 where that is the line's end. `source` is
    a scalar as written, without its quotes; `flow` says that the value stands in brackets or is a scalar.
    """

    place: Place
    last: int
    value: Any
    source: str = ""
    quoted: bool = False
    flow: bool = False
    stop: int = 0

    def plain(self) -> Any:
        """The value without places."""
        if isinstance(self.value, dict):
            return {key: entry.node.plain() for key, entry in self.value.items()}
        if isinstance(self.value, list):
            return [item.plain() for item in self.value]
        return self.value


@dataclass(slots=True)
class Entry:
    """One key of a mapping, where the key stands, and its value."""

    place: Place
    node: Node


@dataclass(slots=True)
class Read:
    """A file as read: its value, None where it has none that can be used, and every fault that was found."""

    root: Node | None = None
    faults: list[Fault] = field(default_factory=list)


class _Words(yaml.resolver.Resolver):
    """What an unquoted word means; days stay text."""


_Words.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != f"{_TAG}timestamp"]
    for first, resolvers in yaml.resolver.Resolver.yaml_implicit_resolvers.items()
}


class _Unusable(Exception):
    """Reading cannot go on behind this place."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.what)
        self.fault = fault


def read_nodes(data: bytes) -> Read:
    """The one document of a YAML file with its places. Never raises: what is wrong is in `faults`."""
    text = _text(data)
    if isinstance(text, Fault):
        return Read(None, [text])
    if character := _REFUSED.search(text):
        what = f"the character U+{ord(character.group()):04X} is not allowed here"
        remedy = "Remove it, or write it as an escape in double quotes."
        return Read(None, [Fault(_place_of(text, character.start()), what, remedy)])
    return _Reader(yaml.parse(text, Loader=Loader)).read()


def _text(data: bytes) -> str | Fault:
    if data.startswith((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")):
        return Fault(Place(1, 1), "begins with a byte order mark", "Save the file as UTF-8 without one.")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as fault:
        before = data[: fault.start].decode("utf-8")
        what = f"the byte 0x{data[fault.start]:02X} is not UTF-8"
        return Fault(_place_of(before, len(before)), what, "Save the file as UTF-8.")


def _place_of(text: str, offset: int) -> Place:
    before = re.split(r"\r\n|\r|\n", text[:offset])
    return Place(len(before), len(before[-1]) + 1)


class _Reader:
    """Builds nodes from the parser's events; everything but broken syntax is noted and read past."""

    def __init__(self, events: Iterator[Event]) -> None:
        self._events = events
        self._words = _Words()
        self._faults: list[Fault] = []
        self._depth = 0

    def read(self) -> Read:
        try:
            root = self._document()
        except _Unusable as stop:
            return Read(None, [*self._faults, stop.fault])
        except yaml.MarkedYAMLError as error:
            return Read(None, [*self._faults, _syntax(error)])
        return Read(root, self._faults)

    def _document(self) -> Node:
        next(self._events)  # the stream begins
        event = next(self._events)
        if not isinstance(event, DocumentStartEvent):
            raise _Unusable(Fault(Place(1, 1), "the file is empty", "Begin it with `format: concordat.graph/1`."))
        root = self._node(next(self._events))
        next(self._events)  # the document ends
        more = next(self._events)
        if isinstance(more, DocumentStartEvent):
            self._note(_place(more), "a second document begins here", "Keep one document in a file.")
        return root

    def _note(self, place: Place, what: str, remedy: str) -> None:
        self._faults.append(Fault(place, what, remedy))

    def _node(self, event: Event) -> Node:
        if isinstance(event, AliasEvent):
            self._note(_place(event), f"the alias *{event.anchor} is not read", "Write the value out.")
            return Node(_place(event), _last_line(event), None, flow=True)
        assert isinstance(event, NodeEvent)  # noqa: S101 - the parser gives nothing else here
        if event.anchor:
            self._note(_place(event), f"the anchor &{event.anchor} is not read", "Remove it; write values out.")
        if isinstance(event, ScalarEvent):
            return self._scalar(event)
        return self._collection(event)

    def _collection(self, event: NodeEvent) -> Node:
        if self._depth == DEPTH_MAX:
            what = f"values are nested more than {DEPTH_MAX} deep"
            raise _Unusable(Fault(_place(event), what, "Nothing in a graph is: take brackets away."))
        self._untagged(event)
        self._depth += 1
        inner: Callable[[Node], Event] = self._mapping if isinstance(event, MappingStartEvent) else self._sequence
        place = _place(event)
        node = Node(place, place.line, None, flow=bool(getattr(event, "flow_style", False)))
        end = inner(node)
        if node.flow:
            node.last, node.stop = _last_line(end), _stop(end)
        self._depth -= 1
        return node

    def _untagged(self, event: NodeEvent) -> None:
        tag = getattr(event, "tag", None)
        if tag not in (None, "!"):
            self._note(_place(event), f"the tag {tag} is not read", "Remove it.")

    def _sequence(self, node: Node) -> Event:
        node.value = []
        while not isinstance(event := next(self._events), SequenceEndEvent):
            node.value.append(item := self._node(event))
            node.last = max(node.last, item.last)
        return event

    def _mapping(self, node: Node) -> Event:
        node.value = {}
        while not isinstance(event := next(self._events), MappingEndEvent):
            key, place = self._key(event), _place(event)
            value = self._node(next(self._events))
            node.last = max(node.last, value.last)
            if key in node.value:
                first = node.value[key].place
                self._note(place, f"the key {key!r} is given twice", f"The first is on line {first.line}: keep one.")
            elif key is not None:
                node.value[key] = Entry(place, value)
        return event

    def _key(self, event: Event) -> str | None:
        key = self._node(event)
        if isinstance(event, ScalarEvent) and key.source == "<<" and not key.quoted:
            self._note(key.place, "the merge key << is not read", "Write the keys out.")
            return None
        if not isinstance(key.value, str):
            remedy = f"Put it in quotes: '{key.source}'." if isinstance(event, ScalarEvent) else "Write one word."
            self._note(key.place, "a key must be a text", remedy)
            return None
        return key.value

    def _scalar(self, event: ScalarEvent) -> Node:
        self._untagged(event)
        quoted = bool(event.style)  # None or "" where there are no quotes, by the parser
        value: Any = event.value if quoted else self._word(event)
        return Node(_place(event), _last_line(event), value, event.value, quoted, flow=True, stop=_stop(event))

    def _word(self, event: ScalarEvent) -> Any:
        """Only the plainest numbers are taken: YAML reads 10:00 as 600 and 010 as 8."""
        resolve: Callable[..., object] = self._words.resolve
        meaning = str(resolve(yaml.ScalarNode, event.value, (True, False))).removeprefix(_TAG)
        if meaning == "null":
            return None
        if meaning == "bool":
            return event.value.lower() in _TRUE
        if meaning == "int" and _WHOLE.fullmatch(event.value) and abs(int(event.value[:17])) <= WHOLE_MAX:
            return int(event.value)
        if meaning in ("int", "float"):
            what = f"{event.value} reads as a number that a graph does not hold"
            self._note(_place(event), what, f"If it is a text, put it in quotes: '{event.value}'.")
        return event.value


def _place(event: Event) -> Place:
    mark: Any = event.start_mark
    return Place(mark.line + 1, mark.column + 1)


def _last_line(event: Event) -> int:
    """A value that ends at the start of a line ended with the line before it: a block of text takes its line break."""
    end: Any = event.end_mark
    return int(end.line + 1 if end.column or end.line + 1 == _place(event).line else end.line)


def _stop(event: Event) -> int:
    end: Any = event.end_mark
    return int(end.column + 1) if end.line + 1 == _last_line(event) else 0


def _syntax(error: yaml.MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
    problem = error.problem or "this is no YAML"
    what = f"{problem} ({error.context})" if error.context else problem
    return Fault(place, what, _syntax_remedy(error, mark))


def _syntax_remedy(error: yaml.MarkedYAMLError, mark: Any) -> str:
    if "start any token" in (error.problem or ""):
        return "Indent with spaces, never with tabs, and quote a text that begins with one of @ ` % or a tab."
    if "mapping values" in (error.problem or ""):
        return "Quote a text that holds a colon and a space."
    if error.context and error.context_mark and mark and error.context_mark.line != mark.line:
        return f"What is not closed began on line {error.context_mark.line + 1}."
    return "Check indentation, brackets and quotes around this place."
