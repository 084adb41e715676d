"""Encrypted to the endpoint's key: only its holder reads the data, each message has one copy for each key."""

from functools import partial
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from services.notifier.domain.encryption import encrypted, key_text, kid_of
from services.notifier.domain.errors import KeyRefused
from services.notifier.domain.message import cloud_event
from services.notifier.domain.model import Answer, Leased, Result, Returned, Target
from services.notifier.domain.signature import verify
from services.notifier.usecases import attempt_notice, send_notice
from services.notifier.usecases.told import fact_of
from shared.faults import StoreUnavailable
from tests.support.clock import NOON, FrozenClock
from tests.support.notifier_fakes import KEYS, SECRET, InMemoryStore, ScriptedWire, a_leased, a_target

OURS: list[OKPKey | ECKey] = [OKPKey.generate_key("X25519", private=True), ECKey.generate_key("P-256", private=True)]
OTHER = OKPKey.generate_key("X25519", private=True)
EACH = pytest.mark.parametrize("ours", OURS, ids=["X25519", "P-256"])
ALGORITHMS = ["ECDH-ES", "A256GCM"]
PUBLIC = {"kty": "OKP", "crv": "X25519", "x": "hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo"}


def public(key: OKPKey | ECKey) -> str:
    return key_text(key.as_dict(private=False))


def body(data: object) -> bytes:
    return orjson.dumps(cloud_event("tell", notice_id="ntc_1", concern_id="con_1", time="t", data={"held": data}))


def opened(sent: bytes, key: OKPKey | ECKey) -> Any:
    read = jwe.decrypt_compact(orjson.loads(sent)["data"], key, algorithms=ALGORITHMS)
    return orjson.loads(read.plaintext or b"")


@EACH
@given(data=st.text() | st.lists(st.integers(-(2**53), 2**53)))
def test_its_holder_reads_the_data_and_all_else_is_as_it_was(ours: OKPKey | ECKey, data: object) -> None:
    clear, sent = body(data), encrypted(body(data), public(ours))
    assert opened(sent, ours) == orjson.loads(clear)["data"]
    before, after = orjson.loads(clear), orjson.loads(sent)
    assert {**after, "data": 0, "datacontenttype": 0} == {**before, "data": 0, "datacontenttype": 0}
    assert after["datacontenttype"] == "application/jose"


@EACH
def test_nobody_else_reads_it_and_nothing_of_it_stands_in_clear(ours: OKPKey | ECKey) -> None:
    sent = encrypted(body("4012345"), public(ours))
    assert b"4012345" not in sent
    assert b"held" not in sent
    with pytest.raises(JoseError):
        opened(sent, OTHER if isinstance(ours, OKPKey) else ECKey.generate_key("P-256", private=True))
    header = jwe.decrypt_compact(orjson.loads(sent)["data"], ours, algorithms=ALGORITHMS).protected
    assert (header["alg"], header["enc"], header["kid"], header["cty"]) == (
        "ECDH-ES", "A256GCM", ours.thumbprint(), "application/json",
    )  # fmt: skip


@EACH
def test_a_key_is_named_by_its_thumbprint_and_kept_in_one_way_of_writing(ours: OKPKey | ECKey) -> None:
    said = ours.as_dict(private=False)
    more = {"kid": "mine", "use": "enc", "alg": "ECDH-ES", **dict(reversed(said.items()))}
    assert key_text(more) == key_text(said)
    assert kid_of(key_text(more)) == ours.thumbprint()


@pytest.mark.parametrize(
    ("jwk", "words"),
    [
        ({**PUBLIC, "d": "secret"}, "private key"),
        ({**PUBLIC, "use": "sig"}, "for signatures"),
        ({**PUBLIC, "crv": "Ed25519"}, "of the kind"),
        ({"kty": "RSA", "n": "x", "e": "AQAB"}, "of the kind"),
        ({"kty": "oct", "k": "AAAA"}, "of the kind"),
        ({}, "of the kind"),
        ({**PUBLIC, "x": "AAAA"}, "no point"),
        ({**PUBLIC, "x": 5}, "no point"),
        ({"kty": "OKP", "crv": "X25519"}, "no point"),
        ({"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}, "no point"),
        ({"kty": ["EC"], "crv": {"a": 1}}, "of the kind"),
    ],
)
def test_what_is_no_key_to_encrypt_to_is_refused_with_the_reason(jwk: dict[str, Any], words: str) -> None:
    with pytest.raises(KeyRefused, match=words):
        key_text(jwk)


class Sender:
    """A notifier in memory that sends one notice to a key, again and again."""

    def __init__(self) -> None:
        self.store, self.wire, self.clock = InMemoryStore(), ScriptedWire([Answer(500)] * 9), FrozenClock()
        self.notice: Leased = a_leased(body=body("4012345"))

    async def attempt(self, key: str) -> Result:
        target = Target(a_target().endpoint_id, "gmc", "https://receiver.example/", (KEYS,), encryption_key=key)
        send = partial(send_notice, wire=self.wire, store=self.store)
        return await attempt_notice(self.notice, target, send=send, clock=self.clock, chance=lambda: 0)

    @property
    def bodies(self) -> list[bytes]:
        return [sent for _, _, sent in self.wire.sent]


async def test_each_attempt_sends_the_same_copy_and_a_changed_key_makes_another_under_the_same_id() -> None:
    sender = Sender()
    for key in (OURS[0], OURS[0], OTHER, OURS[0]):
        await sender.attempt(public(key))
    first, again, changed, back = sender.bodies
    assert first == again == back != changed
    assert opened(first, OURS[0]) == opened(changed, OTHER)
    assert {headers["webhook-id"] for _, headers, _ in sender.wire.sent} == {sender.notice.notice_id}


async def test_what_is_signed_is_the_copy_that_is_sent_and_the_record_holds_both_digests() -> None:
    sender = Sender()
    result = await sender.attempt(public(OURS[0]))
    ((_, headers, sent),) = sender.wire.sent
    verify([SECRET], headers, sent, now_seconds=NOON.timestamp())
    fact = fact_of(result)
    assert result.attempt is not None
    assert fact.body["copy_digest"] == result.attempt.copy_digest != fact.body["body_digest"]


async def test_without_a_key_the_message_goes_out_as_it_is_and_no_copy_is_made() -> None:
    sender = Sender()
    result = await sender.attempt("")
    assert (sender.bodies, sender.store.copies) == ([sender.notice.body], {})
    assert "copy_digest" not in fact_of(result).body


async def test_where_the_copy_cannot_be_kept_nothing_is_sent_and_the_notice_goes_back() -> None:
    sender = Sender()
    sender.store.fault = StoreUnavailable()
    result = await sender.attempt(public(OURS[0]))
    assert isinstance(result.verdict, Returned)
    assert (result.attempt, sender.bodies) == (None, [])
