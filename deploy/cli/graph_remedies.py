"""What to do about each problem that the reader of graphs can name."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from deploy.cli.graph_places import Found
from services.registry.domain.remedies import UNKNOWN, nearest, told
from shared.agreements import Problem

Known = Mapping[str, Collection[str]]
SUGGESTED_MAX = 200
"""How many unknown words are compared with all known ones: each costs time, and nobody reads more."""
_SAID = re.compile(r"^([^:]+): (.+)$", re.DOTALL)
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
        if unknown := UNKNOWN.match(problem.what):
            return self._near(unknown["word"], unknown["list"], found)
        if known := told(problem.what):
            return known
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
        if len(self._compared) < SUGGESTED_MAX and (near := nearest(word, terms)):
            return near
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
