"""Changes of the real agreements: signatures, suspensions, what they would do to concerns, and what is refused."""

import copy
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from services.registry.adapters.seed_files import read_objects
from services.registry.entrypoints import forms
from services.registry.usecases import import_seed
from shared.contracts.envelope import JsonObject
from tests.support.change_fakes import InMemoryChanges, ScriptedRouter, desk_of
from tests.support.clock import FrozenClock
from tests.support.registry_app import RegistryUnderTest, change
from tests.support.registry_changes import AUTHOR, Carrier
from tests.support.small_graph import source
from tests.unit.registry.test_changes_over_http import problem

SEED = read_objects()
JWP = "jwp-cqc-gmc"
DOCTOR: JsonObject = {
    "originator": "cqc",
    "received_at": "2025-03-01T09:30:00Z",
    "categories": ["ftp-performance", "patient-safety"],
    "subjects": [{"kind": "registrant", "registers": ["gmc"]}],
    "nation": "england",
    "setting": "general-practice",
}


def the(name: str, kind: str = "agreement") -> dict[str, Any]:
    return copy.deepcopy(dict(next(row for row in SEED if (row["kind"], row["id"]) == (kind, name))))


class Registry:
    """The seed, its changes, and a router that saw one concern."""

    def __init__(self, app: RegistryUnderTest, changes: InMemoryChanges) -> None:
        self.app, self.changes = app, changes
        self.tokens: dict[str, dict[str, str]] = {}

    def carrier(self) -> Carrier:
        return Carrier(self.app.http, self.headers)

    async def headers(self, client: str) -> dict[str, str]:
        if client not in self.tokens:
            self.tokens[client] = await self.app.headers(client)
        return self.tokens[client]


@pytest_asyncio.fixture
async def registry(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Registry]:
    changes, clock = InMemoryChanges(), FrozenClock()
    await import_seed(lambda: SEED, begin=changes.history.begin, clock=clock)
    desk = desk_of(changes, clock=clock, router=ScriptedRouter([DOCTOR, {**DOCTOR, "originator": "gdc"}]))
    folder = tmp_path_factory.mktemp("seed")
    app = RegistryUnderTest(changes.history.begin, clock=clock, folder=folder, desk=desk)
    async with app.http:
        yield Registry(app, changes)


def terminated(name: str, on: str) -> dict[str, Any]:
    return {**the(name), "terminated": on}


def needed(shown: JsonObject) -> set[tuple[str, str]]:
    return {(need["agreement"], need["party"]) for need in shown["needs"] if need["step"] == "signature"}


async def test_parties_sign_terms_that_are_new_each_for_itself(registry: Registry) -> None:
    carrier = registry.carrier()
    agreement = {**the(JWP), "title": "Joint working, second edition"}
    await carrier.draft(change(1, agreement))
    await carrier.approved()
    shown = await carrier.read()
    assert (shown["state"], needed(shown)) == ("approved", {(JWP, "cqc"), (JWP, "gmc")})
    digest = next(need["terms_digest"] for need in shown["needs"])
    body = {"agreement": JWP, "terms_digest": digest}
    assert problem(await carrier.step("signatures", {**body, "party": "gmc"}, by="cqc-signs")) == (403, "forbidden")
    assert problem(await carrier.step("signatures", body, by="nmc-signs")) == (404, "not-found")
    wrong = await carrier.step("signatures", {**body, "terms_digest": "0" * 64}, by="cqc-signs")
    assert (problem(wrong), wrong.json()["errors"][0]["pointer"]) == (
        (422, "not-needed"),
        "/signatures/0/terms_digest",
    )
    assert problem(await carrier.step("schedule", by=AUTHOR)) == (409, "not-ready")
    await carrier.step("signatures", body, by="cqc-signs")
    await carrier.step("signatures", {**body, "party": "gmc", "evidence": "letter of 3 March"}, by=AUTHOR)
    assert carrier.last["state"] == "signed"
    assert (await carrier.step("schedule", by=AUTHOR)).json()["version"] == 2


async def test_an_editor_records_no_signature_without_its_document(registry: Registry) -> None:
    carrier = registry.carrier()
    await carrier.draft(change(1, {**the(JWP), "title": "Another"}))
    (first, *_) = [need for need in (await carrier.read())["needs"] if need["step"] == "signature"]
    body = {name: first[name] for name in ("agreement", "party", "terms_digest")}
    assert problem(await carrier.step("signatures", body, by=AUTHOR)) == (403, "forbidden")


