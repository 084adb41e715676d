"""What is said of a concern that cannot be built on what it names: every bad place at once."""

from collections.abc import Mapping

from services.intake.domain.model import SourceFault, Unsourced
from shared.http.problems import FieldError, Problem, bad_fields

WORDS: Mapping[SourceFault, str] = {
    "not-told": "your organisation was told of this concern by no notice of this id",
    "taken-back": "this notice was taken back: nothing may be built on it any more",
    "recalled": "this concern was recalled: nothing may be built on it any more",
    "older-version": "a newer version of the concern stands: name the notice that told your organisation of that one",
    "twice": "this concern is named before: name each once",
    "came-of-this": "this concern came of the one that you amend",
    "left-out": "a version names every concern that the versions before it were built on",
}


def unsourced(said: Unsourced) -> Problem:
    """422 with each bad place (JSON Pointer) and why."""
    return bad_fields([FieldError(pointer, WORDS[fault]) for pointer, fault in said.faults])
