"""What the command line says when there is nothing to start yet, or something is in the way."""

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from deploy.cli.main import SUB_COMMANDS, main
from deploy.local.plan import POSTGRES, port_of
from deploy.local.ports import free_port_base


@pytest.fixture
def port_base() -> int:
    return free_port_base()


@pytest.fixture
def taken_port(port_base: int) -> Iterator[int]:
    """Postgres's port, held by this very process."""
    with socket.create_server(("127.0.0.1", port_of(POSTGRES, port_base))) as server:
        yield server.getsockname()[1]


def _concordat(*arguments: object) -> Result:
    return CliRunner().invoke(main, [str(argument) for argument in arguments])


def test_a_sub_command_that_is_not_installed_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SUB_COMMANDS, "absent", "deploy.cli.absent")
    helped = _concordat("--help")
    assert helped.exit_code == 0
    assert "doctor" in helped.output
    assert "absent" not in helped.output
    assert _concordat("absent").exit_code == 2


def test_doctor_finds_a_sound_machine_sound(data_dir: Path, port_base: int) -> None:
    told = _concordat("doctor", "--data-dir", data_dir, "--port-base", port_base, "--json")
    assert json.loads(told.stdout)["ok"]
    assert told.exit_code == 0


def test_doctor_names_the_taken_port_and_what_to_do(data_dir: Path, port_base: int, taken_port: int) -> None:
    told = _concordat("doctor", "--data-dir", data_dir, "--port-base", port_base)
    assert f"wrong  port of postgres: {taken_port} is held by" in told.output
    assert "--port-base" in told.output
    assert told.exit_code == 1


def test_doctor_sees_a_secret_that_others_can_read(data_dir: Path, port_base: int) -> None:
    loose = data_dir / "secrets" / "sealing.key"
    loose.parent.mkdir()
    loose.write_text("seen by all")
    loose.chmod(0o644)
    told = _concordat("doctor", "--data-dir", data_dir, "--port-base", port_base)
    assert f"chmod 600 {loose}" in told.output
    assert told.exit_code == 1


def test_up_says_which_port_is_taken_and_starts_nothing(data_dir: Path, port_base: int, taken_port: int) -> None:
    told = _concordat("up", "--data-dir", data_dir, "--port-base", port_base, "--json")
    answer = json.loads(told.stdout)
    assert f"port {taken_port} for postgres" in answer["error"]
    assert "--port-base" in answer["remedy"]
    assert told.exit_code == 1
    assert not (data_dir / "postgres").exists()


def test_down_without_a_system_says_so(data_dir: Path) -> None:
    told = _concordat("down", "--data-dir", data_dir)
    assert told.exit_code == 0
    assert "Nothing runs" in told.output
