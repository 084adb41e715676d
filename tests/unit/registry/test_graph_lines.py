"""The graph in lines: what routers take it whole by."""

import gzip
import zlib
from pathlib import Path

import orjson
import pytest
from pydantic import ValidationError

from services.registry.usecases import import_seed
from services.registry.usecases.graph import read_head
from services.router.adapters.registry import replica_of
from shared.contracts.graph import GRAPH_LINES, GraphHead
from shared.graphcopy import GraphCopy
from shared.graphlines import LineUnreadable, read_line
from tests.support.clock import FrozenClock
from tests.support.registry_app import RegistryUnderTest
from tests.support.registry_fakes import InMemoryHistory
from tests.support.router_fakes import bodies_of
from tests.support.small_graph import SMALL

ASKED = {"Accept": GRAPH_LINES, "Accept-Encoding": "gzip"}


@pytest.fixture
async def history() -> InMemoryHistory:
    made = InMemoryHistory()
    await import_seed(lambda: SMALL, begin=made.begin, clock=FrozenClock())
    return made


@pytest.fixture
def registry(history: InMemoryHistory, tmp_path: Path) -> RegistryUnderTest:
    return RegistryUnderTest(history.begin, clock=FrozenClock(), folder=tmp_path)


async def test_the_lines_are_the_head_and_then_every_object_in_its_order(
    registry: RegistryUnderTest, history: InMemoryHistory
) -> None:
    async with registry.http.stream("GET", "/v1/graph", headers=ASKED) as answer:
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    head = await read_head(begin=history.begin)
    first, *lines = gzip.decompress(raw).splitlines()
    assert head is not None
    assert GraphHead.model_validate_json(first).root == head.root
    assert [read_line(line) for line in lines] == sorted(bodies_of(SMALL).items())
    assert (answer.headers["content-type"], int(answer.headers["content-length"])) == (GRAPH_LINES, len(raw))


async def test_a_router_reads_the_lines_as_they_are_sent_and_as_they_are_packed_anew_on_the_way(
    registry: RegistryUnderTest,
) -> None:
    async with registry.http.stream("GET", "/v1/graph", headers=ASKED) as answer:
        raw = b"".join([piece async for piece in answer.aiter_raw()])
    for sent in (raw, gzip.compress(gzip.decompress(raw))):
        replica = replica_of([sent[:100], sent[100:]])
        assert (replica.bodies, replica.head.root) == (bodies_of(SMALL), GraphCopy.of(bodies_of(SMALL)).root)
        for broken in (sent[:-1], sent[:-30], sent[: len(sent) // 2], sent[:20], b""):
            with pytest.raises((LineUnreadable, ValidationError, zlib.error)):
                replica_of([broken])


async def test_a_router_that_knows_the_head_gets_nothing_again(registry: RegistryUnderTest) -> None:
    etag = (await registry.http.get("/v1/graph", headers=ASKED)).headers["etag"]
    again = await registry.http.get("/v1/graph", headers={**ASKED, "If-None-Match": etag})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)


@pytest.mark.parametrize("asked", [{}, {"Accept": GRAPH_LINES, "Accept-Encoding": "identity"}])
async def test_who_does_not_take_lines_and_gzip_gets_one_document(
    registry: RegistryUnderTest, asked: dict[str, str]
) -> None:
    answer = await registry.http.get("/v1/graph", headers=asked)
    assert answer.headers["content-type"] == "application/json"
    assert len(orjson.loads(answer.content)["objects"]) == len(SMALL)


async def test_there_are_no_lines_of_a_version_that_is_not_there(registry: RegistryUnderTest) -> None:
    assert (await registry.http.get("/v1/graph", params={"version": 9}, headers=ASKED)).status_code == 404