async def test_a_signatory_sees_the_changes_that_it_must_sign_and_no_difference(registry: Registry) -> None:
    carrier = registry.carrier()
    await carrier.draft(change(1, {**the(JWP), "title": "Another"}))
    await carrier.judged()
    assert (await carrier.read(by="gmc-signs"))["change_id"] == carrier.last["change_id"]
    http = registry.app.http
    assert (await http.get(carrier.path, headers=await registry.headers("nmc-signs"))).status_code == 404
    for path in (f"{carrier.path}/difference", "/v1/changes"):
        assert (await http.get(path, headers=await registry.headers("gmc-signs"))).status_code == 403


async def test_a_suspension_needs_no_signature_and_shows_who_would_no_longer_be_told(registry: Registry) -> None:
    carrier = registry.carrier()
    for agreement in (JWP, "mou-cqc-gmc"):
        await carrier.draft({"on": "2025-01-01", "reason": "a dispute"}, path=f"/v1/agreements/{agreement}/suspension")
        assert (carrier.last["event"], carrier.last["state"]) == ("SUSPENDED", "draft")
        await carrier.approved()
        assert needed(await carrier.read()) == set()
        await carrier.step("schedule", by=AUTHOR)
    url = f"{carrier.path}/difference"
    answer = await registry.app.http.get(url, headers=await registry.headers(AUTHOR))
    difference = answer.json()
    rows = {(row["concern_id"], row["org"]): (row["before"], row["after"]) for row in difference["rows"]}
    assert rows["con_1", "gmc"][0] == "told"
    assert rows["con_1", "gmc"][1] != "told"
    assert not any(concern == "con_2" for concern, _ in rows)
    lost = next(row["fields_lost"] for row in difference["rows"] if row["org"] == "gmc")
    assert lost
    assert all(field["after"] == "omit" for field in lost)
    assert difference["totals"]["no_longer_told"] == 1
    assert (difference["history"]["state"], difference["history"]["looked_at"]) == ("read", 2)
    assert answer.headers["etag"] == f'"{carrier_difference(await carrier.read())}"'
    (commit,) = registry.changes.history.stored[2:]
    assert commit.event == "SUSPENDED"


def carrier_difference(shown: JsonObject) -> str:
    (found,) = {row["said"]["difference"] for row in shown["history"] if row["event"] == "ASSESSED"}
    return str(found)


async def test_a_suspended_agreement_is_resumed_and_a_terminated_one_is_not(registry: Registry) -> None:
    async def turn(name: str, on: str, *, carried: bool) -> tuple[int, str]:
        carrier = registry.carrier()
        answer = await carrier.draft({"on": on, "reason": "r"}, path=f"/v1/agreements/{JWP}/{name}")
        if not answer.is_success:
            return problem(answer)
        if carried:
            await carrier.approved()
            await carrier.step("schedule", by=AUTHOR)
        return answer.status_code, carrier.last["event"]

    assert await turn("resumption", "2025-03-01", carried=False) == (409, "not-suspended")
    assert await turn("suspension", "2025-03-01", carried=True) == (201, "SUSPENDED")
    assert await turn("suspension", "2025-04-01", carried=False) == (409, "already-suspended")
    assert await turn("resumption", "2025-03-01", carried=False) == (409, "not-suspended")
    assert await turn("resumption", "2025-05-01", carried=True) == (201, "RESUMED")
    assert await turn("termination", "1999-01-01", carried=False) == (409, "before-it-began")
    assert await turn("termination", "2026-01-01", carried=True) == (201, "TERMINATED")
    assert await turn("suspension", "2027-01-01", carried=False) == (409, "already-terminated")
    newest = (await registry.app.http.get(f"/v1/graph/objects/agreement/{JWP}")).json()["object"]
    assert (newest["suspended"], newest["terminated"]) == ([{"from": "2025-03-01", "to": "2025-05-01"}], "2026-01-01")


async def test_a_termination_that_was_revised_into_something_else_is_called_one_no_more(registry: Registry) -> None:
    carrier = registry.carrier()
    await carrier.draft({"on": "2026-01-01", "reason": "r"}, path=f"/v1/agreements/{JWP}/termination")
    assert carrier.last["event"] == "TERMINATED"
    page = {"kind": "source", "id": "fine", "title": "A page", "url": "https://example.org/fine"}
    revised = {"reason": "r", "parent_version": 1, "objects": [page]}
    (await carrier.step("revision", revised, by=AUTHOR)).raise_for_status()
    assert carrier.last["event"] == "CHANGED"
    await carrier.approved()
    (await carrier.step("schedule", by=AUTHOR)).raise_for_status()
    assert registry.changes.history.stored[-1].event == "CHANGED"


NO_DAY = "this is no day: send a civil day in Europe/London like 2022-05-03"


