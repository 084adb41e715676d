"""What may stand in a received body: every value of a published concern, its field class, and what the policy allows.

The tables stand here a second time on purpose: a judge that read them from the services would share their faults. A
test holds both equal.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Json = Mapping[str, Any]

HEADER, NARRATIVE, SOURCE, STRICTEST = "header", "narrative", "source-identity", "third-party"
CLASS_OF_KIND = {
    **dict.fromkeys(("provider", "setting", "learning-environment", "public-body", "product"), "provider"),
    **dict.fromkeys(("profession", "system"), "provider"),
    "registrant": "registrant",
    "service-user": "service-user",
    "unregistered-person": STRICTEST,
}
CLASS_OF_FIELD = {"summary": NARRATIVE, "immediate_action": NARRATIVE, "source": SOURCE}
HEADER_FIELDS = frozenset((
    "originator", "originator_ref", "version", "received_at", "incident_date", "categories", "topics", "functions",
    "flags", "purposes", "urgency", "nation", "setting", "victim", "fault_holder", "provider_status", "sensitivity",
    "source_type", "source_protected", "named_recipients", "contact", "marking", "onward", "gateways", "necessity",
    "subject_informed",
))  # fmt: skip
POINTER_FIELDS = frozenset({"categories", "originator", "contact", "urgency", "marking"})
PERSONAL_HEADER_FIELDS = frozenset({"originator_ref", "contact", "gateways", "necessity", "named_recipients"})
DATES = ("received_at", "incident_date")
SUBJECT_HEADER = frozenset({"kind", "registers", "org"})
SUBJECT_KEYS = {
    "full": frozenset({"name", "identifiers"}),
    "pseudonymise": frozenset({"name_token", "identifiers"}),
    "generalise": frozenset({"described_as"}),
}
IDENTIFIER_KEYS = {"full": {"scheme", "value"}, "pseudonymise": {"scheme", "token"}}
ANNEX_KEYS = {"full": {"class", "label", "text"}}
EVENT_KEYS = {"specversion", "id", "source", "type", "time", "subject", "datacontenttype", "data"}
DATA_KEYS = {"notice", "concern", "because", "duties", "onward", "reason", "withheld"}
SHORT = 4
"""Below this length a value is looked for as a whole text only: a piece of two letters stands in every word."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A received event beside the concern it tells of and the terms of its decision."""

    concern: Json
    row: Json
    event: Json

    @property
    def shown(self) -> Json:
        """The concern as received."""
        told: Json = self.event["data"]["concern"]
        return told

    @property
    def pointer(self) -> bool:
        """Whether a pointer was decided."""
        return bool(self.row.get("pointer_only"))

    def policy(self, field_class: str) -> str:
        """What may be done with a class; one that the decision does not name is left out, all are with the header."""
        fields = {} if self.pointer else self.row["fields"]
        return "omit" if fields.get(HEADER, "omit") == "omit" else str(fields.get(field_class, "omit"))


def overfull(notice: Notice) -> Iterator[str]:
    """Everything that the received body shows and may not, and every class left out without a word."""
    for check in (_known_keys, _raw_values, _header, _subjects, _texts, _annex, _said):
        yield from check(notice)


def values(concern: Json) -> Iterator[tuple[str, str]]:
    """Every sealed text of a concern with its field class."""
    for name, field_class in CLASS_OF_FIELD.items():
        yield from ((field_class, text) for text in _leaves(concern.get(name)))
    for item in concern.get("annex", ()):
        yield from ((item["class"], item[key]) for key in ("label", "text") if item.get(key))
    for subject in concern.get("subjects", ()):
        field_class = class_of(subject)
        yield from ((field_class, row["value"]) for row in subject.get("identifiers", ()))
        if subject.get("name"):
            yield field_class, subject["name"]


def class_of(subject: Json) -> str:
    """The class of a subject's name and identifiers, by its kind."""
    return CLASS_OF_KIND.get(str(subject["kind"]), STRICTEST)


def _known_keys(notice: Notice) -> Iterator[str]:
    whole = HEADER_FIELDS | CLASS_OF_FIELD.keys() | {"annex", "subjects"}
    fields = POINTER_FIELDS if notice.pointer else frozenset() if notice.policy(HEADER) == "omit" else whole
    yield from _unknown("event", notice.event, EVENT_KEYS)
    yield from _unknown("data", notice.event["data"], DATA_KEYS)
    yield from _unknown("concern", notice.shown, fields)


