"""Mutants that change nothing that can be seen, by file and change, each with the reason."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from pathlib import Path

CORE = "shared/agreements/"
_KEPT = "how many are kept, or are many, decides nothing; that there is a bound is tested"
_BOUND = re.compile(r"([A-Z_]*KEPT_MAX|WIDE|EXPECTED_MAX|LONG_AGREEMENTS|ROWS_OF_A_MOMENT) = [\d_]+")
_TWO_WAYS = (
    "<= FEW:",
    "<= FEW_GUARDS:",
    "> FEW_GUARDS else",
    "> FEW_PIECES:",
    "FEW = ",
    "FEW_GUARDS = ",
    "FEW_PIECES = ",
)


def reason_for(path: str, change: str) -> str | None:
    """Why nothing can be seen of this change, or None when there is no reason."""
    before, _, after = change.removeprefix("- ").partition(" + ")
    if after == before.replace("strict=True", "strict=False") != before:
        return "both are as long as each other; `strict` only says so"
    if all(map(_BOUND.fullmatch, (before, after))):
        return _KEPT
    if any(way in before for way in _TWO_WAYS):
        return "either way comes to the same; which is quicker depends on how many there are"
    return _justified().get(f"{path.removeprefix(CORE)} {change}")


@cache
def _justified() -> dict[str, str]:
    listed = tomllib.loads(Path(__file__).with_suffix(".toml").read_text(encoding="utf-8"))
    return {change: row["because"] for row in listed["reasons"] for change in row["changes"]}
