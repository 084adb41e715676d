"""What a caller is told when something does not work."""

import orjson
import pytest
from fastapi import Request

from shared.batching import Overloaded
from shared.faults import StoreUnavailable
from shared.http.problems import ProblemAnswers
from shared.telemetry import Telemetry


@pytest.mark.parametrize("fault", [StoreUnavailable("lost while committing"), Overloaded()], ids=repr)
async def test_a_store_that_did_not_answer_promises_no_more_than_is_known(fault: Exception) -> None:
    request = Request({"type": "http", "path": "/v1/things", "headers": []})
    answer = await ProblemAnswers(Telemetry("test"), {})(request, fault)
    body = orjson.loads(bytes(answer.body))
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "2")
    assert body["title"] == "Try again in a moment; sending the same again is safe"
    assert "nothing" not in body["title"] + body["detail"]
