"""Cursors of lists: the place of the last row that was shown, opaque to the caller; the same for every list.

A list that is ordered by moment and id takes `after` and gives `next`.
"""

import base64
import re
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Query

from shared.http.params import ID_LENGTH_MAX
from shared.http.problems import FieldError, bad_fields

CURSOR_LENGTH_MAX = 256
_ENCODED = re.compile(r"[A-Za-z0-9_-]+")
_PLACE = re.compile(rf"(\S+) ([\w-]{{1,{ID_LENGTH_MAX}}})", re.ASCII)

After = Annotated[
    str,
    Query(
        max_length=CURSOR_LENGTH_MAX,
        pattern=r"^[A-Za-z0-9_-]*$",
        description="`next` of the page before, unchanged; empty: the first page",
    ),
]


def cursor_of(at: datetime, row_id: str) -> str:
    """The cursor of a row by its moment and id."""
    place = f"{at.astimezone(UTC).isoformat()} {row_id}"
    return base64.urlsafe_b64encode(place.encode()).decode().rstrip("=")


def place_of(after: str) -> tuple[datetime, str] | None:
    """Moment (UTC) and id of the row that a cursor names; None for an empty one.

    Raises Problem 422 for every text but those that `cursor_of` makes.
    """
    if not after:
        return None
    try:
        return _read(after)
    except (ValueError, OverflowError):
        raise bad_fields([FieldError("/after", "this is no cursor of ours: take it from `next`, unchanged")]) from None


def _read(after: str) -> tuple[datetime, str]:
    if not _ENCODED.fullmatch(after):
        raise ValueError("not of the alphabet")
    text = base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)).decode("ascii")
    found = _PLACE.fullmatch(text)
    if found is None:
        raise ValueError("no place")
    moment, row_id = datetime.fromisoformat(found[1]), found[2]
    if moment.tzinfo is None or cursor_of(moment, row_id) != after:
        raise ValueError("another way to write a place")
    return moment, row_id
