"""What the checker sends: three worked concerns, each with who must hear of it by the agreements, and a wrong one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.checker.model import VALID, WRONG

_DOCTOR: Mapping[str, Any] = {
    "originator": "cqc",
    "version": 1,
    "marking": "OFFICIAL-SENSITIVE",
    "received_at": "2025-01-06T09:00:00Z",
    "nation": "england",
    "setting": "nhs-trust",
    "urgency": "emerging",
    "sensitivity": ["personal_data"],
}


@dataclass(frozen=True, slots=True)
class Worked:
    """A concern but for what makes it new, and who must hear of it: exactly these."""

    originator: str
    recipients: frozenset[str]
    body: Mapping[str, Any]
    subject: Mapping[str, Any]
    kind: str = VALID

    def numbered(self, key: str, number: int) -> dict[str, Any]:
        """The concern under a reference of its own, about a subject of its own."""
        (scheme, form), rest = next(iter(self.subject["identifiers"].items())), dict(self.subject)
        rest["identifiers"] = [{"scheme": scheme, "value": form.format(number % 10_000)}]
        return {**self.body, "originator_ref": key, "summary": summary_of(key), "subjects": [rest]}


def summary_of(key: str) -> str:
    """What each concern says: another text for each, so that mixed up contents are seen."""
    return f"Seen on a visit, reference {key}."


_PERSON = {"kind": "registrant", "registers": ["gmc"], "identifiers": {"gmc-number": "401{:04d}"}}
_PLACE = {"kind": "provider", "identifiers": {"cqc-provider": "1-102030{:04d}"}}
_WARD = {**_DOCTOR, "originator": "gmc", "categories": ["staffing"], "sensitivity": []}
_ONE = {**_DOCTOR, "categories": ["ftp-conduct"]}
_TWO = {**_DOCTOR, "categories": ["ftp-conduct", "patient-safety"]}

WORKED = (
    Worked("cqc", frozenset({"gmc"}), _ONE, _PERSON),
    Worked("gmc", frozenset({"cqc"}), _WARD, _PLACE),
    Worked("cqc", frozenset({"gmc", "nhs-england"}), _TWO, _PERSON),
)
MALFORMED = Worked("cqc", frozenset(), {**_ONE, "nation": 5}, _PERSON, WRONG)
RECIPIENTS = tuple(sorted({org for worked in WORKED for org in worked.recipients}))
WRONG_EVERY, AGAIN_EVERY, LOOKED_AT_EVERY = 17, 7, 5


def nth(number: int) -> Worked:
    """The concern to be sent at this place of a run."""
    return MALFORMED if number % WRONG_EVERY == WRONG_EVERY - 1 else WORKED[number % len(WORKED)]
