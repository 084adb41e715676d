"""`python -m tests.rules`: takes out each rule in turn, prints which cases notice, fails if none does."""

from __future__ import annotations

import sys
from concurrent.futures import ProcessPoolExecutor

from tests.rules.catalogue import RULES
from tests.rules.removal import NoSuchRule, Outcome, Rule, as_it_stands, without

WORKERS = 2
NAME_WIDTH = 52


def tried(rule: Rule) -> Outcome:
    try:
        return without(rule)
    except NoSuchRule as fault:
        return Outcome(f"{rule.name} [not in the source: {fault}]")


def main() -> int:
    """0 when every case is green and every removal turns one red, else 1."""
    whole = as_it_stands()
    if whole.red or whole.broken:
        _say("red before anything was removed:", *whole.red, *whole.broken)
        return 1
    with ProcessPoolExecutor(WORKERS) as pool:
        outcomes = list(pool.map(tried, RULES, chunksize=8))
    for outcome in outcomes:
        _say(_line(outcome))
    unseen = [outcome.rule for outcome in outcomes if not outcome.holds]
    _say(f"{len(RULES)} rules, {whole.total} cases, {len(unseen)} rules that no case holds", *unseen)
    return 1 if unseen else 0


def _say(*lines: str) -> None:
    sys.stdout.write("\n  ".join(lines) + "\n")


def _line(outcome: Outcome) -> str:
    mark = "ok " if outcome.holds else "BAD"
    first = f", first {outcome.red[0]}" if outcome.red else ""
    broken = f", {len(outcome.broken)} that it breaks" if outcome.broken else ""
    return f"{mark} {outcome.rule:<{NAME_WIDTH}} {len(outcome.red):>3} red{broken}{first}"


if __name__ == "__main__":
    sys.exit(main())
