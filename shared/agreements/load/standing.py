"""The shape of organisations with their remits, and of successions."""

from __future__ import annotations

from shared.agreements.load.form import day, flag, many, maybe, once, one_of, record, some_of, span_of, text
from shared.agreements.load.signed import BOUNDS, PRECISE, SCOPE, interval, terms

remit = once(
    span_of(
        record(
            {"categories": terms("any category"), **BOUNDS, "certainty": one_of("certainty")},
            {
                **{key: SCOPE[key] for key in ("nations", "subject_kinds", "registers", "settings", "functions")},
                **{key: SCOPE[key] for key in ("topics", "provider_status", "fault_holders", "victims")},
                **PRECISE,
                "purposes": terms("purposes"),
                "source": some_of("source ids"),
                "note": text,
            },
        )
    )
)
organisation = record(
    {
        "kind": text,
        "id": text,
        "name": text,
        "sector": one_of("sector"),
        "exists": interval,
        "remits": many(remit),
        "certainty": one_of("certainty"),
    },
    {
        "type": text,
        "short": text,
        "regulates": text,
        "nations": terms("nations"),
        "bars": some_of("bar ids"),
        "source": some_of("source ids"),
        "register": one_of("registers"),
        "note": text,
        "also_known_as": many(text),
        "legal_person": flag,
        "parent": one_of("organisation ids"),
        "deliver_to": one_of("organisation ids"),
        "acts_for": one_of("organisation ids"),
        "identifiers": many(record({"scheme": text, "value": text})),
    },
)

succession = record(
    {
        "kind": text,
        "id": text,
        "from": one_of("organisation ids"),
        "to": one_of("organisation ids"),
        "type": one_of("succession"),
        "effective": maybe(day),
        "novation": one_of("novation"),
        "ecp_signature": one_of("ecp_signature"),
        "certainty": one_of("certainty"),
    },
    {
        "source": some_of("source ids"),
        "note": text,
        "basis": text,
        "effective_precision": one_of("precision"),
        "scope": text,
        "functions": terms("functions"),
        "categories": terms("categories"),
    },
)
