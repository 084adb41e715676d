"""The gates, and what a prohibition asks."""

from __future__ import annotations

from shared.agreements.load.words import WORDS
from tests.rules.removal import Drop, Instead, Rule, Swap


def gates() -> list[Rule]:
    names = ("capacity", "mode", "in_force", "accession", "assumed", "category", "remit", "purpose", "sensitivity")
    gates = [*names, "onward", "bar", "subject_is_recipient"]
    return [Rule(f"gate {name}", "gates", Drop("GATES", name)) for name in gates]


def prohibitions() -> list[Rule]:
    names = ("capacity", "in_force", "accession", "assumed", "category", "*SCOPE_GATES")
    asked = [Rule(f"FORBID asks {name}", "gates", Drop("FORBID_GATES", name)) for name in names]
    tail = "category, *SCOPE_GATES)\n"
    extra = ("mode", "remit", "purpose", "sensitivity")
    skipped = [Rule(f"FORBID skips {name}", "gates", Swap(tail, f"{tail[:-2]}, {name})\n")) for name in extra]
    wins = Rule("FORBID wins over a permit", "gates", Instead("forbids", "False"))
    return [*asked, *skipped, wins]


def caps() -> list[Rule]:
    """The cap of each instrument, taken out as if that instrument could carry anything."""
    looked_up = "return _caps(attempt.case.policy, public=public).get("
    lifted = "return attempt.case.facts.sensitivity if attempt.agreement.instrument == '{}' else " + looked_up[7:]
    return [
        Rule(f"cap of {name}", "gates", Swap(looked_up, lifted.format(name))) for name in sorted(WORDS["instrument"])
    ]


FORCE_AND_CAPS = [
    Rule("NOT_YET_IN_FORCE", "gates", Swap("if not agreement.span.has_begun(day):", "if False:")),
    Rule("EXPIRED", "gates", Swap("if agreement.span.has_ended(day):", "if False:")),
    Rule(
        "SUPERSEDED",
        "gates",
        Swap("if later and later.span.start is not None and later.span.start <= day:", "if False:"),
    ),
    Rule("SUSPENDED", "gates", Swap("if any(span.covers(day) for span in agreement.suspended):", "if False:")),
    Rule(
        "TERMINATED", "gates", Swap("if agreement.terminated is not None and agreement.terminated <= day:", "if False:")
    ),
    Rule("FEED_ONLY", "gates", Swap("Mode.FEED: reasons.FEED_ONLY, ", "")),
    Rule("RECORD_ONLY", "gates", Swap(", Mode.RECORD: reasons.RECORD_ONLY", "")),
    Rule("a record names every category", "gates", Swap("if attempt.clause.mode is Mode.RECORD:", "if False:")),
    Rule("accession of the discloser", "gates", Swap("attempt.discloser.party in present and ", "")),
    Rule("capacity of the discloser", "gates", Swap("attempt.discloser.party in signed and ", "")),
    Rule(
        "12 the clause's ceiling",
        "gates",
        Swap("own if own is not None else attempt.agreement.sensitivity_cap", "attempt.agreement.sensitivity_cap"),
    ),
    Rule(
        "12 the agreement's ceiling",
        "gates",
        Swap("own if own is not None else attempt.agreement.sensitivity_cap", "own"),
    ),
    Rule("12 the instrument's cap", "gates", Instead("_instrument_cap", "attempt.case.facts.sensitivity")),
    Rule(
        "12 the first and not the smaller",
        "gates",
        Swap("if agreed is not None:", "if agreed is not None and carried <= _instrument_cap(attempt):"),
    ),
    Rule("cap with a private party", "gates", Swap('all(organisations[org].sector == "public"', "all(True")),
    Rule("cap between public bodies", "gates", Swap('all(organisations[org].sector == "public"', "all(False")),
    Rule(
        "cap looks at signatories only",
        "gates",
        Swap(
            "for org in attempt.agreement.signatories)\n    return _caps",
            "for org in {p.org for p in attempt.agreement.parties})\n    return _caps",
        ),
    ),
    Rule("caps of the vocabulary", "load.build", Swap(' or words.values.get("instrument_caps")', "")),
    Rule("caps of the policy", "load.build", Swap('row.get("instrument_caps") or ', "")),
    Rule("onward free lets on", "gates", Swap('term == "free" or ', "")),
    Rule(
        "onward ask_originator asks",
        "gates",
        Swap('(term == "ask_originator" and granted)', 'term == "ask_originator"'),
    ),
    Rule("onward ask_originator opens by leave", "gates", Swap(' or (term == "ask_originator" and granted)', "")),
    Rule(
        "every hop counts",
        "gates",
        Swap("for hop in case.facts.provenance)", "for hop in case.facts.provenance[:1])"),
    ),
]
