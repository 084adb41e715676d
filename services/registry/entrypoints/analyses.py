"""What the graph shows, over HTTP: who cannot be told, rules that contradict or do nothing, reviews.

Open to read without a token, like the graph itself. Answers are about one version of the graph and one day: their ETag
names version, root, day and question, and a cursor keeps to the version that its list began with.
"""

import hashlib
from collections.abc import Callable
from datetime import date
from functools import partial
from typing import Annotated, Any, TypeVar

import orjson
from fastapi import APIRouter, Query, Request, Response

from services.registry.domain.analyses.everything import AGREEMENTS_LISTED_MAX
from services.registry.domain.analyses.finding import Finding
from services.registry.domain.analyses.standing import Row
from services.registry.domain.analyses.table import Count
from services.registry.domain.model import Commit
from services.registry.entrypoints.moments import AsOf, moments
from services.registry.entrypoints.reads import is_known
from services.registry.usecases.analyses import BODIES_LISTED_MAX, Analyst, Page, Study
from services.registry.usecases.graph import At
from shared.clock import Clock
from shared.http.cursors import After, cursor_of, place_of
from shared.http.params import ID_LENGTH_MAX, ID_PATTERN
from shared.http.problems import FieldError, Problem, bad_fields, unavailable

ITEMS_MAX = 100
TOO_LARGE = (
    f"It has more than {BODIES_LISTED_MAX} organisations or {AGREEMENTS_LISTED_MAX} agreements."
    " Ask /v1/analyses/coverage, by originator and category."
)
ITEMS_DEFAULT = 20
Limit = Annotated[int, Query(ge=1, le=ITEMS_MAX, description="items at most")]
Term = Annotated[str | None, Query(min_length=1, max_length=ID_LENGTH_MAX, pattern=ID_PATTERN)]
Answered = TypeVar("Answered")
_PLACE = "at-"


class AnalysisRoutes:
    """The routes of the analyses."""

    def __init__(self, analyst: Analyst, clock: Clock) -> None:
        self._analyst = analyst
        self._clock = clock

    def router(self) -> APIRouter:
        """Where each is found."""
        router = APIRouter(tags=["analyses"])
        router.add_api_route("/v1/analyses/coverage", self.coverage)
        for analysis, route in (
            ("openings", self.openings),
            ("conflicts", self.conflicts),
            ("clauses", self.clauses),
            ("reviews", self.reviews),
        ):
            router.add_api_route(f"/v1/analyses/{analysis}", route)
        router.add_api_route("/v1/analyses/recommendation-153", self.recommendation)
        return router

    async def coverage(  # noqa: PLR0913 - each is a key of the query string
        self,
        request: Request,
        originator: Term = None,
        category: Term = None,
        as_of: AsOf = "",
        after: After = "",
        limit: Limit = ITEMS_DEFAULT,
    ) -> Response:
        """Who should know and can or cannot be told.

        Without an originator: how many bodies each can tell, by category. With one: which, and since when not; with a
        category too: each gap with the concern that shows it, in `findings`.
        """
        asked = await self._asked(request, as_of, after)
        if asked.is_known:
            return asked.unchanged()
        await self._check(asked, originator, category)
        if originator is None:
            page = await asked.ask(lambda study: study.counts(category, asked.start, limit))
            return asked.answer(page)
        page = await asked.ask(lambda study: study.rows(originator, category, asked.start, limit))
        if category is None:
            return asked.answer(page)
        gaps = await asked.ask(lambda study: study.gaps(originator, category))
        return asked.answer(page, findings=[gap.to_json() for gap in gaps])

    async def openings(
        self, request: Request, as_of: AsOf = "", after: After = "", limit: Limit = ITEMS_DEFAULT
    ) -> Response:
        """Gaps that open on a day to come: an agreement ends, a party leaves, a body goes."""
        return await _findings("openings", await self._asked(request, as_of, after), limit)

    async def conflicts(
        self, request: Request, as_of: AsOf = "", after: After = "", limit: Limit = ITEMS_DEFAULT
    ) -> Response:
        """Rules that contradict one another, each pair with a concern that falls under both."""
        return await _findings("conflicts", await self._asked(request, as_of, after), limit)

    async def clauses(
        self, request: Request, as_of: AsOf = "", after: After = "", limit: Limit = ITEMS_DEFAULT
    ) -> Response:
        """Clauses that can never apply, and clauses that another makes superfluous."""
        return await _findings("clauses", await self._asked(request, as_of, after), limit)

    async def reviews(
        self, request: Request, as_of: AsOf = "", after: After = "", limit: Limit = ITEMS_DEFAULT
    ) -> Response:
        """Overdue reviews with the gaps that would open, and agreements that a body signed which is gone."""
        return await _findings("reviews", await self._asked(request, as_of, after), limit)

    async def recommendation(
        self, request: Request, as_of: AsOf = "", after: After = "", limit: Limit = ITEMS_DEFAULT
    ) -> Response:
        """The answer to Francis recommendation 153: then and today, promises, the lever, duties; items by category."""
        asked = await self._asked(request, as_of, after)
        if asked.is_known:
            return asked.unchanged()
        found = await asked.ask(lambda study: study.recommendation())
        page = await asked.ask(lambda study: study.recommendation_rows(asked.start, limit))
        return asked.answer(page, answer=found.to_json())

    async def _asked(self, request: Request, as_of: str, after: str) -> "_Asked":
        day = moments(as_of, "", self._clock.now()).day_or_default
        place = place_of(after)
        commit = await self._analyst.commit(At(None, place[0] if place else None))
        if commit is None:
            raise unavailable("The graph is not there yet.")
        return _Asked(request, partial(self._analyst.ask, commit, day), commit, day, _start(place[1] if place else ""))

    async def _check(self, asked: "_Asked", originator: str | None, category: str | None) -> None:
        known = await asked.ask(lambda study: study.knows(originator, category))
        faults = [
            FieldError(f"/{name}", f"{value!r} is not in the graph: take {what}")
            for name, value, what, is_known in (
                ("originator", originator, "the id of an organisation", known[0]),
                ("category", category, "an id of the vocabulary `categories`", known[1]),
            )
            if not is_known
        ]
        if faults:
            raise bad_fields(faults)