def _raw_values(notice: Notice) -> Iterator[str]:
    """A text that stands there in full by right may hold the words of one that may not."""
    policies = [(notice.policy(field_class), field_class, text) for field_class, text in values(notice.concern)]
    granted = {text for policy, _, text in policies if policy == "full"}
    texts = [leaf for leaf in _leaves(notice.event) if leaf not in granted]
    for policy, field_class, text in policies:
        if policy != "full" and any(_stands_in(text, leaf) for leaf in texts):
            yield f"{field_class} stands there as it was published ({policy})"


def _stands_in(text: str, leaf: str) -> bool:
    plain, place = _plain(text), _plain(leaf)
    return plain in place if len(plain) >= SHORT else plain == place


def _plain(text: str) -> str:
    """Without case, spaces and punctuation, so that another spelling does not hide a value."""
    return "".join(letter for letter in text.casefold() if letter.isalnum()) or text


def _header(notice: Notice) -> Iterator[str]:
    shown, policy = notice.shown, notice.policy(HEADER)
    published = {name: notice.concern[name] for name in HEADER_FIELDS & notice.concern.keys() & shown.keys()}
    if notice.pointer or policy == "full":
        yield from (f"{name} is not as published" for name, value in published.items() if shown[name] != value)
        return
    named = PERSONAL_HEADER_FIELDS - ({"originator_ref"} if policy == "pseudonymise" else set())
    yield from (f"header is {policy}, and {name} stands there" for name in sorted(named & shown.keys()))
    if shown.get("originator_ref") == notice.concern.get("originator_ref") is not None:
        yield "header is pseudonymise, and originator_ref stands there as it was published"
    exact = (name for name in DATES if len(str(shown.get(name, ""))) > len("2025-03"))
    yield from (f"header is {policy}, and {name} names the day" for name in exact)


def _subjects(notice: Notice) -> Iterator[str]:
    found = notice.shown.get("subjects", ())
    if len(found) > len(notice.concern.get("subjects", ())):
        yield "there are more subjects than were published"
    for published, subject in zip(notice.concern.get("subjects", ()), found, strict=False):
        field_class = class_of(published)
        policy = notice.policy(field_class)
        place = f"subject of class {field_class} ({policy})"
        yield from _unknown(place, subject, SUBJECT_HEADER | SUBJECT_KEYS.get(policy, frozenset()))
        if (
            policy == "full"
            and not notice.pointer
            and any(subject.get(k) != published.get(k) for k in SUBJECT_KEYS[policy])
        ):
            yield f"{place} is not as published"
        for row in subject.get("identifiers", ()):
            yield from _unknown(place, row, IDENTIFIER_KEYS.get(policy, set()))


def _texts(notice: Notice) -> Iterator[str]:
    for name, field_class in CLASS_OF_FIELD.items():
        policy = notice.policy(field_class)
        if policy == "omit" and name in notice.shown:
            yield f"{field_class} is omit, and {name} stands there"
        elif policy == "full" and notice.shown.get(name) != notice.concern.get(name):
            yield f"{field_class} is full, and {name} is not as published"


def _annex(notice: Notice) -> Iterator[str]:
    for item in notice.shown.get("annex", ()):
        field_class = str(item.get("class"))
        policy = notice.policy(field_class)
        place = f"annex of class {field_class} ({policy})"
        if policy == "omit":
            yield f"{place} stands there"
        yield from _unknown(place, item, ANNEX_KEYS.get(policy, {"class", "described_as"}))
    published = Counter(item["class"] for item in notice.concern.get("annex", ()))
    shown = Counter(str(item.get("class")) for item in notice.shown.get("annex", ()))
    yield from (f"annex of class {name} was never published" for name in sorted(shown - published))


def _said(notice: Notice) -> Iterator[str]:
    """What is left out is named."""
    held = {field_class for field_class, _ in values(notice.concern)}
    omitted = {name for name in held if notice.policy(name) == "omit"}
    stated = {row["class"] for row in notice.event["data"]["withheld"]}
    yield from (f"{name} is left out, and the notice does not say so" for name in sorted(omitted - stated))


def _unknown(place: str, found: Json, known: set[str] | frozenset[str]) -> Iterator[str]:
    yield from (f"{place}: {key} has no place there" for key in sorted(found.keys() - known))


def _leaves(value: object) -> Iterator[str]:
    """Every text in a JSON value, keys included; numbers as texts."""
    match value:
        case dict():
            for key, inner in value.items():
                yield str(key)
                yield from _leaves(inner)
        case list():
            for inner in value:
                yield from _leaves(inner)
        case None | bool():
            return
        case _:
            yield str(value)
