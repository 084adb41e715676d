"""Everything that a concern may say, as a finite space: boxes of bit masks, one mask for each key.

A concern of the space has one category, at most one subject with at most one register, at most one topic and one
function. Fewer values never open a clause, and every clause that more values could open is opened by one of them; so
whatever is found here is all there is. What an originator chooses freely stands at its most favourable for every
clause: all purposes, the highest urgency, every flag that a clause asks for, nothing sensitive. A body that cannot be
told such a concern can be told none of its kind.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from shared.agreements import Graph
from shared.agreements.model import NAMED, Remit, Scope, Terms
from shared.agreements.vocabulary import Vocabulary

Box = tuple[int, ...]
Term = str | None
Subject = tuple[str, str | None] | None

WITHOUT_REGISTER = frozenset({"provider", "setting", "public-body", "product", "system"})
"""Subject kinds that are on no professional register: registers list persons."""
CATEGORY, NATION, SUBJECT, SETTING, VICTIM, STATUS, FAULT, TOPIC, FUNCTION = range(9)
_WORDS = {
    SETTING: ("settings", "setting"),
    VICTIM: ("victims", "victim"),
    STATUS: ("provider_status", "provider_status"),
    FAULT: ("fault_holders", "fault_holder"),
}
NAMES = ("category", "nation", "subject", "setting", "victim", "provider status", "fault", "topic", "function")


class Space:
    """The keys and values of one graph's vocabularies; None stands for a key that the concern does not state."""

    def __init__(self, graph: Graph) -> None:
        words = graph.vocabularies
        self.graph = graph
        self.categories = words.ids("categories")
        self.subjects = _subjects(words)
        self.values: tuple[tuple[Any, ...], ...] = (
            self.categories,
            (*words.ids("nations"), None),
            self.subjects,
            *((None, *words.ids(listed)) for listed, _ in _WORDS.values()),
            (None, *words.ids("topics")),
            (None, *words.ids("functions")),
        )
        self.full: Box = tuple((1 << len(values)) - 1 for values in self.values)
        self._places = tuple({value: place for place, value in enumerate(values)} for values in self.values)
        self._none = tuple(self.mask(key, (None,)) for key in range(len(self.values)))
        self._implied = _implied(graph)
        self.urgency = words.ids("urgency")[-1] if words.ids("urgency") else None
        self.purposes = words.ids("purposes")
        self.flags = _flags(graph)
        self.names_bodies = any(NAMED in c.recipients for row in graph.sharing().values() for c in row.clauses)

    def mask(self, key: int, values: Iterable[Any]) -> int:
        """The bits of these values; a word that the vocabulary does not have has none."""
        places = self._places[key]
        return sum({1 << places[value] for value in values if value in places})

    def category_bit(self, category: str) -> int:
        return self.mask(CATEGORY, (category,))

    def clause_box(self, scope: Scope) -> Box:
        """Where a clause's `when` matches a concern that also has the further categories that it demands; topics that
        it leaves out by name are outside."""
        box = self._scope_box(scope)
        box[CATEGORY] = self.mask(CATEGORY, scope.categories)
        box[FUNCTION] = self._asked(FUNCTION, scope.functions)
        box[TOPIC] &= ~self.mask(TOPIC, scope.topics_none or ())
        return tuple(box)

    def alone(self, box: Box, scope: Scope) -> Box | None:
        """The part of a clause's box that a concern of one category reaches; a clause may demand more than one."""
        if not scope.needs_all:
            return box
        mask = box[CATEGORY] & self.mask(CATEGORY, (c for c in scope.categories if scope.needs_all <= {c}))
        return with_key(box, CATEGORY, mask) if mask else None

    def excluded_box(self, scope: Scope) -> Box | None:
        """Where the clause names the topic only to leave it out: silence that is meant (rule 15)."""
        if not scope.topics_none:
            return None
        box = self._scope_box(scope)
        box[CATEGORY] = self.mask(CATEGORY, scope.categories)
        box[TOPIC] &= self.mask(TOPIC, scope.topics_none)
        return self.alone(tuple(box), scope)

    def remit_boxes(self, remits: Iterable[Remit], day: date) -> tuple[Box, ...]:
        """What the body should know on the day. A remit that asks for functions also takes those that a category
        implies, so it may be two boxes."""
        assumed = self.graph.policy.assumed_remits
        return tuple(
            box
            for remit in remits
            if remit.span.covers(day) and (assumed or not remit.assumed)
            for box in self._remit_boxes(remit.scope)
            if all(box)
        )

    def _remit_boxes(self, scope: Scope) -> Iterator[Box]:
        if scope.purposes is not None and not scope.purposes:
            return
        box = self._scope_box(scope)
        named = self.mask(CATEGORY, scope.categories)
        asked = scope.functions
        if asked is None:
            box[CATEGORY] = named
            yield tuple(box)
            return
        implied = self.mask(CATEGORY, (c for c in scope.categories if self._implied.get(c, frozenset()) & asked))
        unstated = self.mask(FUNCTION, (None,))
        for categories, functions in ((named & ~implied, 0), (implied, unstated)):
            box[CATEGORY], box[FUNCTION] = categories, self.mask(FUNCTION, asked) | functions
            yield tuple(box)

    def _scope_box(self, scope: Scope) -> list[int]:
        box = list(self.full)
        box[NATION] = self._asked(NATION, scope.nations)
        box[SUBJECT] = self._subjects_of(scope)
        box[TOPIC] = self._asked(TOPIC, scope.topics)
        stated = (scope.settings, scope.victims, scope.provider_status, scope.fault_holders)
        for key, asked in zip(_WORDS, stated, strict=True):
            box[key] = self._asked(key, asked)
        return box

    def _asked(self, key: int, asked: Terms | None) -> int:
        return self.full[key] if asked is None else self.mask(key, asked)

    def _subjects_of(self, scope: Scope) -> int:
        kinds, registers = scope.subject_kinds, scope.registers
        if kinds is None and registers is None:
            return self.full[SUBJECT]
        fitting = (
            subject
            for subject in self.subjects
            if subject and (kinds is None or subject[0] in kinds) and (registers is None or subject[1] in registers)
        )
        return self.mask(SUBJECT, fitting)

    def concern(self, box: Box, originator: str, body: str, day: date) -> dict[str, Any]:
        """The plainest concern of the box, received at noon on the day. `body` is named, where naming can matter."""
        values = [self.values[key][_lowest(mask)] for key, mask in enumerate(box)]
        subject = values[SUBJECT]
        stated = {
            "nation": values[NATION],
            **{name: values[key] for key, (_, name) in _WORDS.items()},
            "topics": [values[TOPIC]] if values[TOPIC] else None,
            "functions": [values[FUNCTION]] if values[FUNCTION] else None,
            "subjects": [_subject_json(subject)] if subject else None,
            "flags": list(self.flags) or None,
            "urgency": self.urgency,
            "named_recipients": [body] if self.names_bodies else None,
        }
        return {
            "originator": originator,
            "originator_ref": "example",
            "version": 1,
            "received_at": f"{day.isoformat()}T12:00:00Z",
            "categories": [values[CATEGORY]],
            "purposes": list(self.purposes),
            **{key: value for key, value in stated.items() if value is not None},
        }

    def unstated(self, box: Box) -> int:
        """How many keys the box leaves no value for but none: a gap is best shown by what can be said."""
        return sum(mask == self._none[key] for key, mask in enumerate(box))

    def words_of(self, box: Box, whole: Box) -> str:
        """How a part of a box differs from the whole, in words: `the setting is hospice or not stated`."""
        parts = [
            f"the {NAMES[key]} is {_listed(map(_word, _values(self.values[key], mask)))}"
            for key, (mask, all_of_it) in enumerate(zip(box, whole, strict=True))
            if key != CATEGORY and mask != all_of_it
        ]
        return " and ".join(parts)


