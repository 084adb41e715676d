"""Agreements, bodies, successions and differences over HTTP, on a small graph of two versions."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.registry.domain.model import Change, Committed
from services.registry.usecases import as_object, import_seed
from shared.contracts.envelope import rfc3339
from tests.rules.small import POLICY, WORDS, Row, during, follows, org, pact, party, remit
from tests.support.clock import NOON, FrozenClock
from tests.support.committing import commit_change
from tests.support.registry_app import RegistryUnderTest
from tests.support.registry_fakes import InMemoryHistory

OLD = pact(in_force=during(None, "2024-03-01"), review_due="2024-01-01")
NEW = pact(id="pact-2", supersedes="pact", in_force=during("2024-03-01"), title="Pact, second version")
HALTED = pact(
    id="halted",
    lineage="halted",
    instrument="mou",
    suspended=[during("2025-01-01")],
    parties=[party("beta"), party("delta")],
    clauses=[{**pact()["clauses"][0], "from": ["beta"], "to": ["delta"]}],
)
COMING = pact(id="coming", lineage="coming", in_force=during("2030-01-01"))
SPLIT = [
    follows("gamma", "delta", "split", functions=["hygiene"], effective="2024-06-01"),
    follows("gamma", "beta", "split", functions=["records"], effective="2024-06-01"),
]
ODS = [{"scheme": "ods", "value": "X26"}]
BODIES = [
    org(
        "alpha",
        remit("harm"),
        remit("theft", **during("2020-01-01", "2024-01-01")),
        identifiers=ODS,
        also_known_as=["Alef"],
    ),
    org("beta"),
    org("gamma", exists=during(None, "2024-06-01")),
    org("delta"),
]
VOCABULARY = [{"kind": "vocabulary", "id": name, "terms": terms} for name, terms in WORDS.items()]
FIRST: list[Row] = [*VOCABULARY, POLICY, *BODIES, OLD, NEW, HALTED, COMING]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def app(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[RegistryUnderTest]:
    """The split of gamma was learnt a day after the rest."""
    clock, history = FrozenClock(NOON), InMemoryHistory()
    await import_seed(lambda: FIRST, begin=history.begin, clock=clock)
    clock.move(timedelta(days=1))
    change = Change(1, "editor", "learnt late", tuple(map(as_object, SPLIT)))
    assert isinstance(await commit_change(change, begin=history.begin, clock=clock), Committed)
    made = RegistryUnderTest(history.begin, clock=clock, folder=tmp_path_factory.mktemp("registry"))
    async with made.http:
        yield made


async def get(app: RegistryUnderTest, path: str) -> Any:
    return (await app.http.get(path)).raise_for_status().json()


async def ids(app: RegistryUnderTest, path: str) -> list[str]:
    return [item["id"] for item in (await get(app, path))["items"]]


FILTERS = {
    "": ["coming", "halted", "pact", "pact-2"],
    "party=delta": ["halted"],
    "party=nobody": [],
    "instrument=mou": ["halted"],
    "status=scheduled": ["coming"],
    "status=suspended": ["halted"],
    "status=superseded": ["pact"],
    "status=active": ["pact-2"],
    "status=active&as_of=2024-02-29": ["halted", "pact"],
    "in_force_on=2024-02-29": ["halted", "pact"],
    "in_force_on=2025-01-01": ["pact-2"],
    "in_force_on=2024-02-29&party=gamma": ["pact"],
    "q=SECOND": ["pact-2"],
    "q=alt": ["halted"],
}


@pytest.mark.parametrize("query", FILTERS)
async def test_agreements_are_found_by_what_is_asked(app: RegistryUnderTest, query: str) -> None:
    assert await ids(app, f"/v1/agreements?{query}") == FILTERS[query]


@pytest.mark.parametrize("path", ["/v1/agreements", "/v1/organisations", "/v1/successions"])
async def test_pages_of_one_give_every_item_once(app: RegistryUnderTest, path: str) -> None:
    whole, found, after = await ids(app, path), list[str](), ""
    while True:
        page = await get(app, f"{path}?limit=1&after={after}")
        found += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert found == whole
    assert len(whole) > 1


async def test_a_list_keeps_to_the_graph_that_it_began_with(app: RegistryUnderTest) -> None:
    page = await get(app, f"/v1/agreements?limit=1&known_at={rfc3339(NOON)}")
    assert (await get(app, f"/v1/agreements?after={page['next']}"))["graph"]["version"] == 1


async def test_an_agreement_is_shown_with_its_versions(app: RegistryUnderTest) -> None:
    old, new = await get(app, "/v1/agreements/pact"), await get(app, "/v1/agreements/pact-2")
    assert old["lineage"]["later"] == [{"id": "pact-2", "from": "2024-03-01", "to": None, "status": "active"}]
    assert new["lineage"]["earlier"] == [{"id": "pact", "from": None, "to": "2024-03-01", "status": "superseded"}]
    assert old["standing"] == {"status": "superseded", "flags": [], "since": "2024-03-01", "until": None}
    assert (old["terms"], old["review_due"], old["version"]) == (OLD, "2024-01-01", 1)


async def test_an_overdue_review_is_a_flag_of_what_is_in_force(app: RegistryUnderTest) -> None:
    found = await get(app, "/v1/agreements/pact?as_of=2024-02-29")
    assert (found["standing"]["status"], found["standing"]["flags"]) == ("active", ["REVIEW_OVERDUE"])


async def test_a_split_names_every_part_that_may_act(app: RegistryUnderTest) -> None:
    (gamma,) = [each for each in (await get(app, "/v1/agreements/pact-2"))["parties"] if each["org"] == "gamma"]
    assert [(each["org"], each["by_function"]) for each in gamma["acting"]] == [("beta", True), ("delta", True)]
    (before,) = [
        each
        for each in (await get(app, f"/v1/agreements/pact-2?known_at={rfc3339(NOON)}"))["parties"]
        if each["org"] == "gamma"
    ]
    assert [(each["org"], each["by_function"]) for each in before["acting"]] == [("gamma", False)]


async def test_a_body_is_shown_with_its_names_identifiers_and_remits_of_the_day(app: RegistryUnderTest) -> None:
    found = await get(app, "/v1/organisations/alpha?as_of=2023-12-31")
    assert (found["identifiers"], found["names"]["also_known_as"]) == (ODS, ["Alef"])
    assert [remit["categories"] for remit in found["remits"]] == [["harm"], ["theft"]]
    assert [r["categories"] for r in (await get(app, "/v1/organisations/alpha?as_of=2024-01-01"))["remits"]] == [
        ["harm"]
    ]
    assert [each["id"] for each in found["agreements"]] == ["coming", "pact", "pact-2"]
    assert found["more_agreements"] is False


async def test_a_body_that_was_split_keeps_its_row_and_names_who_took_over(app: RegistryUnderTest) -> None:
    found = await get(app, "/v1/organisations/gamma")
    assert (found["exists"]["on_day"], found["exists"]["to"]) == (False, "2024-06-01")
    assert {row["to"] for row in found["successions"]["passed_on"]} == {"beta", "delta"}
    assert [row["from"] for row in (await get(app, "/v1/organisations/delta"))["successions"]["taken_over"]] == [
        "gamma"
    ]


@pytest.mark.parametrize(("query", "found"), [("x26", ["alpha"]), ("alef", ["alpha"]), ("ta", ["beta", "delta"])])
async def test_bodies_are_found_by_name_and_identifier(app: RegistryUnderTest, query: str, found: list[str]) -> None:
    assert await ids(app, f"/v1/organisations?q={query}") == found


async def test_successions_say_whether_they_have_happened(app: RegistryUnderTest) -> None:
    for day, happened in (("2024-05-31", False), ("2024-06-01", True)):
        items = (await get(app, f"/v1/successions?party=delta&as_of={day}"))["items"]
        assert [(item["id"], item["happened"]) for item in items] == [("gamma-delta", happened)]


ANSWERS = (
    "/v1/agreements",
    "/v1/agreements/pact",
    "/v1/agreements/pact/history",
    "/v1/organisations/alpha",
    "/v1/successions",
    "/v1/graph?as_of=2024-02-29",
    "/v1/graph/difference?from=1&to=2",
)


@pytest.mark.parametrize("path", ANSWERS)
async def test_who_has_an_answer_is_not_sent_it_again(app: RegistryUnderTest, path: str) -> None:
    first = await app.http.get(path)
    again = await app.http.get(path, headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")


@pytest.mark.parametrize(
    "path", ["/v1/agreements/none", "/v1/agreements/alpha", "/v1/organisations/pact", "/v1/organisations/none/history"]
)
async def test_what_is_not_known_is_not_found(app: RegistryUnderTest, path: str) -> None:
    assert (await app.http.get(path)).status_code == 404


BAD = {
    "/v1/agreements?as_of=2023-02-29": "/as_of",
    "/v1/agreements?in_force_on=2023-02-29": "/in_force_on",
    "/v1/agreements?known_at=2022-03-27T01:30:00": "/known_at",
    "/v1/agreements?after=nonsense": "/after",
    "/v1/agreements?status=asleep": "/status",
    "/v1/agreements?limit=101": "/limit",
    "/v1/graph?version=1&known_at=2025-03-10T12:00:00Z": "/version",
    "/v1/graph/difference?from=1&from_known_at=2025-03-10T12:00:00Z": "/from",
    "/v1/graph/difference?from=1&from_as_of=2025-03-10": "/to_as_of",
    "/v1/graph/difference?to_known_at=2025-03-12T12:00:00Z": "/to_known_at",
}


@pytest.mark.parametrize("path", BAD)
async def test_a_question_that_makes_no_sense_is_told_where(app: RegistryUnderTest, path: str) -> None:
    answer = await app.http.get(path)
    assert (answer.status_code, [error["pointer"] for error in answer.json()["errors"]]) == (422, [BAD[path]])


async def test_a_difference_goes_both_ways(app: RegistryUnderTest) -> None:
    there, back = await get(app, "/v1/graph/difference?from=1&to=2"), await get(app, "/v1/graph/difference?from=2&to=1")
    names = [{"kind": "succession", "id": name} for name in ("gamma-beta", "gamma-delta")]
    assert (there["added"], there["removed"], there["changed"]) == (names, [], [])
    assert (back["added"], back["removed"]) == ([], names)


async def test_two_days_differ_in_what_stands(app: RegistryUnderTest) -> None:
    found = await get(app, "/v1/graph/difference?from_as_of=2024-02-29&to_as_of=2024-03-01")
    changes = [(each["id"], each["before"]["status"], each["after"]["status"]) for each in found["standing"]]
    assert changes == [("pact", "active", "superseded"), ("pact-2", "scheduled", "active")]
    assert found["totals"] == {"added": 0, "changed": 0, "standing": 2}


async def test_a_graph_of_a_day_leaves_out_what_does_not_apply(app: RegistryUnderTest) -> None:
    found = await get(app, "/v1/graph?as_of=2025-03-01")
    kinds = {(row["kind"], row["id"]): row for row in found["objects"]}
    assert {name for kind, name in kinds if kind == "agreement"} == {"halted", "pact-2"}
    assert kinds["agreement", "halted"]["standing"]["status"] == "suspended"
    assert ("organisation", "gamma") not in kinds
    assert ("succession", "gamma-delta") in kinds
    assert ("policy", "policy") in kinds


async def test_a_registry_without_a_graph_asks_to_come_back(tmp_path: Path) -> None:
    empty = RegistryUnderTest(InMemoryHistory().begin, clock=FrozenClock(), folder=tmp_path)
    for path in ("/v1/agreements", "/v1/organisations", "/v1/successions", "/v1/graph/difference"):
        assert (await empty.http.get(path)).status_code == 503
