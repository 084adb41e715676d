"""What comes in over HTTP, as the domain's own words."""

import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any

from pydantic import BaseModel, Field

from services.registry.domain.model import Defect, GraphObject
from services.registry.usecases.commit import PART_BYTES_MAX
from shared.canonical import NotCanonical, canonical
from shared.contracts.envelope import JsonObject
from shared.contracts.graph import GraphCommit
from shared.http.problems import FieldError, Problem, bad_fields

VERSION_MAX = 2**53 - 1
OBJECT_BYTES_MAX = PART_BYTES_MAX
"""No object is cut: a larger one would fit into no record of the topic, and no router would hear of its commit."""
_KIND = re.compile(r"[a-z_]{1,32}")
_ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
_DIGITS_ALIKE = bytes.maketrans(b"123456789", b"000000000")
Text = Annotated[str, Field(min_length=1, max_length=500, pattern=r"\S")]


def graph_objects(rows: Sequence[JsonObject], *, where: str = "", kind: str | None = None) -> tuple[GraphObject, ...]:
    """The objects of a form, each in its canonical bytes; `kind`: only of that kind, one alone at `where`.

    Raises Problem 422 naming every object that has no form, and each that is there twice.
    """
    places = [where or f"/objects/{number}" for number in range(len(rows))]
    bodies = [_body(row) for row in rows]
    each = zip(places, rows, bodies, strict=True)
    found = [FieldError(place, fault) for place, row, body in each for fault in _faults(row, body, kind)]
    found += _repeated(rows)
    if found:
        raise bad_fields(found)
    return tuple(GraphObject(row["kind"], row["id"], body) for row, body in zip(rows, bodies, strict=True) if body)


class CommitFeed(BaseModel):
    """The answer of `GET /v1/graph/commits`; `next` is the `after` of the next question."""

    commits: list[GraphCommit]
    next: int


def refusal(defects: Sequence[Defect]) -> Problem:
    """422 with every defect of the graph that the change would make."""
    errors = [FieldError("" if d.index is None else f"/objects/{d.index}", d.detail) for d in defects]
    title = "The graph would not be one that can be decided on; nothing was changed"
    detail = "Correct every place in `errors`, and send the whole again: none of it was taken."
    return Problem(422, "graph-invalid", title, detail, errors)


def _body(row: JsonObject) -> bytes | None:
    try:
        return canonical(row)
    except NotCanonical:
        return None


def _faults(row: JsonObject, body: bytes | None, only: str | None) -> Iterator[str]:
    kind, object_id = row.get("kind"), row.get("id")
    if not isinstance(kind, str) or not _KIND.fullmatch(kind):
        yield "`kind` must name a kind of graph object"
    if only is not None and kind != only:
        yield f"`kind` must be {only}"
    if not isinstance(object_id, str) or not _ID.fullmatch(object_id):
        yield "`id` must be letters, digits, `-` and `_`, 128 at most"
    if body is None:
        yield "whole numbers have 53 bits at most: write a longer one as a text"
    elif _float_may_stand_in(body) and _has_float(row):
        yield "numbers must be whole: there are no fractions in the graph"
    if body and len(body) > OBJECT_BYTES_MAX:
        limit = f"an object has {OBJECT_BYTES_MAX:,} bytes at most, this one has {len(body):,}"
        yield f"{limit}: shorten its texts, or say it in several objects"


def _float_may_stand_in(body: bytes) -> bool:
    """A float has a point or an exponent behind a digit; a text may too. To look for it is far faster than a walk."""
    digits = body.translate(_DIGITS_ALIKE)
    return b"0.0" in digits or b"0e" in digits


def _has_float(value: Any) -> bool:
    """The depth is limited where the JSON is read."""
    if isinstance(value, dict):
        return any(map(_has_float, value.values()))
    if isinstance(value, list):
        return any(map(_has_float, value))
    return isinstance(value, float)


def _repeated(rows: Sequence[JsonObject]) -> Iterator[FieldError]:
    seen: set[tuple[str, str]] = set()
    for index, row in enumerate(rows):
        key = str(row.get("kind")), str(row.get("id"))
        if key in seen:
            yield FieldError(f"/objects/{index}", "the same object is there twice")
        seen.add(key)
