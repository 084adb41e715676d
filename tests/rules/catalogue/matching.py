"""The keys of `when` and of remits, and the words that a concern may use."""

from __future__ import annotations

from tests.rules.removal import Drop, Instead, Rule, Swap


def scope() -> list[Rule]:
    keys = ("needs_all", "nations", "subject", "settings", "victims", "provider_status", "fault_holders", "topics")
    more = ("topics_none", "urgency", "flags_all", "functions", "subject_not")
    whens = [Rule(f"when {key}", "scope", Drop("SCOPE_TESTS", key)) for key in (*keys, *more)]
    remit_keys = (*keys[1:], "remit_functions", "purposes")
    remits = [Rule(f"remit {key}", "scope", Drop("REMIT_TESTS", key)) for key in remit_keys]
    return [*whens, *remits]


def unknown_terms() -> list[Rule]:
    lists = {
        "categories": "categories",
        "purposes": "purposes",
        "topics": "topics",
        "functions": "functions",
        "flags": "flags",
        "urgency": "urgency",
        "nation": "nations",
        "setting": "settings",
        "victim": "victims",
        "fault_holder": "fault_holders",
        "provider_status": "provider_status",
        "sensitivity": "sensitivity_components",
        "marking": "markings",
        "field_classes": "field_classes",
    }
    listed = [
        Rule(f"unknown {name} holds", "holds", Swap(f'    "{name}": "{words}",\n', "")) for name, words in lists.items()
    ]
    frozen = "frozenset(row.kind for row in facts.subjects)"
    others = [
        Rule("unknown body holds", "holds", Instead("_bodies", "frozenset()")),
        Rule("unknown subject kind holds", "holds", Swap(frozen, "frozenset()")),
        Rule("unknown register holds", "holds", Swap('ids("registers")), registers', 'ids("registers")), frozenset()')),
        Rule("unknown gateway holds", "holds", Swap("gateways, facts.opened", "gateways, frozenset()")),
        Rule(
            "unknown onward term holds", "holds", Swap("frozenset(ONWARD_ORDER), frozenset(onward)", "onward, onward")
        ),
    ]
    return [*listed, *others]


MATCHING = [
    Rule(
        "1 lacking a value is no match",
        "scope",
        Swap("allowed is None or value in allowed", "allowed is None or value is None or value in allowed"),
    ),
    Rule(
        "1 lacking values is no match",
        "scope",
        Swap("allowed is None or allowed & values", "allowed is None or not values or allowed & values"),
    ),
    Rule(
        "1 one purpose is enough",
        "gates",
        Swap(
            "attempt.clause.purposes & attempt.case.facts.purposes",
            "attempt.clause.purposes >= attempt.case.facts.purposes",
        ),
    ),
    Rule("1 a purpose covers its descendants", "vocabulary", Instead("Vocabulary.purposes_under", "frozenset(named)")),
    Rule(
        "1 a parent category covers its children",
        "vocabulary",
        Instead("Vocabulary.categories_under", "frozenset(named)"),
    ),
    Rule(
        "2 kind and register on one subject",
        "scope",
        Swap(
            "fits = any(_fits(scope, subject) for subject in case.facts.subjects)",
            "fits = (scope.subject_kinds is None or any(s.kind in scope.subject_kinds for s in case.facts.subjects))"
            " and (scope.registers is None or any(s.registers & scope.registers for s in case.facts.subjects))",
        ),
    ),
    Rule(
        "2 registers", "scope", Swap("(scope.registers is None or bool(scope.registers & subject.registers))", "True")
    ),
    Rule(
        "2 subject kinds", "scope", Swap("scope.subject_kinds is None or subject.kind in scope.subject_kinds", "True")
    ),
    Rule("2 order of the keys", "scope", Swap("    topics_none,\n    urgency,\n", "    urgency,\n    topics_none,\n")),
    Rule("3 nations of the agreement", "load.build", Swap('**{"nations": nations, **sets}', "**sets")),
    Rule("default urgency", "facts", Swap('DEFAULT_URGENCY = "emerging"', 'DEFAULT_URGENCY = "routine"')),
    Rule("default purposes", "facts", Swap('DEFAULT_PURPOSES = ("regulatory-function",)', "DEFAULT_PURPOSES = ()")),
    Rule("implied functions of a remit", "remits", Instead("implied_functions", "frozenset()")),
    Rule("functions of a planned succession imply nothing", "remits", Swap('row.kind != "planned" and ', "")),
    Rule("assumed remits switch", "remits", Swap("and (case.policy.assumed_remits or not remit.assumed)", "")),
    Rule(
        "assumed clauses switch",
        "model",
        Swap("self.assumed_by_agreement.get(agreement, self.assumed_clauses)", "False"),
    ),
    Rule(
        "assumed clauses switch per agreement",
        "model",
        Swap("self.assumed_by_agreement.get(agreement, self.assumed_clauses)", "self.assumed_clauses"),
    ),
]
