"""What to do about each problem that the reader of graphs can name."""

import re
from calendar import monthrange
from collections.abc import Callable, Collection
from difflib import get_close_matches

TERMS_SHOWN = 12
CIRCLE = "runs in a circle"
UNKNOWN = re.compile(r"^'(?P<word>.*)' is not known in (?P<list>.+)$", re.DOTALL)
_DAY = re.compile(r"'(\d{4})-(\d\d)-(\d\d)' is not a day")
_OBJECTS = re.compile(r"\w+ ids$|party$")


def remedy_of(what: str, terms: Callable[[str], Collection[str]]) -> str:
    """One sentence that says what to do; `terms` gives the words of a vocabulary by its name. "" where none is known.

    `what` is the reader's word of what is wrong.
    """
    if unknown := UNKNOWN.match(what):
        return _known(unknown["word"], unknown["list"], terms)
    return "Take it out, or correct its name: no key is left unread." if "unknown key" in what else told(what)


def told(what: str) -> str:
    """The remedy of what needs no list of words; "" where none is known."""
    for pattern, remedy in _REMEDIES:
        if match := pattern.search(what):
            return remedy(match) if callable(remedy) else remedy
    return ""


def nearest(word: str, terms: Collection[str]) -> str:
    """The word that was meant, or all where they are few; "" where neither helps."""
    if near := get_close_matches(word, sorted(terms), 1):
        return f"Did you mean {near[0]!r}?"
    return f"Known are: {', '.join(sorted(terms)) or 'none'}." if len(terms) <= TERMS_SHOWN else ""


def _known(word: str, name: str, terms: Callable[[str], Collection[str]]) -> str:
    if _OBJECTS.match(name):
        return "Name one that is in the graph, or put it into the same change."
    listed = terms(name)
    told_near = nearest(word, listed) if listed else ""
    return told_near or f"Take a term of {name}, or add it there in the same change."


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
    (r"in a circle of parents", "The widest of them supports none: leave its `supports` out."),
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
