"""Successions, novations, divisions, days."""

from __future__ import annotations

from tests.rules.removal import Instead, Rule, Swap


def successions() -> list[Rule]:
    partial = 'return self.kind in ("split", "partial_transfer")'
    full = ("rename", "operating_name", "merge", "abolish_with_transfer")
    wrong = 'return self.kind in ("split", "partial_transfer", "{}")'
    wholes = [Rule(f"succession {kind} is whole", "model", Swap(partial, wrong.format(kind))) for kind in full]
    return [
        *wholes,
        Rule("succession split is partial", "model", Swap(partial, 'return self.kind == "partial_transfer"')),
        Rule("succession partial_transfer is partial", "model", Swap(partial, 'return self.kind == "split"')),
        Rule(
            "succession planned is never followed",
            "model",
            Swap(
                "return self.effective is not None and self.effective <= day",
                "return self.effective is None or self.effective <= day",
            ),
        ),
        Rule("succession from its day on", "model", Swap("self.effective <= day", "True")),
    ]


BODIES = [
    Rule("split by function", "succession", Swap("if self.functions:", "if False:")),
    Rule(
        "split by category without function",
        "succession",
        Swap("return bool(row.categories & self.categories)", "return False"),
    ),
    Rule(
        "split without match is a person's",
        "succession",
        Swap("personal=personal, ambiguous=True", "personal=personal, ambiguous=False"),
    ),
    Rule("partial transfer leaves the rest", "succession", Instead("Lineage._lives_on", "False")),
    Rule("novation not_carried", "succession", Swap('if row.novation != "not_carried"', "")),
    Rule("novation inherited is plain", "classes", Swap(' if f != "inherited"', "")),
    Rule(
        "novation pending review or assumed is flagged",
        "succession",
        Swap("novations=self.novations | {row.novation}", "novations=self.novations"),
    ),
    Rule("8 personal signature", "succession", Swap("if personal:", "if False:")),
    Rule(
        "8 personal signature moves where carried",
        "succession",
        Swap("[row for row in carried if row.carries_ecp_signature]", "[]"),
    ),
    Rule("8 parent not in force is flagged", "classes", Swap('flags.add("parent_not_in_force")', "pass")),
    Rule(
        "8 parent is not needed",
        "gates",
        Swap(
            "return why_not_in_force(attempt.agreement, attempt.day, attempt.case.snapshot)",
            "return why_not_in_force(attempt.case.snapshot.sharing(attempt.agreement.supports or '')"
            " or attempt.agreement, attempt.day, attempt.case.snapshot)",
        ),
    ),
    Rule("9 assumed clause is flagged", "classes", Swap('flags.add("assumed")', "pass")),
    Rule(
        "9 certainty of the clause alone",
        "gates",
        Swap(
            "switched_off = attempt.clause.assumed",
            "switched_off = (attempt.agreement.record.get('content_certainty') == 'assumed' or attempt.clause.assumed)",
        ),
    ),
    Rule("review overdue is flagged", "classes", Swap('flags.add("review_overdue")', "pass")),
    Rule(
        "10 incident day for force",
        "case",
        Swap("self.case.facts.incident_day if self.clause.when.by_incident else self.case.day", "self.case.day"),
    ),
    Rule(
        "10 only where the clause says so",
        "case",
        Swap(
            "self.case.facts.incident_day if self.clause.when.by_incident else self.case.day",
            "self.case.facts.incident_day",
        ),
    ),
    Rule("10 receipt for bodies and remits", "case", Swap("self.day = facts.day", "self.day = facts.incident_day")),
    Rule("default incident day", "facts", Swap("self.incident_date or self.day", "self.incident_date or date.min")),
    Rule("days in London", "days", Swap("instant.astimezone(LONDON).date()", "instant.date()")),
    Rule("interval starts on its day", "days", Swap("self.start <= day", "self.start < day")),
    Rule("interval ends before its day", "days", Swap("self.end <= day", "self.end < day")),
    Rule("11 held only behind every other gate", "classes", Swap("if passes_but_for_remit(attempt)", "")),
    Rule("11 remit aside", "gates", Swap(" for gate in GATES if gate is not remit", " for gate in GATES")),
    Rule(
        "11 told wins over held",
        "classes",
        Swap("not v.attempt.ambiguous)", "not any(w.attempt.ambiguous for w in verdicts))"),
    ),
    Rule(
        "11 either side may be split",
        "case",
        Swap("return self.discloser.ambiguous or self.recipient.ambiguous", "return self.recipient.ambiguous"),
    ),
    Rule("5 a parent receives", "bodies", Instead("Bodies._delivered", "reached")),
    Rule(
        "5 a parent originates",
        "bodies",
        Swap("if originator in (reached.org, self._parent(reached.org)):", "if originator == reached.org:"),
    ),
    Rule(
        "6 remit of the receiving body",
        "gates",
        Swap("attempt.case.remit(attempt.recipient.org)", "attempt.case.remit(attempt.recipient.party)"),
    ),
    Rule("6 remits have days", "remits", Swap("and remit.span.covers(case.day)", "")),
    Rule("7 exists", "bodies", Swap("if organisation.exists.covers(self.day) and", "if")),
    Rule("7 ended is replaced", "bodies", Swap("organisation.exists.has_ended(self.day)\n            or ", "")),
    Rule(
        "7 wholly succeeded is replaced",
        "bodies",
        Swap("any(row.has_happened(self.day) and not row.partial for row in rows)", "False"),
    ),
    Rule("7 a division is replaced", "bodies", Swap("or organisation.deliver_to is not None", "")),
    Rule("a discloser is never told", "rights", Swap(" if org != discloser)", ")")),
    Rule("each body once", "succession", Instead("_each_once", "tuple(found)")),
]
