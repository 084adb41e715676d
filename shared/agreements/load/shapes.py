"""The shape of each kind of graph object: every key the reader knows, and what may stand there.

Keys of the graph's texts that decide nothing are read as `text` or `anything`: they are part of the graph (and of its
root), are kept as written, and a key in none of these tables is a problem.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.agreements.load.form import Book, Check, day, flag, many, maybe, one_of, record, some_of, table, text, whole
from shared.agreements.load.law import bar, lead_rule
from shared.agreements.load.signed import CONTENT, agreement, amount, duty, interval
from shared.agreements.load.standing import organisation, succession

CONTRADICTING_MIN = 2

member = record(
    {"org": one_of("organisation ids"), "role": one_of("role")},
    {"also": many(text), "listed_as": text, "includes": some_of("organisation ids")},
)
forum = record(
    {"kind": text, "id": text, "name": text, "purpose": text, "certainty": one_of("certainty")},
    {
        **CONTENT,
        "type": text,
        "members": many(member),
        "members_certainty": one_of("certainty"),
        "owns": text,
        "established": text,
        "superseded_by": text,
        "agreement": one_of("agreement ids"),
        "aliases": many(text),
        "other_members": many(text),
        "frequency": text,
    },
)
source = record({"kind": text, "id": text, "title": text}, {"url": text})

caps = table("instrument", some_of("sensitivity_components"))
INSTRUMENT_CAPS = record(
    {"public_parties_only": caps, "any_other_party": caps}, {"certainty": one_of("certainty"), "note": text}
)
FIELD_POLICY = record(
    {"fields": table("field_classes", one_of("field_policy_order"))},
    {"certainty": one_of("certainty"), "note": text},
)
_said = record(
    {},
    {
        "marking": some_of("markings"),
        "onward": some_of("onward"),
        "flags": some_of("flags"),
        "sensitivity": some_of("sensitivity_components"),
    },
)


def said_at_once(value: Any, where: str, book: Book) -> None:
    """Less than two sayings, or one without a word, would hold every concern, or none."""
    many(_said)(value, where, book)
    if isinstance(value, list) and (len(value) < CONTRADICTING_MIN or not all(map(_says_a_word, value))):
        book.note(where, "needs two sayings at least, each of one field with a word")


def _says_a_word(value: Any) -> bool:
    return not isinstance(value, Mapping) or (len(value) == 1 and all(value.values()))


policy = record(
    {
        "kind": text,
        "id": text,
        "assumed_clauses": record({"default": flag, "agreements": table("sharing ids", flag)}),
        "assumed_remits": flag,
        "acknowledge": table("urgency", amount),
        "correlation": record({"window": amount, "count": whole}),
    },
    {
        "instrument_caps": INSTRUMENT_CAPS,
        "field_policy_default": FIELD_POLICY,
        "emergency": record({"review": amount}),
        "operator": one_of("organisation ids"),
        "contradictions": many(record({"id": text, "says": said_at_once})),
        "note": text,
    },
)

_labelled = record({"id": text}, {"label": text})
_sourced = {"certainty": one_of("certainty"), "source": some_of("source ids")}
TERM_ROWS: dict[str, Check] = {
    "ecp_categories": record({"id": text, "name": text}, _sourced),
    "categories": record(
        {"id": text, "parent": one_of("ecp_categories"), "label": text},
        {"sensitivity": one_of("sensitivity_components"), "concern": flag},
    ),
    "subject_kinds": _labelled,
    "functions": _labelled,
    "field_classes": _labelled,
    "purposes": record({"id": text, "parent": maybe(one_of("purposes"))}, {"note": text}),
    "reason_codes": record({"id": text, "meaning": text}),
    "time_limits": record(
        {"id": text, "applies_to": maybe(one_of("agreement ids")), "limit": amount, "meaning": text},
        {**_sourced, "status": text, "period": interval},
    ),
}
VALUES: dict[str, Check] = {
    "as_of": day,
    "instrument_caps": INSTRUMENT_CAPS,
    "field_policy_default": FIELD_POLICY,
}

SHAPES: dict[str, Check] = {
    "organisation": organisation,
    "succession": succession,
    "agreement": agreement,
    "duty": duty,
    "bar": bar,
    "lead_rule": lead_rule,
    "forum": forum,
    "source": source,
    "policy": policy,
}
