"""From the reader's word of where (`agreement mou-x.clauses c1.when.categories 2`) to a line of a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from services.registry.adapters.graph_files import VOCABULARIES, Folder, Item
from services.registry.adapters.yaml_nodes import Node, Place
from shared.agreements import Problem

START = Place(1, 1)
# A word of the checks that compare objects, and the list of the object that it is about.
LISTS = {
    "clause": "clauses",
    "party": "parties",
    "gateway": "gateways",
    "remit": "remits",
    "steps": "steps",
    "example": "examples",
}
# Which key of the object a problem is about, where its words say so.
KEYS = (
    (re.compile(r"supersedes"), "supersedes"),
    (re.compile(r"does not start on the day|overlaps .* of lineage"), "in_force"),
    (re.compile(r"supports its own"), "supports"),
    (re.compile(r"delivers to"), "deliver_to"),
    (re.compile(r"a planned one has no day"), "effective"),
    (re.compile(r"^names .*, which does not hold it"), "bars"),
    (re.compile(r"does not name this bar"), "holders"),
    (re.compile(r"two signatories"), "parties"),
    (re.compile(r"a promise can only"), "status"),
    (re.compile(r"^from: "), "from"),
    (re.compile(r"^to: "), "to"),
    (re.compile(r"only be told"), "to"),
    (re.compile(r"holders of the bar only"), "from"),
    (re.compile(r"runs in a circle"), "to"),
    (re.compile(r"^the interval \["), "from"),
    (re.compile(r"^review_due"), "review_due"),
)
_WORD = re.compile(r"'([^']*)'|names (\S+), which|^(\S+) does not name")
_TIMES = re.compile(r"^'([^']*)' is there \d+ times")


@dataclass(frozen=True, slots=True)
class Found:
    """The place of a problem: the file, where in it, the value there, and the object that it belongs to."""

    path: str
    place: Place
    node: Node | None = None
    item: Item | None = None
    first: tuple[str, Place] | None = None
    """Where the same thing stands before, for what is there twice."""


def place_of(problem: Problem, folder: Folder) -> Found:
    """Where the problem is: as near as the files tell, at worst the top of the file that it concerns."""
    times = _TIMES.match(problem.what)
    if times and problem.where == "agreement, duty and bar":
        return _second([item for item in folder.items if item.id == times[1] and item.kind in _SHARING], problem)
    items = _items(problem, folder)
    if problem.what == "is there twice" or problem.where == "policy":
        return _second(items, problem)
    if not items:
        return Found(_file_of(problem), START)
    return _inside(items[0], problem)


_SHARING = ("agreement", "duty", "bar")


def _items(problem: Problem, folder: Folder) -> list[Item]:
    """The objects that `KIND ID…` can mean; an id holds neither a dot nor a space."""
    kind, _, rest = problem.where.partition(" ")
    name = re.split(r"[. ]", rest, maxsplit=1)[0]
    if kind == "object" and rest.isdigit():
        return folder.items[int(rest) - 1 : int(rest)]
    if kind == "policy":
        return [item for item in folder.items if item.kind == "policy"]
    if kind == "purposes":
        return [item for item in folder.items if (item.kind, item.id) == ("vocabulary", "purposes")]
    named = [item for item in folder.items if (item.kind, item.id) == (kind, name)]
    if not named and kind == "succession":  # a circle is told by the body at which it begins
        return [item for item in folder.items if item.kind == kind and item.row.get("from") == name]
    return named


def _file_of(problem: Problem) -> str:
    kind = problem.where.partition(" ")[0]
    return "policy.yaml" if kind == "policy" else VOCABULARIES


def _second(items: list[Item], problem: Problem) -> Found:
    if not items:
        return Found(_file_of(problem), START)
    first, last = items[0], items[-1]
    before = (first.path, first.node.place) if len(items) > 1 else None
    return Found(last.path, last.node.place, last.node, last, before)


def _inside(item: Item, problem: Problem) -> Found:
    kind, _, rest = problem.where.partition(" ")
    path = rest[len(item.id) :] if kind == item.kind and kind != "policy" else f" {rest}" if rest else ""
    if kind == "policy":
        path = problem.where.removeprefix("policy").removeprefix(" policy")
    walk = _Walk(item.node, item.node.place)
    walk.follow(path)
    first = walk.narrow(problem.what)
    return Found(item.path, walk.place, walk.node, item, (item.path, first) if first else None)


class _Walk:
    """Goes down from an object along a path, as far as the path and the file agree."""

    def __init__(self, node: Node, place: Place) -> None:
        self.node = node
        self.place = place
        self._listed: Node | None = None

    def follow(self, path: str) -> None:
        """`.key` goes into a mapping, ` name` into a list by `id`, `org` or number."""
        while path:
            if path[0] == ".":
                taken = self._into_key(path[1:])
            elif isinstance(self.node.value, list):
                taken = self._into_list(path[1:])
            else:
                taken = self._into_named_list(path[1:])
            if not taken:
                return
            path = path[1 + taken :]

    def narrow(self, what: str) -> Place | None:
        """Closer by the words of the problem; gives where the same stands first, for what is repeated."""
        for pattern, key in KEYS:
            if pattern.search(what):
                self._enter(key)
        if times := _TIMES.match(what):
            return self._to_second(times[1].split(" from ")[0])
        if what.startswith("is a party twice") and _names(self.node):
            return self._to_second(_names(self.node)[0])
        if what == "repeats a value":
            return self._to_repeated()
        if word := _WORD.search(what):
            self._to_word(next(filter(None, word.groups()), ""), is_key="unknown key" in what)
        return None

    def _into_key(self, rest: str) -> int:
        """How much of `rest` was taken; a vocabulary's content stands without its key `terms` or `value`."""
        if isinstance(self.node.value, dict):
            for key in sorted(self.node.value, key=len, reverse=True):
                name = "type" if key == "kind" else key
                if _begins(rest, name):
                    self._enter(key)
                    return len(name)
        return next((len(name) for name in ("terms", "value") if _begins(rest, name)), 0)

    def _into_list(self, rest: str) -> int:
        for number, child in enumerate(self.node.value, 1):
            for name in (*_names(child), str(number)):
                if _begins(rest, name):
                    self._stand(child, child.place)
                    return len(name)
        return 0

    def _into_named_list(self, rest: str) -> int:
        word = re.split(r"[. ]", rest, maxsplit=1)[0]
        name = rest[len(word) + 1 :]
        for children in self._lists(LISTS.get(word, word)):
            found = _child(children, name)
            if found or not name:
                self._listed = children
                self._stand(found or children, (found or children).place)
                return len(rest)
        return 0

    def _lists(self, key: str) -> Iterator[Node]:
        """The list of that key; a bar's clauses stand in its gateways."""
        content = self.node.value if isinstance(self.node.value, dict) else {}
        if key in content:
            yield content[key].node
        elif key == "clauses" and "gateways" in content:
            permits = [gateway.value.get("permits") for gateway in content["gateways"].node.value]
            yield Node(self.place, 0, [entry.node for entry in permits if entry])

    def _enter(self, key: str) -> None:
        if isinstance(self.node.value, dict) and (entry := self.node.value.get(key)):
            inner: Node = entry.node
            is_block = isinstance(inner.value, dict | list) and not inner.flow
            self._stand(inner, entry.place if is_block else inner.place)

    def _to_word(self, word: str, *, is_key: bool) -> None:
        if isinstance(self.node.value, dict) and word in self.node.value:
            self.place = self.node.value[word].place
        elif isinstance(self.node.value, list) and not is_key and (found := _child(self.node.value, word)):
            self._stand(found, found.place)

    def _to_second(self, name: str) -> Place | None:
        same = [child for child in _children(self._listed or self.node) if name in _names(child) or child.value == name]
        if len(same) < 2:
            return None
        self._stand(same[-1], same[-1].place)
        return same[0].place

    def _to_repeated(self) -> Place | None:
        seen: dict[str, Place] = {}
        for child in _children(self.node):
            if (first := seen.setdefault(str(child.value), child.place)) != child.place:
                self._stand(child, child.place)
                return first
        return None

    def _stand(self, node: Node, place: Place) -> None:
        self.node, self.place = node, place


def _begins(rest: str, name: str) -> bool:
    return rest.startswith(name) and rest[len(name) : len(name) + 1] in ("", ".", " ")


def _names(child: Node) -> tuple[str, ...]:
    """As the reader names an item of a list: by its id, or else by its body."""
    if not isinstance(child.value, dict):
        return ()
    named = (child.value.get(key) for key in ("id", "org"))
    return tuple(str(entry.node.value) for entry in named if entry)[:1]


def _children(node: Node) -> list[Node]:
    return node.value if isinstance(node.value, list) else []


def _child(children: Node | Iterable[Node], name: str) -> Node | None:
    listed = _children(children) if isinstance(children, Node) else list(children)
    by_name = (child for child in listed if name in _names(child) or child.value == name)
    by_number = (child for number, child in enumerate(listed, 1) if str(number) == name)
    return next(by_name, None) or next(by_number, None)
