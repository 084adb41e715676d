"""Redaction: what one recipient may read of a concern, by the field policy of its notice (CONTRACTS 5).

Everything is built up from an inventory of paths; nothing is copied that the inventory does not name.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]
Pseudonym = Callable[[str, str], str]
"""(class, value) -> the token that stands for the value, for this recipient alone."""

OMIT, PSEUDONYMISE, GENERALISE, FULL = "omit", "pseudonymise", "generalise", "full"
HEADER, NARRATIVE, SOURCE = "header", "narrative", "source-identity"
HEADER_FIELDS = (
    "originator", "originator_ref", "version", "received_at", "incident_date", "categories", "topics", "functions",
    "flags", "purposes", "urgency", "nation", "setting", "victim", "fault_holder", "provider_status", "sensitivity",
    "source_type", "source_protected", "named_recipients", "contact", "marking", "onward", "gateways", "necessity",
    "subject_informed",
)  # fmt: skip
SUBJECT_HEADER_FIELDS = ("kind", "registers", "org")
POINTER_FIELDS = ("categories", "originator", "contact", "urgency", "marking")
DATES = ("received_at", "incident_date")
DETAIL = frozenset({"originator_ref", "contact", "gateways", "necessity", "named_recipients"})
"""Header fields that a generalised header leaves out: they name persons, desks or references."""

CLASS_OF_KIND = {
    **dict.fromkeys(("provider", "setting", "learning-environment", "public-body", "product"), "provider"),
    **dict.fromkeys(("profession", "system"), "provider"),
    "registrant": "registrant",
    "service-user": "service-user",
}
STRICTEST = "third-party"
"""The class of a subject whose kind has none of its own (an unregistered person is anyone else)."""

KIND_WORDS = {
    "provider": "a provider", "setting": "a place where care is given", "learning-environment": "a place of learning",
    "public-body": "a public body", "product": "a medicine or device", "profession": "a profession",
    "system": "several organisations", "unregistered-person": "an unregistered person",
    "service-user": "a service user",
}  # fmt: skip
REGISTRANT_WORDS = {
    "gmc": "a doctor", "nmc": "a nurse or midwife", "gdc": "a dental professional", "gphc": "a pharmacy professional",
    "goc": "an optical professional", "gosc": "an osteopath", "gcc": "a chiropractor",
    "hcpc": "a health or care professional", "swe": "a social worker", "psni": "a pharmacist",
}  # fmt: skip
HELD_WORDS = {
    "registrant-health": "health information held", "service-user-health": "health information held",
    "criminal": "information on a crime held", "finance": "financial information held",
    "annex": "identifiable text held", "registrant": "information on a professional held",
    "service-user": "information on a service user held", "third-party": "information on another person held",
    "provider": "information on a provider held", SOURCE: "information on the source held",
    NARRATIVE: "a written summary is held",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Terms:
    """How a recipient is told: the policy by class, and whether it gets a pointer only."""

    fields: Mapping[str, str]
    pointer_only: bool = False

    def of(self, klass: str) -> str:
        """The policy of a class; a class that the notice does not name is left out."""
        return self.fields.get(klass, OMIT)


def redact(routing: Json, detail: Json, terms: Terms, pseudonym: Pseudonym) -> Json:
    """The concern as its recipient may read it. `routing` is the clear part, `detail` the opened sealed part.

    Where the header is left out, nothing of the concern remains but what a pointer says, if a pointer was decided.
    """
    if terms.pointer_only:
        return _pick(routing, POINTER_FIELDS)
    if terms.of(HEADER) == OMIT:
        return {}
    shown = _header(routing, terms.of(HEADER), pseudonym)
    shown["subjects"] = _subjects(routing, detail, terms, pseudonym)
    for name in ("summary", "immediate_action"):
        _put(shown, name, _value(detail.get(name), NARRATIVE, terms, pseudonym))
    _put(shown, "source", _value(detail.get("source"), SOURCE, terms, pseudonym))
    _put(shown, "annex", [item for row in detail.get("annex") or () if (item := _annex(row, terms))])
    return shown


def left_out(routing: Json, detail: Json, terms: Terms) -> frozenset[str]:
    """The classes of which the concern holds something that this recipient does not get at all."""
    labelled = {str(row.get("class")) for row in detail.get("annex") or ()}
    present = {klass if klass in HELD_WORDS else STRICTEST for klass in labelled}
    present |= {NARRATIVE for name in ("summary", "immediate_action") if detail.get(name)}
    present |= {SOURCE} if detail.get("source") else set()
    pairs = _paired(routing.get("subjects") or (), detail.get("subjects") or ())
    present |= {_class_of(clear) for clear, sealed in pairs if sealed.get("name") or sealed.get("identifiers")}
    nothing = terms.pointer_only or terms.of(HEADER) == OMIT
    return frozenset(klass for klass in present if nothing or terms.of(klass) == OMIT)


def _header(routing: Json, policy: str, pseudonym: Pseudonym) -> Json:
    shown = _pick(routing, HEADER_FIELDS)
    if policy == FULL:
        return shown
    shown = {name: value for name, value in shown.items() if name not in DETAIL}
    for name in DATES:
        if name in shown:
            shown[name] = str(shown[name])[:7]
    if policy == PSEUDONYMISE and routing.get("originator_ref"):
        shown["originator_ref"] = pseudonym(HEADER, str(routing["originator_ref"]))
    return shown


def _subjects(routing: Json, detail: Json, terms: Terms, pseudonym: Pseudonym) -> list[Json]:
    pairs = _paired(routing.get("subjects") or (), detail.get("subjects") or ())
    return [_subject(clear, sealed, terms, pseudonym) for clear, sealed in pairs]


def _paired(clear: Sequence[Json], sealed: Sequence[Json]) -> list[tuple[Json, Json]]:
    """Each subject's clear part with its sealed part: they stand at the same place of two lists."""
    return [(row, sealed[index] if index < len(sealed) else {}) for index, row in enumerate(clear)]


