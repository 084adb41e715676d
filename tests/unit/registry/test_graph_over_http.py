from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from services.registry.domain.model import Change, Committed
from services.registry.ports import History
from services.registry.usecases import as_object, import_seed
from shared.contracts.graph import GraphDocument
from shared.graphroot import graph_root
from tests.support.clock import FrozenClock
from tests.support.committing import commit_change
from tests.support.registry_app import RegistryUnderTest
from tests.support.registry_fakes import InMemoryHistory
from tests.support.small_graph import SMALL, source


@pytest_asyncio.fixture
async def history() -> InMemoryHistory:
    made = InMemoryHistory()
    await import_seed(lambda: SMALL, begin=made.begin, clock=FrozenClock())
    return made


class Shared:
    """One app for all tests, each with a history of its own."""

    def __init__(self, folder: Path) -> None:
        self.history = InMemoryHistory()
        self.app = RegistryUnderTest(self.begin, clock=FrozenClock(), folder=folder)

    def begin(self) -> AbstractAsyncContextManager[History]:
        return self.history.begin()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Shared]:
    made = Shared(tmp_path_factory.mktemp("registry"))
    async with made.app.http:
        yield made


@pytest.fixture
def registry(shared: Shared, history: InMemoryHistory) -> RegistryUnderTest:
    shared.history = history
    return shared.app


async def committed(history: InMemoryHistory, version: int, *rows: dict[str, Any]) -> None:
    """A commit on top of that version; over HTTP it would have gone through a change."""
    asked = Change(version, "editor", "to try it", tuple(map(as_object, rows)))
    assert isinstance(await commit_change(asked, begin=history.begin, clock=FrozenClock()), Committed)


async def test_anyone_can_read_the_graph_and_check_its_root(registry: RegistryUnderTest) -> None:
    answer = await registry.http.get("/v1/graph")
    document = GraphDocument.model_validate_json(answer.content)
    assert (document.version, document.root) == (1, graph_root(document.objects))
    assert answer.headers["etag"] == f'"1.{document.root}"'


@pytest.mark.parametrize(
    ("form", "status"), [('"{}"', 304), ('W/"{}"', 304), ('"x", "{}"', 304), ("*", 304), ('"x"', 200)]
)
async def test_who_has_the_graph_is_not_sent_it_again(registry: RegistryUnderTest, form: str, status: int) -> None:
    header = form.format(f"1.{graph_root(SMALL)}")
    answer = await registry.http.get("/v1/graph", headers={"If-None-Match": header})
    assert answer.status_code == status


async def test_a_change_that_was_taken_back_is_another_document_of_the_same_root(
    registry: RegistryUnderTest, history: InMemoryHistory
) -> None:
    await committed(history, 1, source("page-one", "changed"))
    changed = (await registry.http.get("/v1/graph")).headers["etag"]
    (before,) = [row for row in SMALL if (row["kind"], row["id"]) == ("source", "page-one")]
    await committed(history, 2, before)
    answer = await registry.http.get("/v1/graph", headers={"If-None-Match": f'"1.{graph_root(SMALL)}", {changed}'})
    assert (answer.status_code, answer.headers["etag"]) == (200, f'"3.{graph_root(SMALL)}"')


async def test_the_graph_follows_its_commits_and_its_past_stays_readable(
    registry: RegistryUnderTest, history: InMemoryHistory
) -> None:
    first = (await registry.http.get("/v1/graph")).content
    await committed(history, 1, source("new"))
    newest = GraphDocument.model_validate_json((await registry.http.get("/v1/graph")).content)
    assert (newest.version, newest.root) == (2, graph_root([*SMALL, source("new")]))
    assert (await registry.http.get("/v1/graph?version=1")).content == first


@pytest.mark.parametrize("version", ["0", "-1", "x", str(2**63)])
async def test_a_version_that_is_none_is_a_bad_field(registry: RegistryUnderTest, version: str) -> None:
    assert (await registry.http.get(f"/v1/graph?version={version}")).status_code == 422


async def test_a_version_to_come_is_not_found(registry: RegistryUnderTest) -> None:
    assert (await registry.http.get("/v1/graph?version=2")).status_code == 404


async def test_the_feed_gives_every_commit_once_in_order(registry: RegistryUnderTest, history: InMemoryHistory) -> None:
    for version in range(1, 6):
        await committed(history, version, source(f"s{version}"))
    versions: list[int] = []
    while True:
        after = versions[-1] if versions else 0
        page = (await registry.http.get(f"/v1/graph/commits?after={after}&limit=2")).json()
        if not page["commits"]:
            break
        versions += [commit["version"] for commit in page["commits"]]
        assert page["next"] == versions[-1]
    assert versions == [1, 2, 3, 4, 5, 6]


async def test_one_object_is_found_with_the_version_that_changed_it(
    registry: RegistryUnderTest, history: InMemoryHistory
) -> None:
    await committed(history, 1, source("page-one", "changed"))
    answer = await registry.http.get("/v1/graph/objects/source/page-one")
    assert answer.json() == {"version": 2, "object": source("page-one", "changed")}
    assert (await registry.http.get("/v1/graph/objects/source/other")).status_code == 404


async def test_a_damaged_graph_is_not_served(tmp_path: Path, history: InMemoryHistory) -> None:
    history.stored[0] = replace(history.stored[0], objects=history.stored[0].objects[1:])
    answer = await RegistryUnderTest(history.begin, clock=FrozenClock(), folder=tmp_path).http.get("/v1/graph")
    assert (answer.status_code, answer.json()["type"]) == (500, "urn:concordat:problem:graph-damaged")


async def test_a_registry_without_a_graph_asks_to_come_back(tmp_path: Path) -> None:
    empty = RegistryUnderTest(InMemoryHistory().begin, clock=FrozenClock(), folder=tmp_path)
    answer = await empty.http.get("/v1/graph")
    assert (answer.status_code, "retry-after" in answer.headers) == (503, True)
