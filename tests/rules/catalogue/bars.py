"""Bars and gateways."""

from __future__ import annotations

from tests.rules.removal import Instead, Rule, Swap

BARS = [
    Rule("bar withholds", "gates", Swap("barred = any(bar.withholds for bar in shut_bars(attempt))", "barred = False")),
    Rule("bar that omits lets the rest through", "gates", Swap("any(bar.withholds for", "any(True for")),
    Rule(
        "bar binds its holders only",
        "case",
        Swap(" and self.originator in holders", ""),
    ),
    Rule("bar follows its holder", "case", Swap("self.originator in holders", "self.originator in bar.holders")),
    Rule("bar has days", "case", Swap("bar.span.covers(self.day) and ", "")),
    Rule("bar omits its fields", "payload", Swap("[bar.id for bar in shut if name in bar.fields]", "[]")),
    Rule("gateway: person's entry", "bars", Instead("_recorded", "True")),
    Rule("gateway: person's entry opens", "bars", Instead("_recorded", "not gateway.by_person")),
    Rule("gateway: nothing to test opens nothing", "bars", Swap("return stated and needed", "return needed")),
    Rule(
        "gateway: named agreements", "bars", Swap("return attempt.agreement.id in gateway.agreements and ", "return ")
    ),
    Rule(
        "gateway: named agreements open",
        "bars",
        Swap("return attempt.agreement.id in gateway.agreements and ", "return False and "),
    ),
    Rule(
        "gateway: named agreements and a person",
        "bars",
        Swap("in gateway.agreements and _recorded(gateway, attempt.case)", "in gateway.agreements"),
    ),
    Rule("gateway: duties may be named", "load.objects", Swap(' | self.ids("duty")', "")),
    Rule("gateway: sector", "bars", Instead("_of_sector", "True")),
    Rule("gateway: sector opens", "bars", Instead("_of_sector", "gateway.to_sector is None")),
    Rule("gateway: necessity", "bars", Swap("case.facts.necessity or not gateway.needs_necessity", "True")),
    Rule("gateway: necessity of the concern", "bars", Swap("case.facts.necessity or not", "not")),
    Rule(
        "gateway: standing necessity",
        "bars",
        Swap("if gateway.needs_necessity and attempt.clause.standing_necessity:", "if False:"),
    ),
    Rule("gateway: own clause by flag", "bars", Swap("return flagged or _recorded", "return _recorded")),
    Rule(
        "gateway: own clause by entry",
        "bars",
        Swap("return flagged or _recorded(gateway, attempt.case)", "return flagged"),
    ),
    Rule("gateway: own clause alone", "bars", Swap("return gateway.permits == attempt.clause.cite and ", "return ")),
    Rule(
        "gateway: own clause is tried",
        "slices",
        Swap("*(bar.permitted for bar in graph.bars.values())", "*()"),
    ),
    Rule("gateway: any clause's necessity suffices", "payload", Swap("set.intersection(*shut)", "set.union(*shut)")),
    Rule(
        "@named means the named bodies",
        "bodies",
        Swap("if NAMED in right.recipients else ()", "if False else ()"),
    ),
    Rule("@named: by a discloser", "gates", Swap("return speaks and NAMED in", "return NAMED in")),
    Rule(
        "@named: in so many words",
        "gates",
        Swap(" and attempt.recipient.party in attempt.case.facts.named_recipients", ""),
    ),
    Rule(
        "@named: where the clause says so", "gates", Swap("speaks and NAMED in clause.recipients and ", "speaks and ")
    ),
    Rule(
        "14 @named needs a remit",
        "classes",
        Swap("meets_remit(attempt))", "(meets_remit(attempt) or '@named' in clause.recipients))"),
    ),
]
