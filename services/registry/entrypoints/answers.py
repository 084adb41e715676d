"""The only table from the registry's faults to their answers."""

from collections.abc import Mapping

import orjson
from fastapi import Response

from services.registry.domain.errors import (
    ChangeMoved,
    ClientNotProven,
    GrantUnsupported,
    GraphDamaged,
    HistoryUnavailable,
    ScopeNotGranted,
    TokenRequestMalformed,
)
from shared.http.problems import RETRY_AFTER_SECONDS, Problem

NO_STORE = {"Cache-Control": "no-store", "Pragma": "no-cache"}


class TokenProblem(Problem):
    """A refusal in the form of RFC 6749 section 5.2; `slug` is its `error`, `title` its `error_description`."""

    def response(self) -> Response:
        """The refusal as a response that nobody may keep."""
        body = orjson.dumps({"error": self.slug, "error_description": self.title})
        return Response(body, self.status, {**NO_STORE, **self.headers}, "application/json")


FAULTS: Mapping[type[Exception], Problem] = {
    GraphDamaged: Problem(500, "graph-damaged", "The stored graph does not give its root; nothing of it is served"),
    ChangeMoved: Problem(
        412, "stale-change", "Somebody took a step first; nothing was stored", "Read the change and try again."
    ),
    HistoryUnavailable: Problem(
        503,
        "history-unavailable",
        "The concerns of the past cannot be read now; nothing was stored",
        "The router must answer: what a change would have done must be known. Try again in a moment.",
        headers={"Retry-After": RETRY_AFTER_SECONDS},
    ),
    TokenRequestMalformed: TokenProblem(
        400, "invalid_request", "Send each parameter once, and one proof of the client"
    ),
    ClientNotProven: TokenProblem(
        401, "invalid_client", "The client is not proven", headers={"WWW-Authenticate": 'Basic realm="concordat"'}
    ),
    GrantUnsupported: TokenProblem(400, "unsupported_grant_type", "Only client_credentials is given here"),
    ScopeNotGranted: TokenProblem(400, "invalid_scope", "The scope goes beyond what the client holds"),
}