@pytest.mark.parametrize(
    ("on", "said"),
    [
        ("2025-02-30", "there is no such day: that month has 28 days"),
        ("2025-13-01", "there is no such month: send a civil day in Europe/London like 2022-05-03"),
        ("soon", NO_DAY),
        ("", NO_DAY),
        (0, NO_DAY),
        (None, NO_DAY),
        ("1743292800", NO_DAY),
        ("2025-03-30T00:00:00", NO_DAY),
        ("2025-03-30T01:30:00", NO_DAY),
        ("2025-07-01T00:00:00-05:00", NO_DAY),
    ],
)
async def test_a_day_that_does_not_exist_is_told_what_to_send(registry: Registry, on: object, said: str) -> None:
    answer = await registry.carrier().draft({"on": on, "reason": "r"}, path=f"/v1/agreements/{JWP}/termination")
    assert problem(answer) == (422, "invalid-fields")
    assert answer.json()["errors"] == [{"pointer": "/on", "detail": said}]
    assert registry.changes.events == {}


@pytest.mark.parametrize("since", ["1743292800", "2025-03-30T01:30:00", "2025-10-26T01:30:00", "2025-02-30T00:00:00Z"])
async def test_a_moment_that_names_no_instant_is_told_what_to_send(registry: Registry, since: str) -> None:
    asked = {"objects": [terminated(JWP, "2025-01-01")], "since": since}
    answer = await registry.carrier().post("/v1/analyses/what-if", asked, "reviewer")
    assert problem(answer) == (422, "invalid-fields")
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/since"
    assert any(words in error["detail"] for words in ("send", "that month has 28 days"))


async def test_an_agreement_that_is_not_there_cannot_be_suspended(registry: Registry) -> None:
    body = {"on": "2025-03-01", "reason": "r"}
    answer = await registry.carrier().draft(body, path="/v1/agreements/no-such/suspension")
    assert problem(answer) == (404, "not-found")


async def test_a_new_agreement_is_drafted_by_itself_and_one_that_is_there_is_not(registry: Registry) -> None:
    body = {"reason": "r", "parent_version": 1, "agreement": {**the(JWP), "id": "jwp-new", "lineage": "jwp-new"}}
    carrier = registry.carrier()
    assert (await carrier.draft(body, path="/v1/agreements")).status_code == 201
    assert needed(await carrier.read()) == {("jwp-new", "cqc"), ("jwp-new", "gmc")}
    again = await registry.carrier().draft({**body, "agreement": the(JWP)}, path="/v1/agreements")
    assert problem(again) == (409, "already-there")


def _with_party(**party: object) -> JsonObject:
    row = the(JWP)
    return {**row, "parties": [{**row["parties"][0], **party}, *row["parties"][1:]]}


def _with_received_at(moment: str) -> JsonObject:
    row = the(JWP)
    row["examples"][0]["concern"]["received_at"] = moment
    return row


def _two_at_once() -> JsonObject:
    row = the(JWP)
    return {**row, "parties": [*row["parties"], {**row["parties"][0], "from": "2020-01-01"}]}


def _circle() -> JsonObject:
    step = next(dict(row) for row in SEED if (row["kind"], row.get("from")) == ("succession", "acpo"))
    return {**step, "id": "back", "from": step["to"], "to": step["from"]}