def minus(box: Box, other: Box) -> tuple[Box, ...]:
    """The part of a box outside another, as boxes without overlap."""
    if any(not mine & theirs for mine, theirs in zip(box, other, strict=True)):
        return (box,)
    pieces, rest = [], list(box)
    for key, theirs in enumerate(other):
        if outside := rest[key] & ~theirs:
            pieces.append((*rest[:key], outside, *rest[key + 1 :]))
            rest[key] &= theirs
    return tuple(pieces)


def minus_all(boxes: Iterable[Box], others: Iterable[Box]) -> tuple[Box, ...]:
    """What no other box covers."""
    left = tuple(boxes)
    for other in others:
        left = tuple(piece for box in left for piece in minus(box, other))
        if not left:
            break
    return left


def meet(box: Box, other: Box) -> Box | None:
    """The part that two boxes share, if there is any."""
    shared = tuple(mine & theirs for mine, theirs in zip(box, other, strict=True))
    return shared if all(shared) else None


def inside(box: Box, other: Box) -> bool:
    """Nothing of the box lies outside the other."""
    return not minus(box, other)


def with_key(box: Box, key: int, mask: int) -> Box:
    """The box with another mask for one key."""
    return (*box[:key], mask, *box[key + 1 :])


def _subjects(words: Vocabulary) -> tuple[Subject, ...]:
    """Kinds with a register where they can stand on one: persons, professions, and where persons are trained."""
    registers = (None, *words.ids("registers"))
    kinds = words.ids("subject_kinds")
    return (*((kind, r) for kind in kinds for r in ((None,) if kind in WITHOUT_REGISTER else registers)), None)


