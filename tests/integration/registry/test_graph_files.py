"""A graph as files through a real registry: out, changed by hand, in through four eyes, and out again to the byte."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from click.testing import Result

from services.registry.adapters.graph_files import read_folder
from services.registry.adapters.seed_files import SEED_DIR
from tests.integration.registry.test_service import Setting, setting, token  # noqa: F401 - a fixture
from tests.seed.graph_files.folders import replace, run, seed_copy
from tests.support.registry_app import SECRET
from tests.support.registry_changes import Carrier

pytestmark = pytest.mark.stack
NMC = "agreements/mou-cqc-nmc.yaml"


@dataclass
class Running:
    """A registry with the packaged graph, and the command line beside it."""

    url: str
    client: httpx.AsyncClient
    credentials: Path

    async def run(self, *arguments: str | Path) -> Result:
        return await asyncio.to_thread(run, *arguments, "--registry", self.url)

    async def import_(self, folder: Path, *, reason: str = "to try it") -> Result:
        more = ("--credentials", self.credentials, "--as", "registry", "--reason", reason)
        return await self.run("import", folder, *more)

    async def headers(self, client_id: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {await token(self.client, client_id)}"}

    async def carry(self, result: Result) -> None:
        """Take the change that an import made all the way into the graph."""
        assert result.exit_code == 0, result.output
        change_id = next(line for line in result.output.splitlines() if line.startswith("chg_")).partition(":")[0]
        carrier = Carrier(self.client, self.headers, path=f"/v1/changes/{change_id}")
        shown = await self.client.get(carrier.path, headers=await self.headers("editor"))
        carrier.etag = shown.headers["etag"]
        await carrier.approved()
        await carrier.signed()
        (await carrier.step("schedule", by="editor")).raise_for_status()


@pytest.fixture
async def running(setting: Setting, tmp_path: Path) -> AsyncIterator[Running]:  # noqa: F811 - the fixture of that name
    credentials = tmp_path / "credentials.json"
    credentials.write_text(json.dumps({"editor": {"client_id": "editor", "org": "registry", "secret": SECRET}}))
    async with setting.started():
        client = await setting.client()
        yield Running(f"http://127.0.0.1:{setting.port}", client, credentials)
        await client.aclose()


async def test_export_edit_import_and_export_are_the_same_bytes(running: Running, tmp_path: Path) -> None:
    first = tmp_path / "first"
    assert (await running.run("export", first)).exit_code == 0
    assert read_folder(first).files == read_folder(SEED_DIR).files

    replace(first / NMC, "    status: current", "    # looked at again in spring\n    status: current  # still")
    replace(first / NMC, "    binding: false", "    binding: false\n    note: looked at again")
    fresh = (first / "agreements/mou-cqc-hta.yaml").read_text().replace("mou-cqc-hta", "mou-cqc-hta-new")
    (first / "agreements/named-by-hand.yaml").write_text(f"# a second one\n{fresh}")
    await running.carry(await running.import_(first))

    second = tmp_path / "second"
    exported = await running.run("export", second)
    assert exported.exit_code == 0, exported.output
    assert read_folder(second).files == read_folder(first).files
    again = await running.import_(second)
    assert (again.exit_code, "Nothing to import: version 2" in again.output) == (0, True)
    before = tmp_path / "before"
    assert (await running.run("export", before, "--version", "1")).exit_code == 0
    assert read_folder(before).files == read_folder(SEED_DIR).files
    then = (await running.client.get("/v1/graph", params={"version": 1})).json()["committed_at"]
    assert (await running.run("export", tmp_path / "then", "--known-at", then)).exit_code == 0
    assert read_folder(tmp_path / "then").files == read_folder(SEED_DIR).files
    compared = await running.run("diff", then, "head")
    assert compared.exit_code == 1
    assert "+ agreement mou-cqc-hta-new" in compared.output
    assert '+ "looked at again"' in compared.output


async def test_a_file_that_is_taken_away_does_not_come_back(running: Running, tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    (folder / "agreements/renamed.yaml").write_bytes((folder / NMC).read_bytes())
    (folder / NMC).unlink()
    replace(folder / "agreements/renamed.yaml", "    binding: false", "    binding: false\n    note: moved")
    await running.carry(await running.import_(folder))
    assert (await running.run("export", tmp_path / "out")).exit_code == 0
    assert read_folder(tmp_path / "out").files == read_folder(folder).files


async def test_an_import_with_one_wrong_word_does_nothing(running: Running, tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    line = replace(folder / NMC, "instrument: mou", "instrument: handshake")
    replace(folder / "agreements/mou-cqc-hta.yaml", "binding: false", "binding: true")
    result = await running.import_(folder)
    assert result.exit_code == 2
    assert f"{folder / NMC}:{line}:17: 'handshake' is not known in instrument" in result.output
    listed = await running.client.get("/v1/changes", headers=await running.headers("editor"))
    assert listed.raise_for_status().json()["items"] == []


async def test_the_same_import_again_finds_its_change(running: Running, tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    replace(folder / NMC, "binding: false", "binding: true")
    first, second = [await running.import_(folder) for _ in range(2)]
    assert (first.exit_code, first.output) == (0, second.output)
    assert "review" in first.output
    listed = await running.client.get("/v1/changes", headers=await running.headers("editor"))
    assert len(listed.json()["items"]) == 1


async def test_files_of_a_change_come_from_its_author_before_its_review_and_are_never_replaced(
    running: Running, tmp_path: Path
) -> None:
    folder = seed_copy(tmp_path)
    replace(folder / NMC, "binding: false", "binding: true")
    made = await running.import_(folder)
    change_id = made.output.split(":")[0].splitlines()[-1]
    path = f"/v1/changes/{change_id}/documents"

    async def put(by: str, files: dict[str, str]) -> int:
        return (await running.client.put(path, json={"files": files}, headers=await running.headers(by))).status_code

    text = (folder / NMC).read_text()
    assert await put("editor", {NMC: text}) == 200
    assert await put("editor", {NMC: text + "# more\n"}) == 409
    assert await put("reviewer", {"agreements/x.yaml": text}) == 403
    assert await put("editor", {"../x.yaml": text}) == 422
    carrier = Carrier(running.client, running.headers, path=f"/v1/changes/{change_id}")
    shown = await running.client.get(carrier.path, headers=await running.headers("editor"))
    carrier.etag = shown.headers["etag"]
    (await carrier.step("review", by="reviewer")).raise_for_status()
    assert await put("editor", {"agreements/x.yaml": text}) == 409


async def test_an_export_leaves_other_texts_alone_unless_told_to_replace_them(running: Running, tmp_path: Path) -> None:
    folder = seed_copy(tmp_path)
    replace(folder / NMC, "binding: false", "binding: true")
    (folder / "agreements/extra.yaml").write_text("# mine\n")
    refused = await running.run("export", folder)
    assert (refused.exit_code, "say --replace" in refused.output) == (2, True)
    assert "binding: true" in (folder / NMC).read_text()
    assert (await running.run("export", folder, "--replace")).exit_code == 0
    assert read_folder(folder).files == read_folder(SEED_DIR).files
