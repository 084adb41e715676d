"""What the benchmark sends: the worked cases in their mix, each concern new, its subjects spread over many."""

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

from deploy.demo.cases import Case

SUBJECTS = 5_000
_DIGITS = {
    "cqc-provider": "1-{:010d}",
    "cqc-location": "1-{:010d}",
    "gmc-number": "{:07d}",
    "gdc-number": "{:06d}",
}


class Traffic:
    """Concern after concern from the cases that hold with assumed clauses off; `number` makes each of them new."""

    def __init__(self, cases: Sequence[Case], run: str) -> None:
        self._cases = [case for case in cases if not case.assumed]
        self._run = run
        self._order = itertools.cycle(range(len(self._cases)))

    @property
    def recipients(self) -> set[str]:
        """Every body that any of the cases tells."""
        return {org for case in self._cases for org in case.told}

    def next(self, number: int) -> tuple[Case, dict[str, Any]]:
        """The case and its concern, received on the day of the case, so that the same bodies are told."""
        case = self._cases[next(self._order)]
        subjects = [_spread(subject, number) for subject in case.concern["subjects"]]
        return case, {**case.concern, "originator_ref": f"{self._run}-{number}", "subjects": subjects}


def _spread(subject: Mapping[str, Any], number: int) -> dict[str, Any]:
    identifiers = [
        {**row, "value": _DIGITS[row["scheme"]].format(number % SUBJECTS + 100_000)}
        for row in subject.get("identifiers", ())
        if row["scheme"] in _DIGITS
    ]
    return {**subject, "identifiers": identifiers}