def _subject_json(subject: tuple[str, str | None]) -> dict[str, Any]:
    kind, register = subject
    return {"kind": kind, **({"registers": [register]} if register else {})}


def _implied(graph: Graph) -> dict[str, frozenset[str]]:
    """The functions that a category implies: those of a succession that lists it (clauses of a concern without any)."""
    rows = [
        (category, row.functions) for row in graph.successions if row.kind != "planned" for category in row.categories
    ]
    return {c: frozenset().union(*(functions for name, functions in rows if name == c)) for c, _ in rows}


def _flags(graph: Graph) -> tuple[str, ...]:
    asked = (clause.when.flags_all or () for row in graph.sharing().values() for clause in row.clauses)
    return tuple(sorted({flag for flags in asked for flag in flags}))


def _lowest(mask: int) -> int:
    return (mask & -mask).bit_length() - 1


def _values(values: tuple[Any, ...], mask: int) -> list[Any]:
    return [value for place, value in enumerate(values) if mask >> place & 1]


def _word(value: Any) -> str:
    if value is None:
        return "not stated"
    if isinstance(value, tuple):
        kind, register = value
        return f"{kind} on the {register} register" if register else str(kind)
    return str(value)


def _listed(words: Iterable[str]) -> str:
    found = list(words)
    if len(found) > _LISTED_MAX:
        found = [*found[:_LISTED_MAX], f"one of {len(found) - _LISTED_MAX} more"]
    return " or ".join([", ".join(found[:-1]), found[-1]] if len(found) > 1 else found)


_LISTED_MAX = 4


def split_by_category(boxes: Iterable[Box], space: Space) -> Iterator[tuple[str, Box]]:
    """Each category of the boxes once, with the part of it that is best to show: the one that says most."""
    best = sorted(boxes, key=space.unstated)
    for number, category in enumerate(space.categories):
        bit = 1 << number
        box = next((box for box in best if box[CATEGORY] & bit), None)
        if box is not None:
            yield category, with_key(box, CATEGORY, bit)
