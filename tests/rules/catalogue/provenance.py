"""What came from others, and markings that contradict each other."""

from __future__ import annotations

from tests.rules.removal import Instead, Rule, Swap

PROVENANCE = [
    Rule("a hop masks its fields", "payload", Swap(" + _masks(case, name)", "")),
    Rule("every hop masks", "payload", Instead("_masks", "[hop.given_as(name) for hop in case.facts.provenance][:1]")),
    Rule("a class that was not given is omitted", "facts", Swap("field, NOT_GIVEN)", "field)")),
    Rule("a masked field says why", "payload", Swap("barred or omitting or masked", "barred or omitting")),
    Rule("onward of the hops", "payload", Swap(" + [hop.onward for hop in case.facts.provenance]", "")),
    Rule(
        "a hop's unknown field class",
        "holds",
        Swap("frozenset(name for name, _ in given)", "frozenset()"),
    ),
    Rule(
        "a hop's unknown field policy",
        "holds",
        Swap("frozenset(policy for _, policy in given)", "frozenset()"),
    ),
    Rule("a contradiction holds", "holds", Instead("contradictions", "()")),
    Rule(
        "a contradiction is said with all its words",
        "holds",
        Swap("for said in row.says))", "for said in row.says[:1]))"),
    ),
    Rule("a contradiction is named", "decide", Swap("detail=not_understood(case)", "detail=()")),
]
