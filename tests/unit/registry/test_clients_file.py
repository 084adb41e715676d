import json
import os
from pathlib import Path

import pytest

from services.registry.adapters.clients_file import ClientsFile, ClientsUnreadable

ROW = {"client_id": "case", "secret_sha256": "0" * 64, "org": "cqc", "scopes": ["a"], "roles": []}


def write(file: Path, content: object) -> None:
    """A new file in the old one's place, as an operator's tool does it."""
    fresh = file.with_suffix(".new")
    fresh.write_text(content if isinstance(content, str) else json.dumps(content))
    os.replace(fresh, file)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    write(tmp_path / "clients.json", [ROW])
    return tmp_path / "clients.json"


def test_a_client_of_the_file_is_found_and_no_other(file: Path) -> None:
    clients = ClientsFile(file, alarm=pytest.fail)
    assert (clients.find("case") is not None, clients.find("other")) == (True, None)


def test_a_client_acts_for_the_person_that_the_file_names_and_else_for_itself(file: Path) -> None:
    write(file, [ROW, {**ROW, "client_id": "at-home", "person": "ann"}])
    clients = ClientsFile(file, alarm=pytest.fail)
    assert [client.subject for name in ("case", "at-home") if (client := clients.find(name))] == ["case", "ann"]


def test_a_client_added_later_is_found_without_a_restart(file: Path) -> None:
    clients = ClientsFile(file, alarm=pytest.fail)
    write(file, [ROW, {**ROW, "client_id": "other"}])
    assert clients.find("other") is not None


def test_a_client_taken_out_is_refused_without_a_restart(file: Path) -> None:
    clients = ClientsFile(file, alarm=pytest.fail)
    write(file, [])
    assert clients.find("case") is None


@pytest.mark.parametrize("content", ["{", "{}", [{**ROW, "secret_sha256": "x"}], [ROW, ROW], [{**ROW, "more": 1}]])
def test_a_broken_change_is_said_once_and_the_clients_stay(file: Path, content: object) -> None:
    alarms: list[str] = []
    clients = ClientsFile(file, alarm=alarms.append)
    write(file, content)
    assert clients.find("case") is not None
    assert clients.find("case") is not None
    assert len(alarms) == 1


def test_a_missing_file_keeps_the_clients_and_says_so(file: Path) -> None:
    alarms: list[str] = []
    clients = ClientsFile(file, alarm=alarms.append)
    file.unlink()
    assert (clients.find("case") is not None, len(alarms)) == (True, 1)


def test_the_registry_does_not_start_on_a_broken_file(file: Path) -> None:
    write(file, [{**ROW, "secret_sha256": "a secret in clear"}])
    with pytest.raises(ClientsUnreadable) as fault:
        ClientsFile(file, alarm=pytest.fail)
    assert "0/secret_sha256" in str(fault.value)
    assert "a secret in clear" not in str(fault.value)
