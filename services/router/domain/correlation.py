"""Small signals that add up: concerns about one subject, found by its tokens, across originators and time. Pure.

Counts are computed from the sightings that a viewer may link, and from nothing else: what lies outside its slice cannot
move them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from shared.agreements import Limit
from shared.agreements.payload import hours_of

Token = tuple[str, str]
"""The key's id and the keyed HMAC of a normalised identifier; tokens of different keys never meet."""
Source = tuple[str, str]
"""An originator and a type of source: concerns of one are not independent of each other."""

SuggestionCode = Literal["SUBJECT_RECURS", "REPEAT_AFTER_CLOSURE"]
NOT_STATED = "not-stated"
CLASS_OF_KIND = {
    **dict.fromkeys(("provider", "setting", "learning-environment", "public-body", "product"), "provider"),
    **dict.fromkeys(("profession", "system"), "provider"),
    "registrant": "registrant",
    "service-user": "service-user",
}
STRICTEST = "third-party"
"""The field class of the identifiers of any other kind of subject, as intake seals and the notifier redacts it."""

_LINKING = frozenset({"full", "pseudonymise"})


@dataclass(frozen=True, slots=True)
class Sighting:
    """A concern about a subject, by one of the subject's tokens. `subject` is its place in the concern's list."""

    token: Token
    concern_id: str
    version: int
    subject: int
    kind: str
    received_at: datetime
    originator: str
    source_type: str
    categories: tuple[str, ...]

    @property
    def source(self) -> Source:
        return self.originator, self.source_type


@dataclass(frozen=True, slots=True)
class Rule:
    """How many independent sources, within how long, are worth a person's look (`policy.correlation`)."""

    window: timedelta
    count: int

    @classmethod
    def of(cls, window: Limit, count: int) -> Rule:
        """The rule as the graph's policy states it: a window is a span of time, so working time is stretched."""
        return cls(timedelta(hours=hours_of(window)), count)


@dataclass(frozen=True, slots=True)
class Cluster:
    """The concerns about a subject within one window, in order of receipt, each once."""

    sightings: tuple[Sighting, ...] = ()

    @property
    def concerns(self) -> tuple[str, ...]:
        return tuple(one.concern_id for one in self.sightings)

    @property
    def sources(self) -> frozenset[Source]:
        """The independent sources."""
        return frozenset(one.source for one in self.sightings)

    def reaches(self, rule: Rule) -> bool:
        return len(self.sources) >= rule.count


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who asks: one body, which sees its own concerns and those it was told of, or somebody who sees everything."""

    org: str
    everything: bool = False


@dataclass(frozen=True, slots=True)
class Suggested:
    """A suggestion about a subject that a person has or had; `resolved_at` once it is closed."""

    item_id: str
    opened_at: datetime
    resolved_at: datetime | None = None


def sightings_in(concern_id: str, version: int, received_at: datetime, routing: Mapping[str, Any]) -> list[Sighting]:
    """What a version of a concern shows, each token once; a part that cannot be read shows nothing."""
    found: dict[Token, Sighting] = {}
    for place, subject in enumerate(_rows(routing.get("subjects"))):
        for row in _rows(subject.get("tokens")):
            token = (str(row.get("kid", "")), str(row.get("token", "")))
            seen = Sighting(
                token=token,
                concern_id=concern_id,
                version=version,
                subject=place,
                kind=str(subject.get("kind")),
                received_at=received_at,
                originator=str(routing.get("originator")),
                source_type=str(routing.get("source_type") or NOT_STATED),
                categories=tuple(sorted(map(str, routing.get("categories") or ()))),
            )
            if all(token):
                found.setdefault(token, seen)
    return list(found.values())


def may_link(kind: str, told: Mapping[str, Any] | None) -> bool:
    """Whether a body that was told so could itself see that this concern is about that subject, and when it came.

    `told` is its row of the decision. A pointer, a header in part or an identifier left out link nothing: a count over
    it would say what the notice withheld.
    """
    if told is None or told.get("pointer_only"):
        return False
    fields = told.get("fields") or {}
    return fields.get("header") == "full" and fields.get(CLASS_OF_KIND.get(kind, STRICTEST)) in _LINKING


def busiest(sightings: Iterable[Sighting], about: str, rule: Rule) -> Cluster:
    """The window that holds the concern `about` with most sources, then most concerns, then the latest.

    Windows are half-open: of two concerns exactly a window apart no window holds both. Empty where `about` is not seen.
    """
    once = {one.concern_id: one for one in sorted(sightings, key=_order, reverse=True)}
    if about not in once:
        return Cluster()
    ordered = sorted(once.values(), key=_order)
    since = once[about].received_at
    _, first, last = max(_windows(ordered, since, rule), key=_weight)
    return Cluster(tuple(ordered[first:last]))


def may_suggest(standing: Iterable[Suggested], sources: Collection[Source], rule: Rule) -> bool:
    """Whether a concern about a subject could suggest anything, by what a person had and who ever spoke of it.

    Never False where `suggestion` gives something: no window holds more sources than there are. It spares reading all
    that was ever said of a subject that one body speaks of a thousand times.
    """
    known = list(standing)
    if any(one.resolved_at is None for one in known):
        return False
    return bool(known) or len(sources) >= rule.count


def suggestion(
    seen: Sighting, sightings: Sequence[Sighting], standing: Iterable[Suggested], rule: Rule
) -> tuple[SuggestionCode, Cluster] | None:
    """What a concern that was just decided gives a person to look at; None where nothing, or where a person has it.

    A concern that is new within a window of an earlier suggestion's closure suggests reopening, alone; an amendment of
    an old one does not.
    """
    known = list(standing)
    if any(one.resolved_at is None for one in known):
        return None
    cluster = busiest(sightings, seen.concern_id, rule)
    closed = max((one.resolved_at for one in known if one.resolved_at), default=None)
    if closed is not None and seen.received_at - closed < rule.window:
        return ("REPEAT_AFTER_CLOSURE", cluster) if seen.version == 1 else None
    return ("SUBJECT_RECURS", cluster) if cluster.reaches(rule) else None


def _windows(ordered: Sequence[Sighting], since: datetime, rule: Rule) -> Iterator[tuple[int, int, int]]:
    """Each window that holds the moment `since`: how many sources are in it, and where it begins and ends.

    One pass over the concerns, however many there are.
    """
    first, sources = 0, Counter[Source]()
    for last, one in enumerate(ordered):
        sources[one.source] += 1
        while one.received_at - ordered[first].received_at >= rule.window:
            _take_out(ordered[first].source, sources)
            first += 1
        ends_here = last + 1 == len(ordered) or ordered[last + 1].received_at > one.received_at
        if ends_here and timedelta() <= one.received_at - since < rule.window:
            yield len(sources), first, last + 1


def _take_out(source: tuple[str, str], sources: Counter[Source]) -> None:
    sources[source] -= 1
    if not sources[source]:
        del sources[source]


def _weight(window: tuple[int, int, int]) -> tuple[int, int, int]:
    sources, first, last = window
    return sources, last - first, last


def _order(one: Sighting) -> tuple[datetime, str, int, Token]:
    return one.received_at, one.concern_id, one.subject, one.token


def _rows(value: object) -> list[Mapping[str, Any]]:
    return [row if isinstance(row, Mapping) else {} for row in value] if isinstance(value, list | tuple) else []
