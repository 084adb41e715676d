"""The shape of each kind of graph object: every key the reader knows, and what may stand there.

Keys of the graph's texts that decide nothing are read as `text` or `anything`: they are part of the graph (and of its
root), are kept as written, and a key in none of these tables is a problem.
"""

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
    one_of,
    record,
    some_of,
    span_of,
    table,
    text,
    whole,
)

# Words that belong to the reader itself, not to a deployment's vocabulary.
WORDS: dict[str, frozenset[str]] = {
    "certainty": frozenset({"seed", "source", "assumed"}),
    "effect": frozenset({"PERMIT", "REQUIRE", "FORBID"}),
    "mode": frozenset({"push", "invite", "feed", "record"}),
    "direction": frozenset({"one_way", "both", "among"}),
    "onward": frozenset({"none", "ask_originator", "free"}),
    "instrument": frozenset({"mou", "jwp", "isa", "protocol", "statutory", "framework"}),
    "status": frozenset({"current", "superseded", "expired", "predecessor_signed", "promised"}),
    "capacity": frozenset({"signatory", "affiliated", "aligned", "in_attendance"}),
    "succession": frozenset(
        {"rename", "operating_name", "merge", "split", "partial_transfer", "abolish_with_transfer", "planned"}
    ),
    "novation": frozenset({"inherited", "inherited_pending_review", "inherited_assumed", "not_carried"}),
    "ecp_signature": frozenset({"carried", "not_carried"}),
    "sector": frozenset({"public", "private", "other"}),
    "unit": frozenset({"working_hours", "clock_hours", "working_days", "calendar_days", "months"}),
    "precision": frozenset({"month", "year"}),
    "date_basis": frozenset({"received", "incident"}),
    "recipient_remit": frozenset({"required"}),
    "without_gateway": frozenset({"withhold", "omit_fields"}),
    "decided_by": frozenset({"router", "person"}),
    "needs": frozenset({"necessity_statement"}),
    "limit name": frozenset(
        {"acknowledge", "notify_within", "notify_before_publication", "notify_before_press_release"}
    ),
    "role": frozenset({"member", "chair", "in_attendance"}),
    "conflict": frozenset({"recipient is the subject", "originator is the subject"}),
}

CERTAIN: Keys = {"certainty": one_of("certainty"), "source": some_of("source ids"), "note": text}
CONTENT: Keys = {**CERTAIN, "content_certainty": one_of("certainty")}
BOUNDS: Keys = {"from": maybe(day), "to": maybe(day)}
PRECISE: Keys = {"from_precision": one_of("precision"), "to_precision": one_of("precision")}
AMOUNT: Keys = {"amount": whole, "unit": one_of("unit")}

amount = record(AMOUNT, {"certainty": one_of("certainty")})
interval = span_of(record(BOUNDS, {**PRECISE, "certainty": one_of("certainty")}))


def terms(name: str) -> Check:
    return at_least_one(some_of(name))


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
WHEN = record(
    {"categories": some_of("any category")},
    {**SCOPE, "date_basis": one_of("date_basis"), "recipient_remit": one_of("recipient_remit")},
)

clause = record(
    {
        "id": text,
        "effect": one_of("effect"),
        "mode": one_of("mode"),
        "direction": one_of("direction"),
        "from": terms("party"),
        "to": terms("party"),
        "when": WHEN,
        "purposes": terms("purposes"),
        "onward": one_of("onward"),
        "summary": text,
        "certainty": one_of("certainty"),
    },
    {
        "source": some_of("source ids"),
        "note": text,
        "fields": table("field_classes", one_of("field_policy_order")),
        "sensitivity_max": some_of("sensitivity_components"),
        "limits": table("limit name", amount),
        "every": amount,
        "tasks": many(text),
        "channel": text,
        "marking": one_of("markings"),
        "standing_necessity": text,
    },
)

party = span_of(record({"org": one_of("organisation ids"), "capacity": one_of("capacity"), **BOUNDS}, CERTAIN))

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

agreement = record(
    {**SIGNED, "lineage": text, "status": one_of("status")},
    {
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
    },
)
duty = record(SIGNED, {**CONTENT, **LIFE, "amended": day, "enforcement": one_of("duty ids"), "trigger": text})

remit = span_of(
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
    step(value, where, book)  # type: ignore[arg-type]


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
policy = record(
    {
        "kind": text,
        "id": text,
        "assumed_clauses": record({"default": flag, "agreements": table("sharing ids", flag)}),
        "assumed_remits": flag,
        "acknowledge": table("urgency", amount),
        "correlation": record({"window": amount, "count": whole}),
    },
    {"instrument_caps": INSTRUMENT_CAPS, "field_policy_default": FIELD_POLICY, "note": text},
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
