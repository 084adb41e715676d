"""The shape of bars with their gateways, and of lead rules."""

from __future__ import annotations

from shared.agreements.load.form import at_least_one, day, many, one_of, record, some_of, text
from shared.agreements.load.signed import SCOPE, clause, interval, terms

gateway = record(
    {"id": text, "text": text, "decided_by": one_of("decided_by")},
    {
        "to_sector": terms("sector"),
        "needs": one_of("needs"),
        "permits": clause,
        "agreements": terms("sharing ids"),
    },
)
bar = record(
    {
        "kind": text,
        "id": text,
        "holders": terms("organisation ids"),
        "title": text,
        "nations": terms("nations"),
        "in_force": interval,
        "protects": text,
        "without_gateway": one_of("without_gateway"),
        "gateways": many(gateway),
        "certainty": one_of("certainty"),
    },
    {
        "type": text,
        "fields": terms("field_classes"),
        "offence": text,
        "note": text,
        "source": some_of("source ids"),
        "recipient_onward": one_of("onward"),
        "post_disclosure_tasks": many(text),
    },
)

LEAD_IF = record({}, {**SCOPE, "categories": terms("any category")})


def lead_step(value: object, where: str, book: object) -> None:
    """`if` with a scope and leads, or one of the two sentences of the conflict rule, or `else`."""
    conflict = isinstance(value, dict) and isinstance(value.get("if"), str)
    step = record({"if": one_of("conflict"), "then": one_of("reason_codes")}) if conflict else _LEAD_STEP
    step(value, where, book)  # type: ignore[arg-type]  # shapes take the book as an object: only form.py reads it


_LEAD_STEP = record({}, {"if": LEAD_IF, "lead": terms("organisation ids"), "else": text})
lead_rule = record(
    {
        "kind": text,
        "id": text,
        "title": text,
        "steps": at_least_one(many(lead_step)),
        "certainty": one_of("certainty"),
    },
    {
        "source": some_of("source ids"),
        "note": text,
        "agreement": one_of("agreement ids"),
        "date_basis": one_of("date_basis"),
        "not_before": day,
    },
)
