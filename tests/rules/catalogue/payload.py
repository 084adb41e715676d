"""What a told body receives."""

from __future__ import annotations

from tests.rules.removal import Instead, Rule, Swap

PAYLOAD = [
    Rule("default field policy", "payload", Swap("attempt.case.policy.fields.get(name, OMIT)", "'full'")),
    Rule(
        "a field of no policy is omitted",
        "payload",
        Swap("policy.fields.get(name, OMIT)", "policy.fields.get(name, 'full')"),
    ),
    Rule(
        "default field policy of the vocabulary", "load.build", Swap(' or words.values.get("field_policy_default")', "")
    ),
    Rule("default field policy of the deployment", "load.build", Swap('row.get("field_policy_default") or ', "")),
    Rule(
        "a clause's field policy",
        "payload",
        Swap("return attempt.clause.fields.get(name, attempt", "return ({}).get(name, attempt"),
    ),
    Rule("most protective meet", "payload", Swap("return min(policies", "return max(policies")),
    Rule("pointer only", "payload", Instead("_pointer_only", "False")),
    Rule(
        "pointer only: by what the concern has", "payload", Swap("case.facts.field_classes or frozenset", "frozenset")
    ),
    Rule("a withheld field says why", "payload", Instead("_source", "''")),
    Rule("default limit to acknowledge", "payload", Swap("limits.append(default)", "pass")),
    Rule(
        "default limit only where no clause has one",
        "payload",
        Swap("if default and not any(limit.name == default.name for limit in limits):", "if default:"),
    ),
    Rule(
        "default limit by urgency",
        "payload",
        Swap("acknowledge.get(case.facts.urgency)", "acknowledge.get('emerging')"),
    ),
    Rule(
        "strictest limit",
        "payload",
        Swap("_strictness(limit) < _strictness(known)", "_strictness(limit) > _strictness(known)"),
    ),
    Rule("clause tasks", "payload", Swap("{task for attempt in telling for task in attempt.clause.tasks} | ", "")),
    Rule("bar tasks", "payload", Swap(" | {t for bar in case.bars for t in bar.tasks}", "")),
    Rule(
        "highest marking", "payload", Swap("default=None)\n\n\ndef _onward", "default=None) and None\n\n\ndef _onward")
    ),
    Rule("marking of the concern", "payload", Swap(" | {case.facts.marking}", "")),
    Rule(
        "strictest onward",
        "payload",
        Swap("return min(terms, key=ONWARD_ORDER.index)", "return max(terms, key=ONWARD_ORDER.index)"),
    ),
    Rule("onward of the concern", "payload", Swap("terms += [case.facts.onward] if case.facts.onward else []", "")),
    Rule(
        "onward of a bar",
        "payload",
        Swap("terms += [bar.recipient_onward for bar in case.bars if bar.recipient_onward]", ""),
    ),
    Rule("valid until: end", "payload", Swap("        agreement.span.end,\n", "")),
    Rule("valid until: termination", "payload", Swap("        agreement.terminated,\n", "")),
    Rule("valid until: suspension", "payload", Swap("        *(span.start for span in agreement.suspended),\n", "")),
    Rule(
        "valid until: party",
        "payload",
        Swap("        *(party.span.end for party in agreement.parties if party.org in signed),\n", ""),
    ),
    Rule("valid until: body", "payload", Swap("ends.append(organisation.exists.end)", "pass")),
    Rule("valid until: not by incident", "payload", Swap("if attempt.clause.when.by_incident:", "if False:")),
]
