"""Secrets are made once, are closed to others, and are stored as hashes where a hash is enough."""

import base64
import hashlib
import json
import stat
from pathlib import Path

from deploy.local.keys import Keyring
from deploy.local.seed import seed_organisations


def test_every_secret_file_is_closed_to_others(tmp_path: Path) -> None:
    ring = Keyring(tmp_path / "secrets")
    shown = tmp_path / "credentials.json"
    ring.symmetric("sealing"), ring.signing(), ring.passwords(), ring.clients(["cqc"], shown)
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in (*ring.folder.iterdir(), shown)}
    assert set(modes) == {"sealing.key", "signing.pem", "passwords.json", "clients.json", "credentials.json"}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(ring.folder.stat().st_mode) == 0o700


def test_a_secret_is_never_made_anew(tmp_path: Path) -> None:
    first, second = Keyring(tmp_path), Keyring(tmp_path)
    key = first.symmetric("sealing").read_bytes()
    assert second.symmetric("sealing").read_bytes() == key
    assert len(base64.b64decode(key)) == 32
    assert second.passwords() == first.passwords()
    assert second.signing().read_bytes() == first.signing().read_bytes()


def test_a_new_organisation_gets_a_client_and_the_others_keep_theirs(tmp_path: Path) -> None:
    ring, shown = Keyring(tmp_path / "secrets"), tmp_path / "credentials.json"
    before = ring.clients(["cqc"], shown)
    after = ring.clients(["cqc", "gmc"], shown)
    assert {name: after[name] for name in before} == before
    assert set(after) - set(before) == {"gmc-case-system"}
    assert after["gmc-case-system"]["org"] == "gmc"


def test_the_registry_is_given_hashes_alone(tmp_path: Path) -> None:
    ring, shown = Keyring(tmp_path / "secrets"), tmp_path / "credentials.json"
    clients = ring.clients(["cqc"], shown)
    stored = {client["client_id"]: client for client in json.loads(ring.clients_file.read_text())}
    for name, client in clients.items():
        assert "secret" not in stored[name]
        assert stored[name]["secret_sha256"] == hashlib.sha256(str(client["secret"]).encode()).hexdigest()


def test_every_organisation_of_the_seed_graph_is_known_once() -> None:
    orgs = seed_organisations()
    assert len(set(orgs)) == len(orgs) > 20
    assert "cqc" in orgs
