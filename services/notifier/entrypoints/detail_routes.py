"""The route of detail: a recipient asks for what its notice left out, and states on what basis."""

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from services.notifier.domain.detail import Ground
from services.notifier.domain.errors import DetailRefused
from services.notifier.entrypoints.desk import Desk, Reading, json_answer
from services.notifier.usecases import Asked, Sources, Speaker, give_detail
from shared.http.auth import Principal, caller
from shared.http.params import PathId
from shared.http.problems import Problem

BASIS_LENGTH_MAX = 200
Asking = Annotated[Principal, Depends(caller("decisions:read"))]
"""The router is asked with the same token."""
Basis = Annotated[
    str,
    Query(
        max_length=BASIS_LENGTH_MAX,
        pattern=r"^[\w.-]+/[\w.-]+$",
        description="the clause on which you ask, `agreement/clause`: a `cite` of the notice's `because`",
    ),
]
WHY = {
    Ground.NOTHING_LEFT_OUT: "Nothing that could be given later was left out of the notice: read it again.",
    Ground.TAKEN_BACK: "The notice was recalled or withdrawn: stop using what you have.",
    Ground.BASIS_ENDED: "The basis for telling you has ended.",
    Ground.NO_LONGER_TOLD: "The agreements would not tell you of this concern any more.",
    Ground.OTHER_CLAUSE: "This clause does not let you be told now: state one of the notice's `because` in force.",
}


def add_detail_route(router: APIRouter, desk: Desk) -> None:
    """It."""
    sources = Sources(desk.law, desk.opener)

    @router.get("/v1/notices/{notice_id}/detail")
    async def get_detail(
        notice_id: PathId, request: Request, reading: Reading, _asking: Asking, basis: Basis
    ) -> Response:
        """What the agreements allow the recipient as of now, with what is still withheld and why. Each look is recorded
        with who looked, on what basis, and which classes were given."""
        by = Speaker(reading.subject, reading.org)
        asked = Asked(by, request.headers.get("authorization", ""), basis)
        with desk.telemetry.unit("detail.asked", items=1) as line:
            try:
                given = await give_detail(notice_id, asked, sources=sources, clock=desk.clock, begin=desk.begin)
            except DetailRefused as refused:
                line["ground"] = refused.ground.value
                raise Problem(409, refused.ground.value, "Nothing was given", detail=WHY[refused.ground]) from None
        return json_answer(given)