async def _findings(analysis: str, asked: "_Asked", limit: int) -> Response:
    if asked.is_known:
        return asked.unchanged()
    if not await asked.ask(lambda study: study.is_listable):
        raise Problem(409, "graph-too-large-to-list", "This graph has too many findings to list", detail=TOO_LARGE)
    return asked.answer(await asked.ask(lambda study: study.findings(analysis, asked.start, limit)))


class _Asked:
    """One question: about which graph and day, and from which item on."""

    def __init__(self, request: Request, ask: Callable[..., Any], commit: Commit, day: date, start: int) -> None:
        self._request = request
        self._ask = ask
        self._commit = commit
        self._day = day
        self.start = start

    async def ask(self, question: Callable[[Study], Answered]) -> Answered:
        """Put a question to the study of this graph and day."""
        answered: Answered = await self._ask(question)
        return answered

    def answer(self, page: Page, **more: Any) -> Response:
        """The page as JSON."""
        last = self.start + len(page.items)
        body = {
            "graph": {"version": self._commit.version, "root": self._commit.root},
            "as_of": self._day.isoformat(),
            **more,
            "items": list(map(_json, page.items)),
            "next": cursor_of(self._commit.committed_at, f"{_PLACE}{last}") if page.more else None,
        }
        return Response(orjson.dumps(body), headers=self._headers(), media_type="application/json")

    @property
    def is_known(self) -> bool:
        """The caller has this answer: nothing need be worked out."""
        return is_known(self._request.headers.get("if-none-match", ""), self._etag())

    def unchanged(self) -> Response:
        """304."""
        return Response(status_code=304, headers=self._headers())

    def _headers(self) -> dict[str, str]:
        return {"ETag": self._etag(), "Cache-Control": "no-cache"}

    def _etag(self) -> str:
        question = f"{self._request.url.path}?{self._request.url.query} {self._day.isoformat()}"
        short = hashlib.sha256(question.encode()).hexdigest()[:16]
        return f'"{self._commit.version}.{self._commit.root}.{short}"'


def _start(place: str) -> int:
    """How many items were shown before; a cursor of another list is none of ours."""
    number = place.removeprefix(_PLACE)
    if not place:
        return 0
    if number == place or not number.isdecimal() or len(number) > len("999999999"):
        raise bad_fields([FieldError("/after", "this is no cursor of this list: take it from `next`, unchanged")])
    return int(number)


def _json(item: Finding | Row | Count) -> dict[str, Any]:
    if isinstance(item, Count):
        return item._asdict()
    return item.to_json()
