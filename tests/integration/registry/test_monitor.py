"""What applied on 3 May 2022 between CQC and Monitor: as known then, and as known since 6 December 2023.

On 1 May 2022 the registry gets the seed as it could be known then. What the commission's page of 6 December 2023 says
of the bodies that came before NHS England (source `seed-jwa`), and what the Health and Care Act 2022 brought on 1 July
2022 (source `hca2022-33`), is left out: the successions that cite either, and the end of the bodies that it abolished.
On 6 December 2023 a backdated change records those.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.registry.adapters.seed_files import read_objects
from services.registry.domain.model import Change, Committed
from services.registry.usecases import as_object, import_seed
from tests.support.clock import FrozenClock
from tests.support.committing import commit_change
from tests.support.registry_app import RegistryUnderTest
from tests.support.registry_store import history_in
from tests.support.stack import TestPostgres

pytestmark = pytest.mark.stack
Row = dict[str, Any]
IMPORTED, CORRECTED = datetime(2022, 5, 1, 9, tzinfo=UTC), datetime(2023, 12, 6, 9, tzinfo=UTC)
LEARNT_FROM = {"seed-jwa", "hca2022-33"}
ABOLISHED_ON = "2022-07-01"
AGREEMENT = "/v1/agreements/mou-cqc-monitor?as_of=2022-05-03"
KNOWN_THEN = "&known_at=2022-05-03T11:00:00Z"


def as_known_then(seed: Sequence[Row]) -> list[Row]:
    """The seed without what was learnt, or came about, later."""
    return [_then(row) for row in seed if not (row["kind"] == "succession" and LEARNT_FROM & set(row["source"]))]


def _then(row: Row) -> Row:
    if row["kind"] == "organisation" and row["exists"]["to"] == ABOLISHED_ON:
        return {**row, "exists": {**row["exists"], "to": None}}
    return row


@asynccontextmanager
async def registry(postgres: TestPostgres, folder: Path) -> AsyncIterator[RegistryUnderTest]:
    """A registry that has lived through both days; it is the day of the correction."""
    seed, clock = [dict(row) for row in read_objects()], FrozenClock(IMPORTED)
    then = as_known_then(seed)
    learnt = [row for row in seed if row not in then]
    async with history_in(await postgres.fresh_database("registry")) as history:
        await import_seed(lambda: then, begin=history.begin, clock=clock)
        clock.moment = CORRECTED
        change = Change(1, "editor", "The page of 6 December 2023", tuple(map(as_object, learnt)))
        assert isinstance(await commit_change(change, begin=history.begin, clock=clock), Committed)
        app = RegistryUnderTest(history.begin, clock=clock, folder=folder)
        async with app.http:
            yield app


@pytest_asyncio.fixture
async def app(postgres_engine: TestPostgres, tmp_path: Path) -> AsyncIterator[RegistryUnderTest]:
    async with registry(postgres_engine, tmp_path) as made:
        yield made


async def test_as_known_then_monitor_acts_for_itself_and_nothing_is_flagged(app: RegistryUnderTest) -> None:
    found = (await app.http.get(AGREEMENT + KNOWN_THEN)).raise_for_status().json()
    acting = {party["org"]: party["acting"] for party in found["parties"]}
    assert [(each["org"], each["path"], each["flags"]) for each in acting["monitor"]] == [("monitor", ["monitor"], [])]
    assert (found["standing"]["status"], found["standing"]["flags"]) == ("active", [])
    assert (found["graph"]["version"], found["as_of"]) == (1, "2022-05-03")


async def test_as_known_today_nhs_improvement_acted_for_it_under_a_flag(app: RegistryUnderTest) -> None:
    found = (await app.http.get(AGREEMENT)).raise_for_status().json()
    (acting,) = next(party["acting"] for party in found["parties"] if party["org"] == "monitor")
    assert (acting["org"], acting["path"]) == ("nhs-improvement", ["monitor", "nhs-improvement"])
    assert acting["flags"] == ["INHERITED_PENDING_REVIEW"]
    assert (found["standing"]["status"], found["standing"]["flags"]) == ("active", ["INHERITED_PENDING_REVIEW"])
    assert found["graph"]["version"] == 2


async def test_after_the_act_nhs_england_acts_for_monitor_whose_row_stays(app: RegistryUnderTest) -> None:
    found = (await app.http.get("/v1/agreements/mou-cqc-monitor?as_of=2022-07-01")).json()
    (acting,) = next(party["acting"] for party in found["parties"] if party["org"] == "monitor")
    assert (acting["org"], acting["flags"]) == ("nhs-england", ["INHERITED_PENDING_REVIEW"])
    body = (await app.http.get("/v1/organisations/monitor?as_of=2022-07-01")).json()
    assert (body["exists"]["on_day"], body["exists"]["to"]) == (False, ABOLISHED_ON)
    assert {row["to"] for row in body["successions"]["passed_on"]} == {"nhs-improvement", "nhs-england"}
    assert "mou-cqc-monitor" in [each["id"] for each in body["agreements"]]


async def test_the_correction_is_in_the_history_of_the_body_field_by_field(app: RegistryUnderTest) -> None:
    newest, first = (await app.http.get("/v1/organisations/monitor/history")).json()["states"]
    assert newest["changes"] == [{"path": "/exists/to", "before": None, "after": ABOLISHED_ON}]
    assert (newest["principal"], newest["recorded"]) == ("editor", {"from": "2023-12-06T09:00:00Z", "to": None})
    assert first["recorded"] == {"from": "2022-05-01T09:00:00Z", "to": "2023-12-06T09:00:00Z"}
    assert (first["event"], first["changes"]) == ("IMPORTED", [])


async def test_the_difference_names_what_was_learnt_and_what_stands_otherwise(app: RegistryUnderTest) -> None:
    days = "from_as_of=2022-05-03&to_as_of=2022-05-03"
    query = f"from_known_at=2022-05-03T11:00:00Z&to=2&{days}"
    found = (await app.http.get(f"/v1/graph/difference?{query}")).raise_for_status().json()
    assert {"kind": "succession", "id": "suc-monitor-nhs-improvement"} in found["added"]
    assert "monitor" in [change["id"] for change in found["changed"]]
    (monitor,) = [each for each in found["standing"] if each["id"] == "mou-cqc-monitor"]
    assert (monitor["before"]["flags"], monitor["after"]["flags"]) == ([], ["INHERITED_PENDING_REVIEW"])
    assert found["totals"]["added"] == len(found["added"])


async def test_the_graph_as_known_then_on_the_day_is_without_what_was_learnt(app: RegistryUnderTest) -> None:
    then = (await app.http.get("/v1/graph?as_of=2022-05-03&known_at=2022-05-03T11:00:00Z")).json()
    today = (await app.http.get("/v1/graph?as_of=2022-05-03")).json()
    names = [{row["id"] for row in graph["objects"]} for graph in (then, today)]
    assert "suc-monitor-nhs-improvement" in names[1] - names[0]
    assert "suc-monitor-nhs-england" not in names[1]  # known today, and not in effect on that day
    assert "ecp-2021" in names[0] & names[1]
    assert not {"ecp-2018", "ecp-2024"} & (names[0] | names[1])
    (mou,) = [row for row in today["objects"] if row["id"] == "mou-cqc-monitor"]
    assert mou["standing"]["flags"] == ["INHERITED_PENDING_REVIEW"]


async def test_before_the_first_commit_nothing_was_known(app: RegistryUnderTest) -> None:
    for path in ("/v1/graph", "/v1/agreements", "/v1/agreements/mou-cqc-monitor", "/v1/organisations/cqc"):
        answer = await app.http.get(f"{path}?known_at=2022-05-01T08:59:59.999999Z")
        assert (answer.status_code, answer.json()["type"]) == (404, "urn:concordat:problem:not-known-yet")
        assert "2022-05-01T09:00:00Z" in answer.json()["detail"]
        assert (await app.http.get(f"{path}?known_at=2022-05-01T09:00:00Z")).status_code == 200


async def test_what_will_be_known_is_not_said(app: RegistryUnderTest) -> None:
    answer = await app.http.get("/v1/graph?known_at=2023-12-06T09:00:01Z")
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/known_at")
