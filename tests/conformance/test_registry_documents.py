"""One suite for the files of the graph: in memory and in Postgres."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from services.registry.adapters.documents import PostgresDocumentStore
from services.registry.domain.change import ChangeEvent, Content, Drafted, Reviewed, Revised, Scheduled, Step
from services.registry.domain.change_rules import Actor, Refusal
from services.registry.domain.documents import SEED
from services.registry.ports import BeginDocuments
from services.registry.usecases.documents import keep_files, keep_seed_files, read_files
from tests.support.clock import NOON, FrozenClock
from tests.support.documents_fakes import InMemoryDocuments
from tests.support.registry_store import history_in
from tests.support.stack import TestPostgres

EDITOR = Actor("editor", "registry", frozenset({"registry-editor"}))
A, B = "agreements/a.yaml", "agreements/b.yaml"
CONTENT = Content(1, "0" * 64)
DRAFTED = Drafted("a title", "a reason", 1, CONTENT)
REVISED = Revised("another", 1, CONTENT)


@pytest_asyncio.fixture
async def begin(postgres: TestPostgres | None) -> AsyncIterator[BeginDocuments]:
    if postgres is None:
        yield InMemoryDocuments().begin
        return
    async with history_in(await postgres.fresh_database("registry")) as history:
        yield PostgresDocumentStore(history).begin


async def taken(begin: BeginDocuments, change_id: str, *steps: Step, first: int = 1) -> None:
    async with begin() as tx:
        for number, step in enumerate(steps, first):
            assert await tx.changes().add(change_id, ChangeEvent(number, NOON, "editor", "", step))


async def kept(begin: BeginDocuments, change_id: str, files: dict[str, bytes]) -> Refusal | int | None:
    return await keep_files(change_id, files, EDITOR, begin=begin, clock=FrozenClock())


def _code(result: Refusal | int | None) -> str | int | None:
    return result.code if isinstance(result, Refusal) else result


async def test_files_hold_from_the_version_that_their_change_became(begin: BeginDocuments) -> None:
    assert await keep_seed_files(lambda: {A: b"seed a", B: b"seed b"}, begin=begin) == 2
    await taken(begin, "chg_1", DRAFTED)
    assert await kept(begin, "chg_1", {A: b"new a \xc3\xa9\r\n"}) == 1
    assert await read_files(5, begin=begin) == {A: b"seed a", B: b"seed b"}
    await taken(begin, "chg_1", Scheduled(2, "root"), first=2)
    assert await read_files(2, begin=begin) == {A: b"new a \xc3\xa9\r\n", B: b"seed b"}
    assert await read_files(1, begin=begin) == {A: b"seed a", B: b"seed b"}


async def test_an_empty_text_takes_a_file_away_from_that_version_on(begin: BeginDocuments) -> None:
    await keep_seed_files(lambda: {A: b"seed a", B: b"seed b"}, begin=begin)
    await taken(begin, "chg_1", DRAFTED)
    await kept(begin, "chg_1", {A: b""})
    await taken(begin, "chg_1", Scheduled(2, "root"), first=2)
    assert await read_files(2, begin=begin) == {B: b"seed b"}
    assert await read_files(1, begin=begin) == {A: b"seed a", B: b"seed b"}


async def test_only_the_files_of_the_revision_that_was_committed_count(begin: BeginDocuments) -> None:
    await taken(begin, "chg_1", DRAFTED)
    await kept(begin, "chg_1", {A: b"first", B: b"first"})
    await taken(begin, "chg_1", REVISED, first=2)
    assert await kept(begin, "chg_1", {A: b"second"}) == 1
    await taken(begin, "chg_1", Scheduled(2, "root"), first=3)
    assert await read_files(2, begin=begin) == {A: b"second"}


async def test_the_same_files_again_are_none_more_and_another_text_is_refused(begin: BeginDocuments) -> None:
    await taken(begin, "chg_1", DRAFTED)
    assert await kept(begin, "chg_1", {A: b"a"}) == 1
    assert await kept(begin, "chg_1", {A: b"a"}) == 0
    assert _code(await kept(begin, "chg_1", {A: b"other", B: b"b"})) == "files-differ"
    async with begin() as tx:
        assert await tx.of_change("chg_1", 1) == {A: b"a"}


async def test_the_seed_is_kept_once(begin: BeginDocuments) -> None:
    assert await keep_seed_files(lambda: {A: b"seed"}, begin=begin) == 1
    assert await keep_seed_files(lambda: {A: b"other"}, begin=begin) == 0
    async with begin() as tx:
        assert await tx.of_change(SEED, 1) == {A: b"seed"}


async def test_a_reviewed_or_closed_change_takes_no_file(begin: BeginDocuments) -> None:
    await taken(begin, "chg_1", DRAFTED, Reviewed(""))
    assert _code(await kept(begin, "chg_1", {A: b"a"})) == "already-reviewed"
    await taken(begin, "chg_2", DRAFTED, Scheduled(2, "root"))
    assert _code(await kept(begin, "chg_2", {A: b"a"})) == "change-closed"
    assert await kept(begin, "chg_3", {A: b"a"}) is None


@pytest.mark.parametrize("path", ["../a.yaml", "/a.yaml", "agreements/../a.yaml", "a.yml", "x/a.yaml", "a\n.yaml", ""])
async def test_a_path_that_leads_elsewhere_is_refused(path: str) -> None:
    begin = InMemoryDocuments().begin
    await taken(begin, "chg_1", DRAFTED)
    assert _code(await kept(begin, "chg_1", {path: b"a"})) == "invalid-objects"
