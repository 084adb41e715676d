"""Changes over HTTP: the way through the gate, and every way that does not lead through it."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from services.registry.adapters.seed_files import read_objects
from services.registry.domain.change_rules import terms_digest
from services.registry.usecases import as_object, import_seed
from shared.canonical import canonical, digest
from shared.contracts.envelope import JsonObject
from tests.support.change_fakes import InMemoryChanges, ScriptedRouter, desk_of
from tests.support.clock import FrozenClock
from tests.support.registry_app import BODY_BYTES_MAX, RegistryUnderTest, change
from tests.support.registry_changes import APPROVERS, AUTHOR, REVIEWER, Carrier
from tests.support.small_graph import SMALL, source

PAGE = source("new")


class Shared:
    """One app for all tests of a kind; each test has changes of its own."""

    def __init__(self, folder: Path) -> None:
        self.changes = InMemoryChanges()
        self.router = ScriptedRouter()
        self.clock = FrozenClock()
        desk = desk_of(self.changes, clock=self.clock, router=self.router)
        self.app = RegistryUnderTest(self.changes.history.begin, clock=self.clock, folder=folder, desk=desk)
        self.tokens: dict[str, dict[str, str]] = {}

    async def seeded(self, rows: list[JsonObject]) -> Carrier:
        """A new start on these objects."""
        for kept in (self.changes.events, self.changes.parts, self.changes.differences):
            kept.clear()
        self.changes.history.stored.clear()
        self.changes.history.published.clear()
        self.changes.history.recorded.clear()
        self.router.away, self.router.routings = False, ()
        await import_seed(lambda: rows, begin=self.changes.history.begin, clock=self.clock)
        return self.carrier()

    def carrier(self) -> Carrier:
        return Carrier(self.app.http, self.headers)

    async def headers(self, client: str) -> dict[str, str]:
        if client not in self.tokens:
            self.tokens[client] = await self.app.headers(client)
        return self.tokens[client]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shared]:
    made = Shared(tmp_path_factory.mktemp("changes"))
    async with made.app.http:
        yield made


@pytest_asyncio.fixture
async def small(shared: Shared) -> Carrier:
    return await shared.seeded(SMALL)


def problem(answer: httpx.Response) -> tuple[int, str]:
    assert answer.headers["content-type"] == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix("urn:concordat:problem:")


async def test_a_change_goes_through_the_gate_and_is_one_commit(shared: Shared, small: Carrier) -> None:
    answer = await small.draft(change(1, PAGE))
    assert (answer.status_code, small.last["state"], small.etag) == (201, "draft", '"1"')
    states = []
    difference = await small.judged()
    states.append(small.last["state"])
    for approver in APPROVERS:
        await small.step("approval", {"difference": difference}, by=approver)
        states.append(small.last["state"])
    await small.step("schedule", by=AUTHOR)
    assert [*states, small.last["state"]] == ["assessed", "assessed", "signed", "scheduled"]
    (_, commit) = shared.changes.history.stored
    assert (commit.version, [o.id for o in commit.objects], small.last["version"]) == (2, ["new"], 2)


async def test_what_is_missing_is_said_with_who_can_give_it(small: Carrier) -> None:
    await small.draft(change(1, PAGE))
    assert [(n["step"], n["role"]) for n in (await small.read())["needs"]] == [
        ("review", "registry-reviewer"),
        ("assessment", "registry-editor"),
        ("approval", "registry-approver"),
    ]
    await small.approved()
    assert (await small.read())["needs"] == []


async def test_the_history_of_a_change_names_every_step_and_who_took_it(small: Carrier) -> None:
    await small.carried(change(1, PAGE))
    history = (await small.read())["history"]
    assert [(row["event"], row["principal"]) for row in history] == [
        ("DRAFTED", AUTHOR),
        ("REVIEWED", REVIEWER),
        ("ASSESSED", AUTHOR),
        ("APPROVED", APPROVERS[0]),
        ("APPROVED", APPROVERS[1]),
        ("SCHEDULED", AUTHOR),
    ]


async def test_every_step_leaves_an_audit_fact_of_ids_and_digests_alone(shared: Shared, small: Carrier) -> None:
    await small.carried({**change(1, source("new", "secret words")), "reason": "secret reason"})
    facts = [fact for fact in shared.changes.history.recorded if "change_id" in fact.body]
    events = ["DRAFTED", "REVIEWED", "ASSESSED", "APPROVED", "APPROVED", "SCHEDULED"]
    assert [fact.body["event"] for fact in facts] == events
    assert len({fact.fact_id for fact in shared.changes.history.recorded}) == len(shared.changes.history.recorded)
    assert "secret" not in json.dumps([fact.body for fact in shared.changes.history.recorded])


@pytest.mark.parametrize(("step", "body"), [("review", {}), ("approval", {"difference": "0" * 64})])
async def test_the_author_can_neither_review_nor_approve_whatever_its_roles(
    small: Carrier, step: str, body: JsonObject
) -> None:
    await small.draft(change(1, PAGE), by="all-roles")
    assert problem(await small.step(step, body, by="all-roles")) == (403, "own-change")


async def test_the_author_under_another_client_is_the_author_still(shared: Shared, small: Carrier) -> None:
    await small.draft(change(1, PAGE))
    assert problem(await small.step("review", by="editor-at-home")) == (403, "own-change")
    difference = await small.judged()
    answer = await small.step("approval", {"difference": difference}, by="editor-at-home")
    assert problem(answer) == (403, "own-change")
    assert answer.json()["title"] == "You wrote this change, or a part of it"
    assert answer.json()["detail"] == "Somebody who has written no part of the change must do it."
    assert [event.name for (events,) in [shared.changes.events.values()] for event in events][-1] == "ASSESSED"


async def test_who_added_a_part_is_an_author_too(small: Carrier) -> None:
    await small.draft(change(1))
    await small.step("objects", {"objects": [PAGE]}, by="all-roles")
    assert problem(await small.step("review", by="all-roles")) == (403, "own-change")


async def test_nobody_approves_twice_and_the_reviewer_approves_never(small: Carrier) -> None:
    await small.draft(change(1, PAGE))
    await small.step("review", by="all-roles")
    await small.step("assessment", by=AUTHOR)
    body = {"difference": small.last["assessment"]["difference"]}
    assert problem(await small.step("approval", body, by="all-roles")) == (409, "already-counted")
    await small.step("approval", body, by=APPROVERS[0])
    assert problem(await small.step("approval", body, by=APPROVERS[0])) == (409, "already-counted")
    assert small.last["approved_by"] == [APPROVERS[0]]


async def test_another_difference_than_the_stored_one_cannot_be_approved(small: Carrier) -> None:
    await small.draft(change(1, PAGE))
    await small.judged()
    answer = await small.step("approval", {"difference": "0" * 64}, by=APPROVERS[0])
    assert problem(answer) == (409, "other-difference")
    assert answer.json()["errors"][0]["pointer"] == "/difference"


async def test_a_change_with_one_approval_is_not_scheduled_and_hears_what_is_missing(
    shared: Shared, small: Carrier
) -> None:
    await small.draft(change(1, PAGE))
    difference = await small.judged()
    await small.step("approval", {"difference": difference}, by=APPROVERS[0])
    answer = await small.step("schedule", by=AUTHOR)
    assert problem(answer) == (409, "not-ready")
    assert [e["detail"] for e in answer.json()["errors"]] == ["approval: The difference needs 2 approvals and has 1."]
    assert len(shared.changes.history.stored) == 1


async def test_a_revision_voids_everything_that_was_said(small: Carrier) -> None:
    await small.draft(change(1, PAGE))
    await small.approved()
    body = {"reason": "better", "parent_version": 1, "objects": [source("other")]}
    assert (await small.step("revision", body, by=AUTHOR)).status_code == 200
    assert (small.last["state"], small.last["revision"], small.last["approved_by"]) == ("draft", 2, [])
    assert problem(await small.step("schedule", by=AUTHOR)) == (409, "not-ready")


async def test_a_change_in_parts_is_whole_when_its_last_part_has_come(small: Carrier) -> None:
    await small.draft(change(1))
    await small.step("objects", {"objects": [source("a")], "more": True}, by=AUTHOR)
    assert problem(await small.step("review", by=REVIEWER)) == (409, "change-incomplete")
    await small.step("objects", {"objects": [source("b")]}, by="other-editor")
    await small.approved()
    await small.step("schedule", by=AUTHOR)
    assert small.last["version"] == 2
    shown = (await small.http.get(f"{small.path}/objects", headers=await small.headers(AUTHOR))).json()
    assert ([row["id"] for row in shown["items"]], shown["next"]) == (["a", "b"], None)


async def test_a_part_with_one_bad_object_is_refused_whole_with_its_place(small: Carrier) -> None:
    await small.draft(change(1))
    rows = [source("fine"), {**source("bad"), "colour": "red"}]
    answer = await small.step("objects", {"objects": rows}, by=AUTHOR)
    assert problem(answer) == (422, "graph-invalid")
    assert [e["pointer"] for e in answer.json()["errors"]] == ["/objects/1"]
    assert (await small.read())["objects"] == 0


async def test_an_object_that_is_in_the_change_already_is_refused(small: Carrier) -> None:
    await small.draft({**change(1, source("a")), "more": True})
    answer = await small.step("objects", {"objects": [source("b"), source("a")]}, by=AUTHOR)
    assert problem(answer) == (422, "invalid-objects")
    assert [e["pointer"] for e in answer.json()["errors"]] == ["/objects/1"]


async def test_a_stale_parent_version_is_told_where_the_graph_is(small: Carrier, shared: Shared) -> None:
    await small.carried(change(1, PAGE))
    answer = await shared.carrier().draft(change(1, source("other")))
    assert problem(answer) == (412, "stale-version")
    assert "version 2" in answer.json()["detail"]


async def test_a_change_assessed_on_an_older_graph_is_assessed_again_and_approved_anew(
    shared: Shared, small: Carrier
) -> None:
    other = shared.carrier()
    await small.draft(change(1, PAGE))
    await small.approved()
    await other.carried(change(1, source("other")))
    assert problem(await small.step("schedule", by=AUTHOR)) == (412, "stale-version")
    await small.step("assessment", by=AUTHOR)
    assert small.last["approved_by"] == []
    for approver in APPROVERS:
        await small.step("approval", {"difference": small.last["assessment"]["difference"]}, by=approver)
    await small.step("schedule", by=AUTHOR)
    assert small.last["version"] == 3


async def test_what_another_commit_changed_meanwhile_is_not_overwritten(shared: Shared, small: Carrier) -> None:
    await small.draft(change(1, source("page-one", "mine")))
    await shared.carrier().carried(change(1, source("page-one", "theirs")))
    answer = await small.step("assessment", by=AUTHOR)
    assert problem(answer) == (412, "stale-version")
    assert "source page-one" in answer.json()["errors"][0]["detail"]


async def test_a_step_without_if_match_or_on_an_older_state_changes_nothing(small: Carrier) -> None:
    await small.draft(change(1, PAGE))
    assert problem(await small.post(f"{small.path}/review", {}, REVIEWER)) == (428, "precondition-required")
    await small.step("review", by=REVIEWER)
    for tag in ('"1"', '"99"', 'W/"2"', "2", '"x"'):
        assert problem(await small.step("assessment", by=AUTHOR, etag=tag)) == (412, "stale-change")
    assert len((await small.read())["history"]) == 2


async def test_a_step_sent_again_is_answered_with_the_change_and_taken_once(small: Carrier) -> None:
    await small.draft(change(1, PAGE))
    await small.step("review", {"note": "read"}, by=REVIEWER)
    again = await small.step("review", {"note": "read"}, by=REVIEWER, etag='"1"')
    assert (again.status_code, again.headers["idempotent-replayed"], small.etag) == (200, "true", '"2"')
    assert problem(await small.step("review", {"note": "other"}, by=REVIEWER, etag='"1"')) == (412, "stale-change")


async def test_a_key_finds_its_change_again_and_takes_no_other(shared: Shared, small: Carrier) -> None:
    first = await small.draft(change(1, PAGE), key="k")
    again = await shared.carrier().draft(change(1, PAGE), key="k")
    assert (again.status_code, again.json()["change_id"]) == (200, first.json()["change_id"])
    assert problem(await shared.carrier().draft(change(1, source("other")), key="k")) == (409, "key-used")
    others = await shared.carrier().draft(change(1, source("other")), key="k", by="other-editor")
    assert others.status_code == 201
    assert problem(await small.post("/v1/changes", change(1, PAGE), AUTHOR)) == (400, "key-required")


@pytest.mark.parametrize(
    ("step", "body", "by"),
    [
        ("review", {}, AUTHOR),
        ("review", {}, "approver-1"),
        ("assessment", {}, REVIEWER),
        ("approval", {"difference": "0" * 64}, REVIEWER),
        ("schedule", {}, "approver-1"),
        ("withdrawal", {"reason": "r"}, REVIEWER),
        ("objects", {"objects": [source("x")]}, REVIEWER),
        ("signatures", {"agreement": "a", "terms_digest": "0" * 64}, REVIEWER),
        ("review", {}, "clerk"),
        ("review", {}, "operator"),
        ("review", {}, "case"),
    ],
)
async def test_each_step_needs_its_role(small: Carrier, step: str, body: JsonObject, by: str) -> None:
    await small.draft(change(1, PAGE))
    assert problem(await small.step(step, body, by=by)) == (403, "forbidden")
    assert small.etag == '"1"'


async def test_a_withdrawn_change_takes_no_step_and_keeps_its_history(small: Carrier) -> None:
    await small.draft(change(1, PAGE))
    await small.step("withdrawal", {"reason": "not needed"}, by=AUTHOR)
    assert problem(await small.step("review", by=REVIEWER)) == (409, "change-closed")
    assert [row["event"] for row in (await small.read())["history"]] == ["DRAFTED", "WITHDRAWN"]


async def test_a_change_that_changes_nothing_is_refused(small: Carrier) -> None:
    assert problem(await small.draft(change(1, source("page-one")))) == (409, "nothing-changes")


async def test_while_the_router_is_away_nothing_is_assessed(shared: Shared, small: Carrier) -> None:
    await small.draft(change(1, PAGE))
    shared.router.away = True
    answer = await small.step("assessment", by=AUTHOR)
    assert (problem(answer), answer.headers["retry-after"]) == ((503, "history-unavailable"), "2")
    assert (await small.read())["assessment"] is None
    shared.router.away = False
    assert (await small.step("assessment", by=AUTHOR)).status_code == 200


async def test_changes_are_listed_by_state_page_by_page_the_newest_first(shared: Shared, small: Carrier) -> None:
    for name in "abc":
        await shared.carrier().draft(change(1, source(name)), key=name)
    await small.carried(change(1, PAGE))
    headers = await small.headers(AUTHOR)
    found, after = [], ""
    while True:
        page = (await small.http.get(f"/v1/changes?state=draft&limit=2&after={after}", headers=headers)).json()
        found += [item["change_id"] for item in page["items"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert len(found) == len(set(found)) == 3
    scheduled = (await small.http.get("/v1/changes?state=scheduled", headers=headers)).json()["items"]
    assert [item["version"] for item in scheduled] == [2]
    assert (await small.http.get("/v1/changes?state=open", headers=headers)).status_code == 422


async def test_a_body_over_the_limit_is_refused_with_the_limit(small: Carrier) -> None:
    answer = await small.draft(b" " * (BODY_BYTES_MAX + 1))
    assert problem(answer) == (413, "too-large")
    assert str(BODY_BYTES_MAX) in answer.json()["detail"]


@pytest.mark.parametrize(
    ("row", "fault"),
    [
        ({"id": "x"}, "kind"),
        ({"kind": "source"}, "id"),
        ({"kind": "source", "id": "a b"}, "id"),
        ({"kind": "Source", "id": "x"}, "kind"),
        ({"kind": "source", "id": 1}, "id"),
        ({**source("x"), "deep": [{"n": 1.0}]}, "whole"),
        ({**source("x"), "n": 2**60}, "whole numbers have 53 bits at most: write a longer one as a text"),
    ],
)
async def test_an_object_without_form_is_a_bad_field(small: Carrier, row: dict[str, Any], fault: str) -> None:
    answer = await small.draft(change(1, row))
    assert answer.status_code == 422
    assert any(
        (error["pointer"], fault in error["detail"]) == ("/objects/0", True) for error in answer.json()["errors"]
    )


@pytest.mark.parametrize(
    "body",
    [
        {"title": "t", "reason": "r"},
        {"title": "t", "reason": "  ", "parent_version": 1},
        {"title": "t", "reason": "r", "parent_version": "1"},
        {"title": "t", "reason": "r", "parent_version": -1},
        {"title": "t", "reason": "r", "parent_version": 1, "force": True},
        {"title": "t", "reason": "r", "parent_version": 1, "objects": [1]},
        {"title": "t", "reason": "r", "parent_version": 1, "objects": [source("x"), source("x", "other")]},
        [],
    ],
)
async def test_a_change_without_form_is_a_bad_field(small: Carrier, body: object) -> None:
    assert problem(await small.draft(body)) == (422, "invalid-fields")


async def test_a_body_that_is_no_strict_json_is_refused(small: Carrier) -> None:
    assert problem(await small.draft(b'{"reason": "a", "reason": "b"}')) == (400, "invalid-json")


async def test_there_is_no_way_into_the_graph_past_a_change(small: Carrier) -> None:
    answer = await small.post("/v1/graph/commits", change(1, PAGE), AUTHOR)
    assert answer.status_code == 405


def test_the_terms_are_hashed_over_their_canonical_form() -> None:
    agreement = next(row for row in read_objects() if row["kind"] == "agreement")
    turned = {**agreement, "suspended": [{"from": "2025-01-01", "to": None}], "terminated": "2026-01-01"}
    assert terms_digest(as_object(turned)) == digest(canonical(dict(agreement)))
