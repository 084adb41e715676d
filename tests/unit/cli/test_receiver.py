"""The receiver: what it verifies, writes down and answers."""

import asyncio
import base64
import json
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from aiohttp import streams
from aiohttp.base_protocol import BaseProtocol
from aiohttp.test_utils import make_mocked_request
from click.testing import CliRunner

from deploy.cli.opener import PrivateKeys
from deploy.cli.receiver import Behaviour, Receiver, Secrets, receiver
from services.notifier.domain.encryption import encrypted, key_text
from services.notifier.domain.model import Keys
from services.notifier.domain.signature import public_text, secret_text, signed_headers
from tests.support.clock import NOON, FrozenClock

SECRET, OTHER, SEED = b"k" * 32, b"o" * 32, b"e" * 32
BODY = b'{"type":"uk.concordat.notice.told.v1","subject":"con_1","id":"ntc_1"}'


def signed(secret: bytes = SECRET, body: bytes = BODY) -> Mapping[str, str]:
    return signed_headers([Keys(secret, SEED)], webhook_id="ntc_1", timestamp=int(NOON.timestamp()), body=body)


def made(tmp_path: Path, held: object, behaviour: Behaviour | None = None) -> tuple[Receiver, BytesIO, Path]:
    file, out = tmp_path / "secrets.json", BytesIO()
    file.write_text(json.dumps(held))
    return Receiver(Secrets(file), out, behaviour or Behaviour(), FrozenClock(), as_json=True), out, file


async def posted(to: Receiver, path: str, headers: Mapping[str, str], body: bytes = BODY) -> int:
    payload = streams.StreamReader(BaseProtocol(loop=asyncio.get_running_loop()), 2**16)
    payload.feed_data(body)
    payload.feed_eof()
    answer = await to.handle(make_mocked_request("POST", path, headers=headers, payload=payload))
    return answer.status


