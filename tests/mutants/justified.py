"""Mutants that change nothing that can be seen, by file and change, each with the reason."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

_WORDS = "each word that may stand here answers either comparison alike"
_POSITIVE = "the number of a gate is never negative"
_SAME_CASE = "all the clauses that tell a body are tried for one and the same case"
_KEPT = "how many are kept decides nothing; that there is a bound is tested"
_DERIVED = "it follows from what is compared"
_ONE_LESS = "one less for each orders them alike"
_CANDIDATES = "there is a candidate at least, and here no other"
_BY_NAME = "because.cite, signed.discloser, signed.recipient"
_EPACT = "epact = (19 * golden + century - century // 4 - (century - (century + 8) // 25 + 1) // 3 + 15) % 30"
_BOUND = re.compile(r"([A-Z_]*KEPT_MAX|WIDE) = [\d_]+")
_TWO_WAYS = (
    "<= FEW:",
    "<= FEW_GUARDS:",
    "> FEW_GUARDS else",
    "> FEW_PIECES:",
    "FEW = ",
    "FEW_GUARDS = ",
    "FEW_PIECES = ",
)
_SPEAKING = "self._speaking = {who: lanes for who, lanes in speakers if not (plain and who[0] == slice_.originator)}"
_ASKED = "asked = (True, facts.functions & functions) if facts.functions else (False, facts.categories & categories)"
_FROZEN = "@dataclass(frozen=True, slots=True)"


def reason_for(path: str, change: str) -> str | None:
    """Why nothing can be seen of this change, or None when there is no reason."""
    before, _, after = change.removeprefix("- ").partition(" + ")
    if after == before.replace("strict=True", "strict=False") != before:
        return "both are as long as each other; `strict` only says so"
    if all(map(_BOUND.fullmatch, (before, after))):
        return _KEPT
    if before.startswith("most = FOOTINGS_OF_WIDE_KEPT_MAX if"):
        return _KEPT
    if "self.trimmed_at else after.trimmed()" in before:
        return "when a column is trimmed decides nothing; that it is, is tested"
    if any(way in before for way in _TWO_WAYS):
        return "either way comes to the same; which is quicker depends on how many there are"
    return JUSTIFIED.get((PurePosixPath(path).name, change))


def _change(before: str, after: str) -> str:
    return f"- {before} + {after}"


def _within(line: str, old: str, new: str) -> str:
    return f"- {line} + {line.replace(old, new)}"


JUSTIFIED: dict[tuple[str, str], str] = {
    (
        "succession.py",
        _change(_FROZEN, "@dataclass(frozen=False, slots=True)"),
    ): "nothing writes to it; mypy holds that",
    (
        "succession.py",
        _change(_FROZEN, "@dataclass(frozen=True, slots=False)"),
    ): "slots spare memory and decide nothing",
    (
        "succession.py",
        _within('carried = [row for row in rows if row.novation != "not_carried"]', "!=", "<"),
    ): _WORDS,
    (
        "gates.py",
        _within('return term == "free" or (term == "ask_originator" and granted)', 'term == "ask', 'term <= "ask'),
    ): _WORDS,
    (
        "gates.py",
        _within(
            'public = all(organisations[org].sector == "public" for org in attempt.agreement.signatories)', "==", ">="
        ),
    ): _WORDS,
    (
        "gates.py",
        _within("return gate.args[0].__name__ if isinstance(gate, partial) else gate.__name__", "args[0]", "args[ -1]"),
    ): "a scope gate has one argument bound",
    (
        "decide.py",
        _within("for outcome, standing in zip(waiting, standings, strict=True)", "True", "False"),
    ): "both come from the same standings; `strict` only says so",
    (
        "classes.py",
        _within(
            'flags = {f for f in attempt.discloser.novations | attempt.recipient.novations if f != "inherited"}',
            "!=",
            ">",
        ),
    ): _WORDS,
    (
        "classes.py",
        _within("if any(verdict.reach > 0 for verdict in standing.verdicts):", ">", "!="),
    ): _POSITIVE,
    (
        "classes.py",
        _within(
            "naming = (v for v in standing.verdicts if v.reach > 0 and not v.passed and names_category(v.attempt))",
            "> 0",
            "!= 0",
        ),
    ): _POSITIVE,
    **{
        ("explain.py", _within(line, "> 0", "!= 0")): _POSITIVE
        for line in (
            "naming = (trial for trial in trials if trial.reach > 0 and trial.failed and trial.names_category)",
            "if any(trial.reach > 0 for trial in tried):",
        )
    },
    **{
        ("explain.py", _within(line, "-trial.reach", "~trial.reach")): _ONE_LESS
        for line in (
            f"return len(trial.needed), not trial.would_tell, -trial.reach, {_BY_NAME}",
            "return tuple(sorted(map(_trial, attempts), key=lambda trial: (-trial.reach, trial.because.cite)))",
        )
    },
    (
        "explain.py",
        _within(
            "closed = (trial for trial in trials if trial.failed and not trial.ambiguous"
            " and trial.effect != Effect.FORBID.value)",
            "!=",
            ">",
        ),
    ): _WORDS,
    **{
        ("calendar.py", _within(_EPACT, old, new)): reason
        for old, new, reason in (
            ("+ 15)", "- 15)", "thirty days of the epact more are none"),
            ("+ 8)", "+ 9)", "another in centuries 16, 41, 66 and 91 alone, where the third of it is the same"),
        )
    },
    (
        "deadline.py",
        _within("if calendar.is_working_day(day) and begins < closes:", "<", "<="),
    ): "a limit is one hour at least, and of no time nothing is taken",
    **{
        ("payload.py", _within(line, "[0]", "[ -1]")): _SAME_CASE
        for line in (
            "case = telling[0].case",
            "organisation = telling[0].case.organisation(org)",
            "return tuple(bar for bar in telling[0].case.bars if bar.id in for_all)",
            "for name in _field_classes(telling[0].case):",
            "masked = [PROVENANCE] if OMIT in _masks(telling[0].case, name) else []",
        )
    },
    (
        "payload.py",
        _within("if known is None or _strictness(limit) < _strictness(known):", "<", "<="),
    ): "two limits of one name that are as strict as each other are equal",
    (
        "payload.py",
        _within("if default and not any(limit.name == default.name for limit in limits):", "==", "<="),
    ): "no limit's name comes before `acknowledge`",
    **{
        (module, _within(f"{name} = field(init=False, repr=False, compare=False)", "e=False)", "e=True)")): _DERIVED
        for module, name in (
            ("vocabulary.py", "_ids: dict[str, tuple[str, ...]]"),
            ("snapshot.py", "successions: Mapping[str, tuple[Succession, ...]]"),
            ("snapshot.py", "_parts: frozenset[str]"),
            ("model.py", "signatories: Terms"),
        )
    },
    ("slices.py", _within("return sorted(many, key=lambda org: (-many[org], org))", "-many", "~many")): _ONE_LESS,
    **{
        (
            "slices.py",
            _within("found = self._in_passing(later[-1]) if later else None", "-1", other),
        ): "all later versions begin on the one day on which this one ends"
        for other in ("- 0", "not 1")
    },
    (
        "remits.py",
        _within("bool(remit.scope.categories & case.facts.categories)", "&", "|"),
    ): "spares the other tests; of the categories of a remit only the concern's are covered",
    (
        "rights.py",
        _within("unsigned = everybody - agreement.signatories", "-", "^"),
    ): "every signatory is a party",
    ("lead.py", _within("if len(candidates) == 1:", "==", "<=")): _CANDIDATES,
    (
        "lead.py",
        _within("return among[0] if len(among) == 1 else None", "[0]", "[ -1]"),
    ): "of one, the first is the last",
    ("lead.py", _within("return candidates[0]", "[0]", "[ -1]")): _CANDIDATES,
    ("footing.py", _within("lanes = self._still | moved", "|", "^")): "no lane stays and moves",
    (
        "footing.py",
        _within("lanes = (settled.lanes | parted) & ~silent", "|", "^"),
    ): "no lane is settled and falls into parts",
    (
        "footing.py",
        _within("if everybody or not parted:", "or not", "or"),
    ): "what is settled and what falls into parts are joined in the end",
    (
        "footing.py",
        _within("self._still = slice_.lanes ^ slice_.moving", "^", "-"),
    ): "what moves is among them",
    (
        "footing.py",
        _within(
            "heard = {party for tie in slice_.heard for party in tie[:2] if party not in terrain.still}", ":2", ": 3"
        ),
    ): "whether a signature is personal is no party",
    (
        "footing.py",
        _within("self.free = era.able & ~(ways.bodies | itself)", "|", "^"),
    ): "no lane leads to whom it starts from",
    **{
        (
            "footing.py",
            _within(_SPEAKING, "who[0] ==", f"who[ {other}] =="),
        ): "who is always itself always speaks as itself"
        for other in (1, -1)
    },
    **{
        (
            "footing.py",
            _within("moved, *_ = self._follow(self._whole, case, era, 0)", "era, 0", f"era, {other}"),
        ): "who is silent decides over the bodies alone, which are not read here"
        for other in (1, -1)
    },
    (
        "footing.py",
        _within(
            "yield from tellers.some(case, era, parted=parted, everybody=parted and hears_in_parts)",
            "parted and",
            "parted or",
        ),
    ): "those who are always themselves are among the settled already",
    **{
        ("footing.py", _within(_ASKED, old, new)): "another key for each that has a key of its own"
        for old, new in (("functions &", "functions ^"), ("categories &", "categories ^"))
    },
    **{
        ("build.py", _within(f'{line} == "{word}"{rest}', "==", other)): _WORDS
        for line, word, rest, other in (
            ('Remit(self.scope(remit), _span(remit), assumed=remit["certainty"]', "assumed", ")", "<="),
            ('by_person=row["decided_by"]', "person", ",", "<="),
            ('assumed=row["certainty"]', "assumed", ",", "<="),
            ('withholds=row["without_gateway"]', "withhold", ",", ">="),
            ('carries_ecp_signature=row["ecp_signature"]', "carried", ",", "<="),
            ('signed = row["capacity"]', "signatory", "", ">="),
        )
    },
    (
        "references.py",
        _within('if clause["direction"] == "among" and {*clause["from"]} != {*clause["to"]}:', "==", "<="),
    ): _WORDS,
    (
        "references.py",
        _within('if row["without_gateway"] == "omit_fields" and not row.get("fields"):', "==", "<="),
    ): _WORDS,
    (
        "references.py",
        _within("if len(sides) == 1 and not sides & MAY_NAME:", "==", "<="),
    ): "a clause has two sides, and each names one at least",
    (
        "references.py",
        _within(
            'if row["status"] == "promised" and any(clause["mode"] != "record" for clause in row["clauses"]):',
            '!= "record"',
            '< "record"',
        ),
    ): _WORDS,
    **{
        ("references.py", _within(line, "!= ", "< ")): _WORDS
        for line in (
            'if not clause["when"]["categories"] and clause["mode"] != "record":',
            'if NAMED in clause["to"] and clause["direction"] != "one_way":',
        )
    },
    **{
        ("references.py", _within("if len(set(names)) == len(names):", "==", other)): reason
        for other, reason in ((">", "to count comes to the same, and takes longer"), (">=", "a set has no more"))
    },
    ("references.py", _within("if count > 1:", ">", "!=")): "what is counted is there",
    (
        "references.py",
        _within(
            'signatories = {party["org"] for party in row["parties"] if party["capacity"] == "signatory"}', "==", ">="
        ),
    ): _WORDS,
    (
        "lean.py",
        _within("return Names(Stored(self._stored, kind)) if kind == AGREEMENT else super().ids(kind)", "==", "<="),
    ): _WORDS,
    (
        "layout.py",
        _within("made = self.lanes ^ (carried & self.lanes), carried & self.guards", "lanes ^", "lanes -"),
    ): "what is taken away is among them",
    (
        "facets.py",
        _within("if True not in wanted:", "True", "False"),
    ): "the value of no lane is never wanted",
    (
        "facets.py",
        _within("if code == len(after.values):", "==", "<="),
    ): "a value that stands twice is no lane's the second time",
    ("shelf.py", "- _uses = count(1) + _uses = count( 2)"): "only the order counts",
    ("bits.py", _within("text = bin(bits)[:1:-1]", ":1:", ": 0:")): "the `b` of `0b` is no place",
    (
        "facets.py",
        _within("found[value] = found.get(value, 0) | bits_at(listed, moves.width)", "|", "^"),
    ): "a lane that is new is in no set yet",
    (
        "facets.py",
        _within("if code == len(after.values):", "==", ">="),
    ): "no value has a higher number than the next one",
    **{
        (
            "decider.py",
            _within(
                "guards = Joined(trial, 0).told & trial.slice.layout.fill(common.terrain.set_of(gaps))[1]",
                "trial, 0",
                f"trial, {other}",
            ),
        ): "who is silent is told nothing either way"
        for other in (1, -1)
    },
    (
        "layout.py",
        _within("self.bodies = bits_at(self._numbers, max(self._numbers, default=0) + 1)", "+ 1", "+ 2"),
    ): "the width only has to be enough",
    (
        "terrain.py",
        _within("return False, facts.categories & categories", "&", "^"),
    ): "another key for each that has a key of its own",
    (
        "lanes.py",
        _within('public = all(organisations[org].sector == "public" for org in agreement.signatories)', "==", ">="),
    ): _WORDS,
}