NO_INSTANT = (
    f"agreement {JWP} example 1.received_at: '{{}}' is not an instant. "
    "Write an instant as '2025-03-03T10:00:00Z', in quotes and with its offset."
)
BAD: dict[str, tuple[JsonObject, str]] = {
    "overlapping party": (
        _two_at_once(),
        (
            f"agreement {JWP} party cqc: is a party twice at once, [2013-07-01, …) and [2020-01-01, …): "
            "end the first before the second begins, or make them one"
        ),
    ),
    "overlapping version": (
        {**the(JWP), "id": "jwp-again"},
        (
            f"agreement {JWP}: [2013-07-01, …) overlaps jwp-again [2013-07-01, …) of lineage {JWP}: "
            "one version holds at a time, so end jwp-again on the day this one begins and name it in `supersedes`"
        ),
    ),
    "circle": (
        _circle(),
        (
            "succession acpo: runs in a circle. "
            "Take one of the steps out: no body may succeed itself, no word may be above itself."
        ),
    ),
    "version of itself": (
        {**the(JWP), "supersedes": JWP},
        f"agreement {JWP}.supersedes: names itself: name the version before it, or leave it out",
    ),
    "unknown body": (
        _with_party(org="no-such-body"),
        (
            f"agreement {JWP}.parties no-such-body.org: 'no-such-body' is not known in organisation ids. "
            "Name one that is in the graph, or put it into the same change."
        ),
    ),
    "party that leaves before it joins": (
        _with_party(**{"from": "2024-02-01", "to": "2024-01-01"}),
        (
            f"agreement {JWP}.parties cqc: the interval [2024-02-01, 2024-01-01) is empty: "
            "`to` must be a later day than `from`"
        ),
    ),
    "day that does not exist": (
        _with_party(**{"from": "2023-02-29"}),
        (
            f"agreement {JWP}.parties cqc.from: '2023-02-29' is not a day like 2000-01-31. "
            "2023-02 has 28 days; there is no 29."
        ),
    ),
    "day with a time in the clock change": (
        {**the(JWP), "in_force": {"from": "2025-03-30T01:30:00", "to": None}},
        (
            f"agreement {JWP}.in_force.from: '2025-03-30T01:30:00' is not a day like 2000-01-31. "
            "Write a day as '2000-01-31', in quotes."
        ),
    ),
    "example in the hour that is not there": (
        _with_received_at("2025-03-30T01:30:00"),
        NO_INSTANT.format("2025-03-30T01:30:00"),
    ),
    "example on a day that does not exist": (
        _with_received_at("2025-02-30T10:00:00Z"),
        NO_INSTANT.format("2025-02-30T10:00:00Z"),
    ),
    "end before the beginning": (
        {**the(JWP), "in_force": {"from": "2024-01-01", "to": None}, "terminated": "2023-12-31"},
        f"agreement {JWP}.terminated: the agreement begins on 2024-01-01: name that day or a later one",
    ),
    "term that is not in the vocabulary": (
        {**the(JWP), "nations": ["atlantis"]},
        (
            f"agreement {JWP}.nations 1: 'atlantis' is not known in nations. "
            "Known are: england, northern-ireland, scotland, wales."
        ),
    ),
    "term that was misspelt": (
        {**the(JWP), "nations": ["englnd"]},
        f"agreement {JWP}.nations 1: 'englnd' is not known in nations. Did you mean 'england'?",
    ),
    "kind that there is not": (
        {"kind": "wizard", "id": "x"},
        "object 2: kind 'wizard' is not known. See services/registry/seed for the kinds of objects.",
    ),
}


@pytest.mark.parametrize("case", BAD)
async def test_what_cannot_be_is_refused_whole_with_its_place_and_what_to_do(registry: Registry, case: str) -> None:
    row, said = BAD[case]
    fine = {"kind": "source", "id": "fine", "title": "A page", "url": "https://example.org/fine"}
    answer = await registry.carrier().draft(change(1, fine, row))
    assert problem(answer) == (422, "graph-invalid")
    assert answer.json()["title"].endswith("; nothing was changed")
    places = {error["detail"]: error["pointer"] for error in answer.json()["errors"]}
    assert places.get(said) == "/objects/1", places
    assert registry.changes.events == {}
    assert (await registry.app.http.get("/v1/graph/commits?after=1")).json()["commits"] == []


async def test_an_object_that_no_record_can_hold_is_refused(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its commit would never reach a router by the topic, nor would any after it."""
    assert forms.OBJECT_BYTES_MAX <= 0.9 * 1_048_576, "Kafka takes no larger record, unless it is told to"
    monkeypatch.setattr(forms, "OBJECT_BYTES_MAX", 500)
    answer = await registry.carrier().draft(change(1, source("new"), source("long", "x" * 500)))
    assert problem(answer) == (422, "invalid-fields")
    (error,) = answer.json()["errors"]
    assert error["pointer"] == "/objects/1"
    assert error["detail"].startswith("an object has 500 bytes at most, this one has 5")
    assert error["detail"].endswith(": shorten its texts, or say it in several objects")


async def test_a_change_under_which_an_agreed_example_fails_cannot_be_approved(registry: Registry) -> None:
    row = the(JWP)
    row["examples"][0]["expect"]["told"] = ["nmc"]
    carrier = registry.carrier()
    await carrier.draft(change(1, row))
    difference = await carrier.judged()
    answer = await carrier.step("approval", {"difference": difference}, by="approver-1")
    assert problem(answer) == (409, "assessment-fails")
    (error,) = answer.json()["errors"]
    assert f"{JWP}, example" in error["detail"]
    assert "agreed is nmc" in error["detail"]


async def test_what_if_gives_the_difference_of_a_change_and_keeps_nothing(registry: Registry) -> None:
    rows = [terminated(JWP, "2025-01-01")]
    carrier = registry.carrier()
    await carrier.draft(change(1, *rows))
    await carrier.judged()
    kept = copy.copy(registry.changes.events)
    simulated = await carrier.post("/v1/analyses/what-if", {"objects": rows}, "operator")
    stored = await registry.app.http.get(f"{carrier.path}/difference", headers=await registry.headers(AUTHOR))
    assert (simulated.content, simulated.headers["etag"]) == (stored.content, stored.headers["etag"])
    assert registry.changes.events == kept
    denied = await carrier.post("/v1/analyses/what-if", {"objects": rows}, "cqc-signs")
    assert problem(denied) == (403, "forbidden")
