"""Classes, reasons, leads."""

from __future__ import annotations

from tests.rules.removal import Instead, Rule, Swap

CLASSES = [
    Rule("15 a duty tells", "classes", Swap("clause.effect is Effect.REQUIRE or ", "")),
    Rule("15 only push tells", "classes", Swap("clause.mode is Mode.PUSH and ", "")),
    Rule(
        "15 clause and remit on one category",
        "classes",
        Swap("meets_remit(attempt))", "attempt.case.remit(attempt.recipient.org))"),
    ),
    Rule("15 a push needs a remit", "classes", Swap("and meets_remit(attempt))", ")")),
    Rule("15 REQUIRED if any is", "classes", Swap("required = any(", "required = all(")),
    Rule("15 available", "classes", Swap("if standing.passed:", "if False:")),
    Rule("15 held", "classes", Swap("if waiting := standing.awaiting_a_person():", "if waiting := ():")),
    Rule("15 gap", "classes", Swap("if case.remit(org) and not", "if False and not")),
    Rule("15 gap only with a remit", "classes", Swap("if case.remit(org) and not", "if not")),
    Rule("15 no gap: subject", "classes", Swap("org in case.subjects or standing", "standing")),
    Rule(
        "15 no gap: topic excluded",
        "classes",
        Swap("(reasons.TOPIC_EXCLUDED, reasons.FORBIDDEN)", "(reasons.FORBIDDEN,)"),
    ),
    Rule(
        "15 no gap: forbidden",
        "classes",
        Swap("(reasons.TOPIC_EXCLUDED, reasons.FORBIDDEN)", "(reasons.TOPIC_EXCLUDED,)"),
    ),
    Rule("15 no gap: shut bar", "classes", Swap(" or withholds_from(case, org)", "")),
    Rule("15 no gap: only a withholding bar", "bars", Swap("bar.withholds and not any(_opens", "not any(_opens")),
    Rule(
        "15 no gap: only while shut",
        "bars",
        Swap(
            "bar.withholds and not any(_opens_for_body(gateway, case, org) for gateway in bar.gateways)",
            "bar.withholds",
        ),
    ),
    Rule(
        "15 withheld",
        "classes",
        Swap("Class.WITHHELD if standing.verdicts or standing.wrong_way else Class.NO_PATH", "Class.NO_PATH"),
    ),
    Rule(
        "15 no_path",
        "classes",
        Swap("Class.WITHHELD if standing.verdicts or standing.wrong_way else Class.NO_PATH", "Class.WITHHELD"),
    ),
    Rule("16 subject before nearest miss", "classes", Swap("if standing.org in standing.case.subjects:", "if False:")),
    Rule(
        "16 conflict before nearest miss",
        "classes",
        Swap("if any(verdict.reason == reasons.CONFLICT_OF_INTEREST for verdict in standing.verdicts):", "if False:"),
    ),
    Rule("16 hold names the conflict", "decide", Instead("_in_conflict", "False")),
    Rule("16 originator is subject", "holds", Swap("return case.originator in case.subjects or ", "return ")),
    Rule("16 operator is subject", "holds", Swap(" or case.policy.operator in case.subjects", "")),
    Rule("16 unknown terms hold", "holds", Swap("if not_understood(case):", "if False:")),
    Rule("the furthest gate", "classes", Swap("return max(naming", "return min(naming")),
    Rule("furthest among clauses that name a category", "classes", Swap(" and names_category(v.attempt))", ")")),
    Rule(
        "NOT_SIGNED is the lowest",
        "classes",
        Swap("if any(verdict.reach > 0 for verdict in standing.verdicts):", "if standing.verdicts:"),
    ),
    Rule("other capacities join", "rights", Instead("_in_other_capacity", "iter(())")),
    Rule(
        "WRONG_DIRECTION",
        "classes",
        Swap("reasons.WRONG_DIRECTION if standing.wrong_way else reasons.NO_PATH", "reasons.NO_PATH"),
    ),
    Rule(
        "both is two directions",
        "rights",
        Swap('if clause.direction == "both" else [there]', "if False else [there]"),
    ),
    Rule("one way is one direction", "rights", Swap('if clause.direction == "both" else [there]', "")),
    Rule(
        "@signatories means all of them",
        "rights",
        Swap("(agreement.signatories if name == SIGNATORIES else {name})", "{name}"),
    ),
    Rule("17 nobody told", "decide", Swap("unroutable=not told and not held", "unroutable=not held")),
    Rule("17 nothing held", "decide", Swap("not told and not held and", "not told and")),
    Rule("17 originator is no lead", "decide", Swap(" and not leads_itself,", ",")),
    Rule(
        "17 available does not count",
        "decide",
        Swap(
            "unroutable=not told and",
            "unroutable=not told and not any(o.klass is Class.AVAILABLE for o in outcomes) and",
        ),
    ),
    Rule("18 rule applies by its agreement's categories", "lead", Instead("_applies", "True")),
    Rule("18 first match wins", "lead", Swap("step = next(matching, None)", "step = ([None, *matching])[-1]")),
    Rule("18 a step's categories", "lead", Swap("return named and all(", "return all(")),
    Rule(
        "18 a step's keys",
        "lead",
        Swap("return named and all(test(step.when, case) is None for test in SCOPE_TESTS)", "return named"),
    ),
    Rule("18 not before", "lead", Instead("_too_early", "False")),
    Rule(
        "18 on the incident's day",
        "lead",
        Swap("case.facts.incident_day if rule.by_incident else case.day", "case.day"),
    ),
    Rule(
        "18 else on the day of receipt",
        "lead",
        Swap("case.facts.incident_day if rule.by_incident else case.day", "case.facts.incident_day"),
    ),
    Rule(
        "18 the only one told is nominated", "lead", Swap("return among[0] if len(among) == 1 else None", "return None")
    ),
    Rule("18 undecided leads are flagged", "lead", Instead("asks_a_person", "()")),
    Rule("onward suggestion", "decide", Swap(", *hints(case, told, gaps)]", "]")),
]
