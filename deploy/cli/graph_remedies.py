"""What to do about each problem that the reader of graphs can name."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from deploy.cli.graph_places import Found
from shared.agreements import Problem

Known = Mapping[str, Collection[str]]
TERMS_SHOWN = 12
SUGGESTED_MAX = 200
"""How many unknown words are compared with all known ones: each costs time, and nobody reads more."""
_UNKNOWN = re.compile(r"^'(?P<word>.*)' is not known in (?P<list>.+)$", re.DOTALL)
_SAID = re.compile(r"^([^:]+): (.+)$", re.DOTALL)
_DAY = re.compile(r"'(\d{4})-(\d\d)-(\d\d)' is not a day")
_HOMES = {
    "organisation ids": "organisations.yaml",
    "party": "organisations.yaml (a party is a body of it, @signatories or @named)",
    "agreement ids": "agreements/",
    "duty ids": "statute.yaml",
    "bar ids": "statute.yaml",
    "source ids": "sources.yaml",
    "sharing ids": "agreements/ or statute.yaml",
}


@dataclass(slots=True)
class Adviser:
    """Gives the remedy of a problem; `known` are the terms of every list, `keys` those of the graph at hand."""

    known: Known
    keys: frozenset[str]
    _compared: dict[tuple[str, str], str] = field(default_factory=dict)

    def remedy(self, problem: Problem, found: Found) -> str:
        """One sentence that says what to do."""
        if unknown := _UNKNOWN.match(problem.what):
            return self._near(unknown["word"], unknown["list"], found)
        for pattern, remedy in _REMEDIES:
            if match := pattern.search(problem.what):
                return remedy(match) if callable(remedy) else remedy
        if match := re.search(r"unknown key '([^']*)'", problem.what):
            return self._near_key(match[1])
        if problem.what.startswith("must be") and (said := _as_written(found)):
            return said
        return "See services/registry/seed for how it is written there."

    @staticmethod
    def split(what: str) -> tuple[str, str]:
        """A problem whose words end with their own remedy, as two; the second is empty where there is none."""
        said = None if what.startswith(("'", "from: ", "to: ")) else _SAID.match(what)
        return (said[1], f"{said[2][:1].upper()}{said[2][1:]}.") if said else (what, "")

    def _near(self, word: str, name: str, found: Found) -> str:
        if (word, name) not in self._compared:
            self._compared[word, name] = self._nearest(word, name)
        return _as_written(found) or self._compared[word, name]

    def _nearest(self, word: str, name: str) -> str:
        terms = self.known.get(name, ())
        if len(self._compared) < SUGGESTED_MAX and (near := get_close_matches(word, sorted(terms), 1)):
            return f"Did you mean {near[0]!r}?"
        if len(terms) <= TERMS_SHOWN:
            return f"Known are: {', '.join(sorted(terms)) or 'none'}."
        home = _HOMES.get(name, f"categories.yaml, under {name}")
        return f"Take one of the {len(terms)} in {home}, or add it there first."

    def _near_key(self, key: str) -> str:
        near = get_close_matches(key, sorted(self.keys - {key}), 1)
        return f"Did you mean {near[0]!r}?" if near else "Take it out: a key that nobody reads would be a trap."


def _as_written(found: Found) -> str:
    """For a word that YAML reads as something else: `no` is false, `2013` a number."""
    node = found.node
    if node is None or node.quoted or isinstance(node.value, str | list | dict) or not node.source:
        return ""
    meaning = {True: "true", False: "false", None: "null"}.get(node.value, "a number")
    return f"{node.source} reads as {meaning}; as a text put it in quotes: '{node.source}'."


def _day(match: re.Match[str]) -> str:
    year, month, day = (int(part) for part in match.groups())
    if not 1 <= month <= 12 or not year:
        return "The months are 01 to 12."
    return f"{year}-{month:02} has {monthrange(year, month)[1]} days; there is no {day}."


_Remedy = str | Callable[[re.Match[str]], str]
_TABLE: tuple[tuple[str, _Remedy], ...] = (
    (_DAY.pattern, _day),
    (r"is not a day like", "Write a day as '2000-01-31', in quotes."),
    (r"is not an instant", "Write an instant as '2025-03-03T10:00:00Z', in quotes and with its offset."),
    (r"^lacks '([^']*)'", lambda m: f"Add `{m[1]}:`."),
    (r"repeats a value", "Keep one of the two."),
    (r"must not be empty", "Name at least one, or leave the key out where it may be left out."),
    (r"is there twice|is there \d+ times", "Give one of them another id, or keep one."),
    (r"needs exactly one, found", "Keep one policy, in policy.yaml."),
    (r"^must be a list", "Put it in brackets, or begin each item with `- `."),
    (r"^must be an object", "Write `key: value` pairs here."),
    (r"^must be a whole number", "Write 1 or more, without quotes and without a fraction."),
    (r"runs in a circle", "Take one of the steps out: no body may succeed itself, no word may be above itself."),
    (r"two signatories", "Name two parties with `capacity: signatory`."),
    (r"'([^']*)' is no signatory", lambda m: f"Add {m[1]} to `parties` with `capacity: signatory`, or take it out."),
    (r"among needs the same set", "Write the same bodies under `from` and `to`, or choose `one_way`."),
    (r"tells only its own discloser", "Name another body under `to`."),
    (r"@named can only be told", "Put @named under `to`, with `direction: one_way`."),
    (r"only a record clause", "Name a category, or say `mode: record`."),
    (r"supports its own child", "Of the two agreements only the narrower one supports the other."),
    (r"a promise can only", "Say `mode: record` in every clause, or another `status`."),
    (r"outside its lineage", "Give both versions the same `lineage`, or do not say `supersedes`."),
    (r"does not start on the day", "Set `in_force.to` of the older version to this one's `in_force.from`."),
    (r"omits fields, yet names none", "Name them under `fields`."),
    (r"does not name this bar", "Add the bar to `bars` of that organisation, or take the holder out."),
    (r"which does not hold it", "Add the organisation to `holders` of that bar, or take the bar out."),
    (r"a gateway opens for the holders", "Name holders of the bar under `from`."),
    (r"delivers to a body that delivers", "Name the body that really receives."),
    (r"a planned one has no day", "Say `effective: null` with `kind: planned`, and a day with every other kind."),
    (r"a split needs a scope", "Say under `scope` what passes on, in words."),
    (r"must be `if`", "Write a step as `if` with `lead`, `if` with `then`, or `else`."),
    (r"kind .* is not known", "See services/registry/seed for the kinds of objects."),
)
_REMEDIES = tuple((re.compile(pattern), remedy) for pattern, remedy in _TABLE)
