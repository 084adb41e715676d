"""What all reads of the graph over time share: which graph is asked for, and answers that need not be sent twice."""

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, datetime
from typing import Any

import orjson
from fastapi import Request, Response

from services.registry.domain.model import Commit
from services.registry.domain.standing import Standing
from services.registry.domain.timeline import Search
from services.registry.entrypoints.moments import Moments
from services.registry.ports import History
from services.registry.usecases.graph import At, commit_of
from shared.contracts.envelope import rfc3339
from shared.http.cursors import cursor_of, place_of
from shared.http.problems import Problem, not_found, unavailable

LIST_MAX = 100
LIST_DEFAULT = 20


@dataclass(frozen=True, slots=True)
class Frame:
    """What an answer is about: the graph of a commit, on a day."""

    commit: Commit
    day: date

    def json(self) -> dict[str, Any]:
        """How the answer names it."""
        graph = {"version": self.commit.version, "root": self.commit.root}
        return {"as_of": self.day, "graph": {**graph, "committed_at": rfc3339(self.commit.committed_at)}}

    def search(self, kind: str, **asked: Any) -> Search:
        """A search in this graph."""
        return Search(kind, self.commit.version, self.day, **asked)


async def frame_of(history: History, asked: Moments, *, version: int | None = None, after: str = "") -> Frame:
    """The graph and day that are asked for; a cursor keeps to the graph that its list began with.

    Raises Problem 404 where nothing was known yet, 422 for a cursor that is none of ours.
    """
    place = place_of(after)
    at = At(version, place[0] if place else asked.known_at)
    return Frame(await commit_at(history, at), asked.day_or_default)


async def commit_at(history: History, at: At) -> Commit:
    """The commit that made the graph which is asked for. Raises Problem."""
    if commit := await commit_of(history, at):
        return commit
    first = await history.commit(1)
    if first is None:
        raise unavailable("The graph is not there yet.")
    if at.known_at is None:
        raise not_found()
    words = f"The first commit was made at {rfc3339(first.committed_at)}: ask for that moment or a later one."
    raise Problem(404, "not-known-yet", "Nothing was known at that moment", detail=words)


def id_after(after: str) -> str:
    """The id that a cursor names, "" for none."""
    place = place_of(after)
    return place[1] if place else ""


def next_of(frame: Frame, last: str | None) -> str | None:
    """The cursor of the page after the one that ends with this id."""
    return cursor_of(frame.commit.committed_at, last) if last else None


def standing_json(standing: Standing | None) -> dict[str, Any] | None:
    """How an answer says a standing."""
    return asdict(standing) if standing else None


def rfc3339_or_none(moment: datetime | None) -> str | None:
    """A moment that may be absent."""
    return rfc3339(moment) if moment else None


def answer(request: Request, body: Mapping[str, Any]) -> Response:
    """The body with an ETag over its bytes; 304 where the caller has it already."""
    content = orjson.dumps(body)
    headers = {"ETag": f'"{hashlib.sha256(content).hexdigest()[:32]}"', "Cache-Control": "no-cache"}
    if is_known(request.headers.get("if-none-match", ""), headers["ETag"]):
        return Response(status_code=304, headers=headers)
    return Response(content, headers=headers, media_type="application/json")


def is_known(if_none_match: str, etag: str) -> bool:
    """RFC 9110 section 13.1.2: a list of tags, compared weakly, or `*`."""
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return etag in tags or "*" in tags
