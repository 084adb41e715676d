"""The demo and the benchmark empty only what they made, and never what somebody uses."""

import hashlib
from pathlib import Path

import psutil
import pytest
from click.testing import CliRunner, Result

from deploy.cli.main import main
from deploy.local import postgres_home, throwaway
from deploy.local.diagnosis import diagnose
from deploy.local.faults import AlreadyRunning, NotOurs
from deploy.local.hold import Hold, note_runner
from deploy.local.layout import Layout
from deploy.local.orphans import PidFile
from deploy.local.ports import free_port_base
from deploy.local.system import LocalSystem


@pytest.fixture
def shared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The place that is shared with the unprivileged user of Postgres."""
    monkeypatch.setenv("CONCORDAT_SHARED_DATA_DIR", str(tmp_path / "shared"))
    return tmp_path / "shared"


def lent(shared: Path, owner: Path) -> Path:
    folder = shared / hashlib.sha256(bytes(owner)).hexdigest()[:16]
    (folder / "postgres").mkdir(parents=True)
    (folder / "belongs-to").write_text(str(owner))
    return folder


def _concordat(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


@pytest.mark.parametrize("command", ["demo", "bench"])
def test_a_folder_of_somebody_else_is_refused_and_left_as_it_is(command: str, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    told = _concordat(command, "--data-dir", tmp_path)
    assert told.exit_code == 1
    assert f"{tmp_path} was not made by" in told.output
    assert "--data-dir" in told.output
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_the_data_of_a_system_that_was_up_are_not_the_demos(tmp_path: Path) -> None:
    for name in ("lock", "runner.json", "credentials.json"):
        (tmp_path / name).touch()
    with pytest.raises(NotOurs):
        throwaway.demand_ours(tmp_path)


async def test_a_folder_that_is_in_use_is_not_emptied(tmp_path: Path) -> None:
    throwaway.empty(tmp_path)
    (tmp_path / "kafka").mkdir()
    holder = Hold(tmp_path)
    await holder.take()
    note_runner(tmp_path)
    with pytest.raises(AlreadyRunning, match=str(psutil.Process().pid)):
        async with LocalSystem.afresh(Layout(tmp_path)):
            pass
    holder.let_go()
    assert (tmp_path / "kafka").is_dir()


async def test_what_the_demo_made_is_emptied_and_links_are_not_followed(tmp_path: Path, shared: Path) -> None:
    elsewhere, own = tmp_path / "elsewhere", tmp_path / "own"
    elsewhere.mkdir()
    (elsewhere / "kept").touch()
    async with LocalSystem.afresh(Layout(own)) as system:
        first = system.layout.credentials_file.read_text()
    (own / "linked").symlink_to(elsewhere)
    postgres, other = lent(shared, own), lent(shared, elsewhere)
    async with LocalSystem.afresh(Layout(own)) as system:
        assert system.layout.credentials_file.read_text() != first
    assert not (own / "linked").exists()
    assert (elsewhere / "kept").exists()
    assert not postgres.exists()
    assert other.exists()


async def test_data_whose_folder_is_not_there_is_named_and_kept(tmp_path: Path, shared: Path) -> None:
    gone, here = lent(shared, tmp_path / "unmounted"), lent(shared, tmp_path)
    assert postgres_home.deserted() == {gone: str(tmp_path / "unmounted")}
    found = [f"{row.name}: {row.found}" for row in await diagnose(Layout(tmp_path / "new", free_port_base()))]
    assert any(f"rm -r {gone}" in text for text in found)
    assert not any(str(here) in text for text in found)
    assert gone.exists()


async def test_a_process_that_outlived_its_runner_is_named(tmp_path: Path) -> None:
    PidFile(tmp_path / "pids.json").note("router", psutil.Process().pid)
    rows = {row.name: row for row in await diagnose(Layout(tmp_path, free_port_base()))}
    assert f"process {psutil.Process().pid}" in rows["left running"].found
    assert not rows["left running"].ok
    assert rows["cache"].found
