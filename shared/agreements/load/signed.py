"""The shape of what is signed or enacted: clauses, parties, agreements with their examples, duties."""

from __future__ import annotations

from shared.agreements.load.form import (
    Check,
    Keys,
    anything,
    at_least_one,
    day,
    flag,
    many,
    maybe,
    once,
    once_but,
    one_of,
    record,
    some_of,
    span_of,
    table,
    text,
    whole,
)

CERTAIN: Keys = {"certainty": one_of("certainty"), "source": some_of("source ids"), "note": text}
CONTENT: Keys = {**CERTAIN, "content_certainty": one_of("certainty")}
BOUNDS: Keys = {"from": maybe(day), "to": maybe(day)}
PRECISE: Keys = {"from_precision": one_of("precision"), "to_precision": one_of("precision")}
AMOUNT: Keys = {"amount": whole, "unit": one_of("unit")}

amount = record(AMOUNT, {"certainty": one_of("certainty")})
interval = once(span_of(record(BOUNDS, {**PRECISE, "certainty": one_of("certainty")})))


def terms(name: str) -> Check:
    return once(at_least_one(some_of(name)))


SCOPE: Keys = {
    "nations": terms("nations"),
    "subject_kinds": terms("subject_kinds"),
    "registers": terms("registers"),
    "settings": terms("settings"),
    "victims": terms("victims"),
    "provider_status": terms("provider_status"),
    "fault_holders": terms("fault_holders"),
    "topics": terms("topics"),
    "topics_none": terms("topics"),
    "urgency_at_least": one_of("urgency"),
    "flags_all": terms("flags"),
    "functions": terms("functions"),
    "subject_not": terms("organisation ids"),
    "needs_all": terms("categories"),
}
WHEN_MORE: Keys = {**SCOPE, "date_basis": one_of("date_basis"), "recipient_remit": one_of("recipient_remit")}
WHEN = once(record({"categories": some_of("any category")}, WHEN_MORE))

BETWEEN: Keys = {"id": text, "from": terms("party"), "to": terms("party")}
CLAUSE: Keys = {
    **BETWEEN,
    "effect": one_of("effect"),
    "mode": one_of("mode"),
    "direction": one_of("direction"),
    "when": WHEN,
    "purposes": terms("purposes"),
    "onward": one_of("onward"),
    "summary": text,
    "certainty": one_of("certainty"),
}
CLAUSE_MORE: Keys = {
    "source": some_of("source ids"),
    "note": text,
    "fields": once(table("field_classes", one_of("field_policy_order"))),
    "sensitivity_max": some_of("sensitivity_components"),
    "limits": once(table("limit name", amount)),
    "every": amount,
    "tasks": many(text),
    "channel": text,
    "marking": one_of("markings"),
    "standing_necessity": text,
}
clause = once_but(BETWEEN, record(CLAUSE, CLAUSE_MORE))

party = once(span_of(record({"org": one_of("organisation ids"), "capacity": one_of("capacity"), **BOUNDS}, CERTAIN)))

SIGNED: Keys = {
    "kind": text,
    "id": text,
    "instrument": one_of("instrument"),
    "title": text,
    "parties": at_least_one(many(party)),
    "in_force": interval,
    "nations": terms("nations"),
    "binding": flag,
    "clauses": at_least_one(many(clause)),
    "certainty": one_of("certainty"),
}
LIFE: Keys = {
    "suspended": many(interval),
    "terminated": day,
    "conflict_rule": text,
    "status": one_of("status"),
}

concern = record(
    {
        "originator": one_of("organisation ids"),
        "received_at": text,
        "categories": terms("categories"),
        "nation": one_of("nations"),
        "subjects": many(record({"kind": one_of("subject_kinds")}, {"registers": terms("registers")})),
    },
    {
        "setting": one_of("settings"),
        "purposes": terms("purposes"),
        "victim": one_of("victims"),
        "provider_status": one_of("provider_status"),
        "incident_date": day,
        "functions": terms("functions"),
        "urgency": one_of("urgency"),
        "fault_holder": one_of("fault_holders"),
        "topics": terms("topics"),
    },
)
example = record(
    {
        "name": text,
        "concern": concern,
        "expect": record(
            {"told": some_of("organisation ids")},
            {
                "available": some_of("organisation ids"),
                "not_told": many(record({"org": one_of("organisation ids"), "reason": one_of("reason_codes")})),
            },
        ),
    }
)

AGREEMENT_MORE: Keys = {
    **CONTENT,
    **LIFE,
    "supersedes": one_of("agreement ids"),
    "supports": one_of("agreement ids"),
    "fulfilled_by": some_of("agreement ids"),
    "sensitivity_cap": some_of("sensitivity_components"),
    "review_due": day,
    "review_every_years": whole,
    "examples": many(example),
    "terms": anything,
    "still_stands": anything,
    "last_updated": text,
    "other_parties": many(text),
    "form": text,
    "promised_by": maybe(text),
    "versions": many(text),
    "replaces": text,
}
agreement = record({**SIGNED, "lineage": text, "status": one_of("status")}, AGREEMENT_MORE)

AGREEMENT_KEYS = frozenset({*SIGNED, "lineage", "status", *AGREEMENT_MORE})
CLAUSE_KEYS = frozenset({*CLAUSE, *CLAUSE_MORE})
WHEN_KEYS = frozenset({"categories", *WHEN_MORE})
duty = record(SIGNED, {**CONTENT, **LIFE, "amended": day, "enforcement": one_of("duty ids"), "trigger": text})
