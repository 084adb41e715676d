"""`concordat explain` and `concordat replay` say in words what the router answers."""

from collections.abc import Mapping
from typing import Any

import httpx

from deploy.cli.explain import in_words, replay_all
from deploy.client import Concordat, Credential

DECISION: Mapping[str, Any] = {
    "concern_id": "con_1",
    "version": 1,
    "as_of": "2022-05-03T10:00:00Z",
    "graph": {"version": 7, "root": "ab" * 32},
    "hold": [],
    "unroutable": False,
    "told": [
        {
            "org": "nhs-england",
            "reason": "PERMITTED",
            "sentence": "An agreement allows it.",
            "because": [{"agreement": "mou", "clause": "1"}],
        }
    ],
    "available": [],
    "not_told": {"gap": [{"reason": "NO_PATH", "sentence": "Nothing joins them.", "organisations": ["gmc", "nmc"]}]},
}


def test_each_body_is_named_with_its_clause_or_its_reason() -> None:
    assert list(in_words(DECISION)) == [
        "Concern con_1, version 1, as of 2022-05-03T10:00:00Z",
        "Agreements: version 7, root abababab",
        "told: nhs-england (PERMITTED; mou/1). An agreement allows it.",
        "gap: gmc, nmc (NO_PATH). Nothing joins them.",
    ]


def test_a_hold_and_a_dead_end_come_first() -> None:
    hold = [{"code": "HOLD_FAULT", "sentence": "A person must decide."}]
    lines = list(in_words({**DECISION, "hold": hold, "unroutable": True}))
    assert lines[2:4] == ["Held: HOLD_FAULT. A person must decide.", "It reached nobody."]


def test_a_long_list_of_bodies_is_cut_and_counted() -> None:
    bodies = [f"body-{n:02}" for n in range(20)]
    group = {"reason": "NO_PATH", "sentence": "Nothing joins them.", "organisations": bodies}
    line = list(in_words({**DECISION, "not_told": {"no_path": [group]}}))[-1]
    assert "body-11 and 8 more (NO_PATH)" in line


async def test_replay_reads_every_page() -> None:
    pages = {
        "": {"count": 2, "differences": [{"decision_id": "dec_1"}], "next": "dec_2"},
        "dec_2": {"count": 1, "differences": [], "next": None},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        if request.url.path == "/oauth2/token":
            return httpx.Response(200, json={"access_token": "t", "expires_in": 300})
        return httpx.Response(200, json=pages[request.url.params["after"]])

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer)) as http:
        urls = {"router": "http://router.test", "registry": "http://registry.test"}
        concordat = Concordat(urls, {"operator": Credential("operator", "secret")}, http=http)
        assert await replay_all(concordat) == (3, [{"decision_id": "dec_1"}])