def _subject(clear: Json, sealed: Json, terms: Terms, pseudonym: Pseudonym) -> Json:
    klass = _class_of(clear)
    policy, shown = terms.of(klass), _pick(clear, SUBJECT_HEADER_FIELDS)
    if policy == FULL:
        shown |= _pick(sealed, ("name",))
        _put(shown, "identifiers", [_pick(row, ("scheme", "value")) for row in sealed.get("identifiers") or ()])
    elif policy == PSEUDONYMISE:
        shown |= _pseudonymised(klass, sealed, pseudonym)
    elif policy == GENERALISE:
        shown["described_as"] = describe(clear)
    return shown


def _pseudonymised(klass: str, sealed: Json, pseudonym: Pseudonym) -> Json:
    rows = sealed.get("identifiers") or ()
    # The normalised form, so that two spellings of one number are one token.
    values = [(row["scheme"], row.get("normalised") or row["value"]) for row in rows]
    tokens = [{"scheme": scheme, "token": pseudonym(klass, f"{scheme}:{value}")} for scheme, value in values]
    named = {"name_token": pseudonym(klass, str(sealed["name"]))} if sealed.get("name") else {}
    return named | ({"identifiers": tokens} if tokens else {})


def describe(subject: Json) -> str:
    """A subject in words, by its kind and registers alone."""
    kind, registers = str(subject.get("kind")), [r for r in subject.get("registers") or () if r in REGISTRANT_WORDS]
    if kind != "registrant":
        return KIND_WORDS.get(kind, "someone else")
    if not registers:
        return "a registered professional"
    return f"{REGISTRANT_WORDS[registers[0]]} on the {' and '.join(r.upper() for r in registers)} register"


def _annex(row: Json, terms: Terms) -> Json | None:
    klass = str(row.get("class"))
    match terms.of(klass):
        case "full":
            return _pick(row, ("class", "label", "text"))
        case "generalise" | "pseudonymise":  # free text has no token; its label is free text, too
            return {"class": klass, "described_as": HELD_WORDS.get(klass, "information held")}
        case _:
            return None


def _value(value: object, klass: str, terms: Terms, pseudonym: Pseudonym) -> object:
    if not value:
        return None
    match terms.of(klass):
        case "full":
            return value
        case "pseudonymise" if klass == SOURCE:
            return {"token": pseudonym(klass, repr(value))}
        case "generalise" | "pseudonymise":
            return HELD_WORDS[klass]
        case _:
            return None


def _class_of(subject: Json) -> str:
    return CLASS_OF_KIND.get(str(subject.get("kind")), STRICTEST)


def _pick(row: Mapping[str, Any], names: Sequence[str]) -> Json:
    return {name: row[name] for name in names if row.get(name) not in (None, [], "")}


def _put(shown: Json, name: str, value: object) -> None:
    if value:
        shown[name] = value
