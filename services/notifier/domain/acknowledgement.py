"""What a recipient says of a notice: a fold over its acknowledgements, each taken once; pure.

    delivered -> acknowledged -> accepted -> used
                             \\-> refused

A later word implies the earlier ones: who accepts has received. A person may be ahead of the delivery (the inbox has
every notice at once) and may come after its expiry; a cancelled notice has nothing to be acknowledged.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from services.notifier.domain.model import NoticeState


class Word(Enum):
    """What is said."""

    RECEIVED = "received"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    OUTCOME = "outcome"


@dataclass(frozen=True, slots=True)
class Acknowledgement:
    """One word, with its codes: `reason` and `suggested_body` of a refusal, `used_for` of an outcome."""

    word: Word
    reason: str = ""
    suggested_body: str = ""
    used_for: str = ""


@dataclass(frozen=True, slots=True)
class Kept:
    """An acknowledgement as it is kept: who said it, and when."""

    acknowledgement: Acknowledgement
    actor: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Taken:
    """It is new: the notice's state follows."""

    state: NoticeState


@dataclass(frozen=True, slots=True)
class Repeated:
    """It was said before: nothing changes."""


@dataclass(frozen=True, slots=True)
class Clash:
    """It contradicts what was said before; the text says what, and nothing changes."""

    because: str


Verdict = Taken | Repeated | Clash
_STATE = {
    Word.RECEIVED: NoticeState.ACKNOWLEDGED,
    Word.ACCEPTED: NoticeState.ACCEPTED,
    Word.REFUSED: NoticeState.REFUSED,
    Word.OUTCOME: NoticeState.USED,
}


def take(said: Acknowledgement, before: Iterable[Acknowledgement], *, state: NoticeState) -> Verdict:
    """What saying this means after what was said before, on a notice of that state."""
    earlier = list(before)
    if said in earlier:
        return Repeated()
    if state is NoticeState.CANCELLED:
        return Clash("the notice was withdrawn before anybody was told")
    if because := _contradiction(said.word, {one.word for one in earlier}):
        return Clash(because)
    # A person who says `received` after `accepted` says nothing new.
    return Repeated() if said.word is Word.RECEIVED and earlier else Taken(_STATE[said.word])


def _contradiction(word: Word, earlier: set[Word]) -> str:
    if word is Word.RECEIVED:
        return ""
    if Word.REFUSED in earlier:
        return "it was refused"
    if word is Word.OUTCOME:
        return "" if Word.ACCEPTED in earlier else "it was not accepted: accept it first"
    return "it was accepted" if Word.ACCEPTED in earlier else ""
