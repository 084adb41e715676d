"""Cursors of lists: the place of the last row that was shown, opaque to the caller."""

import base64
import binascii
from datetime import datetime

from shared.http.problems import FieldError, bad_fields


def cursor_of(at: str, row_id: str) -> str:
    """The cursor of a row by its moment (RFC 3339) and id."""
    return base64.urlsafe_b64encode(f"{at} {row_id}".encode()).decode().rstrip("=")


def read_cursor(cursor: str) -> tuple[datetime, str] | None:
    """The place that a cursor names; None for an empty one. Raises Problem 422."""
    if not cursor:
        return None
    try:
        text = base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)).decode("ascii")
        at, _, row_id = text.partition(" ")
        moment = datetime.fromisoformat(at)
    except (binascii.Error, ValueError):
        moment, row_id = None, ""
    if moment is None or moment.tzinfo is None or not row_id.isidentifier():
        raise bad_fields([FieldError("/after", "this is no cursor of ours: take it from `next`")])
    return moment, row_id
