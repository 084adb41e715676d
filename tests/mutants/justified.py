"""Mutants that change nothing that can be seen, by file and change, each with the reason."""

from __future__ import annotations

_FROZEN = "- @dataclass(frozen=True, slots=True) + @dataclass(frozen={}, slots={})"
_ORDER = "the words that may stand there have the same answer in either comparison"
_NAMES = 'if row.novation {} "not_carried"]'
_NEVER_NEGATIVE = "a gate's number is never negative"

JUSTIFIED: dict[tuple[str, str], str] = {
    ("succession.py", _FROZEN.format("False", "True")): "no code writes to it; the type checker holds that",
    ("succession.py", _FROZEN.format("True", "False")): "slots save memory and decide nothing",
    (
        "succession.py",
        f"- carried = [row for row in rows {_NAMES.format('!=')} + carried = [row for row in rows {_NAMES.format('<')}",
    ): _ORDER,
}
