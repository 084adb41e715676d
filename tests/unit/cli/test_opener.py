"""Private keys of a recipient: made where there are none, kept, and the only way to what was encrypted to them."""

import json
import stat
from pathlib import Path
from typing import Any

import orjson
import pytest
from joserfc.jwk import ECKey, OKPKey

from deploy.cli.opener import MEDIA_TYPE, NotOpened, PrivateKeys
from services.notifier.domain.encryption import encrypted, key_text

DATA = {"notice": {"kind": "tell"}, "concern": {"summary": "Ä nurse."}}
EVENT = {"id": "ntc_1", "datacontenttype": "application/json", "data": DATA}


def sent_to(public: dict[str, Any]) -> dict[str, Any]:
    return dict(orjson.loads(encrypted(orjson.dumps(EVENT), key_text(public))))


def test_a_key_is_made_once_for_its_owner_alone_and_reads_what_is_encrypted_to_it(tmp_path: Path) -> None:
    file = tmp_path / "gmc.key"
    made = PrivateKeys.at(file)
    event = sent_to(made.published)
    assert event["datacontenttype"] == MEDIA_TYPE
    assert "Ä nurse." not in event["data"]
    assert made.opened(event) == PrivateKeys.at(file).opened(event) == DATA
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "d" in json.loads(file.read_text())
    assert "d" not in made.published


def test_an_old_key_is_kept_beside_the_new_one_for_what_is_under_way(tmp_path: Path) -> None:
    old, new = OKPKey.generate_key("X25519", private=True), ECKey.generate_key("P-256", private=True)
    file = tmp_path / "keys"
    file.write_text(json.dumps([key.as_dict(private=True) for key in (new, old)]))
    keys = PrivateKeys.at(file)
    assert keys.published == dict(new.as_dict(private=False))
    for key in (old, new):
        assert keys.opened(sent_to(dict(key.as_dict(private=False)))) == DATA


def test_what_is_in_clear_is_read_as_it_is(tmp_path: Path) -> None:
    assert PrivateKeys.at(tmp_path / "gmc.key").opened(EVENT) == DATA


def test_what_is_encrypted_to_another_key_is_not_opened_and_the_key_is_named(tmp_path: Path) -> None:
    mine, other = PrivateKeys.at(tmp_path / "mine"), PrivateKeys.at(tmp_path / "other")
    (kid,) = other.keys
    with pytest.raises(NotOpened, match=kid):
        mine.opened(sent_to(other.published))


@pytest.mark.parametrize("change", [lambda text: text[:-9] + "A" * 9, lambda _: "", lambda _: "e30.x", lambda _: "%"])
def test_what_was_damaged_on_its_way_is_not_opened(tmp_path: Path, change: Any) -> None:
    keys = PrivateKeys.at(tmp_path / "gmc.key")
    event = sent_to(keys.published)
    with pytest.raises(NotOpened):
        keys.opened({**event, "data": change(event["data"])})


@pytest.mark.parametrize("held", ["", "{}", "[]", "[1]", "not JSON", "public"])
def test_a_file_without_a_private_key_is_refused(tmp_path: Path, held: str) -> None:
    file = tmp_path / "keys"
    public = OKPKey.generate_key("X25519", private=True).as_dict(private=False)
    file.write_text(json.dumps(public) if held == "public" else held)
    with pytest.raises(ValueError, match=r"\w"):
        PrivateKeys.at(file)