def lines(out: BytesIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


async def test_a_good_delivery_is_written_down_whole_and_answered_204(tmp_path: Path) -> None:
    to, out, _ = made(tmp_path, {"gmc": secret_text(SECRET)})
    assert await posted(to, "/hooks/gmc", signed()) == 204
    (line,) = lines(out)
    assert (line["signature_ok"], line["webhook_id"], line["path"]) == (True, "ntc_1", "/hooks/gmc")
    assert base64.b64decode(line["body"]) == BODY
    assert (line["type"], line["subject"]) == ("uk.concordat.notice.told.v1", "con_1")


async def test_a_delivery_signed_for_another_organisation_is_refused_and_written_down(tmp_path: Path) -> None:
    to, out, _ = made(tmp_path, {"gmc": secret_text(SECRET), "nmc": secret_text(OTHER)})
    assert await posted(to, "/hooks/nmc", signed()) == 401
    assert [(line["signature_ok"], line["reason"]) for line in lines(out)] == [(False, "no signature matches")]


async def test_a_public_key_alone_verifies_and_anothers_does_not(tmp_path: Path) -> None:
    to, out, _ = made(tmp_path, {"gmc": public_text(SEED), "nmc": [public_text(OTHER)]})
    assert await posted(to, "/hooks/gmc", signed()) == 204
    assert await posted(to, "/hooks/nmc", signed()) == 401
    assert [line["signature_ok"] for line in lines(out)] == [True, False]


async def test_who_asks_whether_deliveries_are_welcome_is_told_so(tmp_path: Path) -> None:
    to, out, _ = made(tmp_path, {})
    asked = {"WebHook-Request-Origin": "concordat.example"}
    answer = await to.handle(make_mocked_request("OPTIONS", "/hooks/gmc", headers=asked))
    assert answer.headers["WebHook-Allowed-Origin"] == "concordat.example"
    assert answer.headers["WebHook-Allowed-Rate"] == "*"
    assert lines(out) == []
    assert (await to.handle(make_mocked_request("OPTIONS", "/hooks/gmc"))).status == 405


async def test_a_changed_body_is_refused(tmp_path: Path) -> None:
    to, _, _ = made(tmp_path, [secret_text(SECRET)])
    assert await posted(to, "/hooks/gmc", signed(), BODY + b" ") == 401


async def test_what_is_encrypted_is_written_down_decrypted_and_what_cannot_be_is_not_taken(tmp_path: Path) -> None:
    to, out, _ = made(tmp_path, [secret_text(SECRET)])
    to.keys, other = PrivateKeys.at(tmp_path / "key"), PrivateKeys.at(tmp_path / "other")
    event = b'{"type":"uk.concordat.notice.told.v1","datacontenttype":"application/json","data":{"who":"A nurse"}}'
    for key, status in ((to.keys.published, 204), (other.published, 415)):
        body = encrypted(event, key_text(key))
        assert await posted(to, "/hooks/gmc", signed(body=body), body) == status
    read, unread = lines(out)
    assert read["data"] == {"who": "A nurse"}
    assert unread["signature_ok"]
    assert "which is not in the key file" in unread["reason"]
    assert "data" not in unread


async def test_without_a_key_what_is_encrypted_is_kept_as_it_came(tmp_path: Path) -> None:
    to, out, _ = made(tmp_path, [secret_text(SECRET)])
    body = encrypted(
        b'{"datacontenttype":"application/json","data":1}', key_text(PrivateKeys.at(tmp_path / "k").published)
    )
    assert await posted(to, "/hooks/gmc", signed(body=body), body) == 204
    assert base64.b64decode(lines(out)[0]["body"]) == body


def test_a_file_that_holds_no_private_key_is_a_usage_error(tmp_path: Path) -> None:
    (tmp_path / "secrets.json").write_text(json.dumps(secret_text(SECRET)))
    (tmp_path / "key").write_text("{}")
    files = ["--secret-file", str(tmp_path / "secrets.json"), "--key-file", str(tmp_path / "key")]
    outcome = CliRunner().invoke(receiver, files)
    assert outcome.exit_code == 2
    assert "holds no private key" in outcome.output


async def test_a_secret_that_is_added_later_counts_from_then_on(tmp_path: Path) -> None:
    to, _, file = made(tmp_path, {})
    assert await posted(to, "/hooks/gmc", signed()) == 401
    file.write_text(json.dumps({"gmc": [secret_text(OTHER), secret_text(SECRET)]}))
    assert await posted(to, "/hooks/gmc", signed()) == 204


async def test_a_broken_secret_file_refuses_and_says_so(tmp_path: Path) -> None:
    to, out, file = made(tmp_path, {})
    file.write_text("{")
    assert await posted(to, "/hooks/gmc", signed()) == 401
    assert lines(out)[0]["reason"].startswith("the secret file cannot be read")


async def test_it_answers_with_the_status_it_was_told(tmp_path: Path) -> None:
    to, out, _ = made(tmp_path, [secret_text(SECRET)], Behaviour.parse("status:503"))
    assert await posted(to, "/hooks/gmc", signed()) == 503
    assert lines(out)[0]["signature_ok"]


async def test_it_says_that_it_is_alive(tmp_path: Path) -> None:
    to, out, _ = made(tmp_path, [])
    assert (await to.handle(make_mocked_request("GET", "/healthz"))).status == 200
    assert (await to.handle(make_mocked_request("GET", "/hooks/gmc"))).status == 405
    assert lines(out) == []


@pytest.mark.parametrize(
    ("text", "behaviour"),
    [
        ("hang", Behaviour(pause_seconds=None)),
        ("slow:1.5", Behaviour(pause_seconds=1.5)),
        ("status:410", Behaviour(410)),
    ],
)
def test_a_behaviour_is_read(text: str, behaviour: Behaviour) -> None:
    assert Behaviour.parse(text) == behaviour


@pytest.mark.parametrize("text", ["hang:1", "slow:", "status:99", "status:x", "explode"])
def test_a_behaviour_that_is_not_known_is_a_usage_error(text: str, tmp_path: Path) -> None:
    file = tmp_path / "secrets.json"
    file.write_text("[]")
    outcome = CliRunner().invoke(receiver, ["--secret-file", str(file), "--behave", text])
    assert outcome.exit_code == 2
