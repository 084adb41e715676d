"""The checker's own reading of Standard Webhooks, held against the vectors that the specification publishes."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from tests.checker.signature import TOLERANCE_SECONDS, Proof, fault_of

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
AT = 1614265330
BODY = b'{"test": 2432232314}'
HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": str(AT),
    "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
}
SEED = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC = "whpk_" + base64.b64encode(SEED.public_key().public_bytes_raw()).decode()


def with_curve(body: bytes) -> dict[str, str]:
    signed = b".".join((HEADERS["webhook-id"].encode(), str(AT).encode(), body))
    curve = base64.b64encode(SEED.sign(signed)).decode()
    return {**HEADERS, "webhook-signature": f"{HEADERS['webhook-signature']} v1a,{curve}"}


def test_the_published_vector_proves_its_bytes() -> None:
    assert fault_of(Proof(SECRET), HEADERS, BODY, at=AT) == ""


@given(st.integers(0, len(BODY) - 1), st.integers(1, 255))
def test_no_other_byte_is_proven(place: int, flip: int) -> None:
    other = bytes(b ^ flip if n == place else b for n, b in enumerate(BODY))
    assert fault_of(Proof(SECRET), HEADERS, other, at=AT)


@pytest.mark.parametrize("name", HEADERS)
def test_each_header_is_needed(name: str) -> None:
    assert name in fault_of(Proof(SECRET), {k: v for k, v in HEADERS.items() if k != name}, BODY, at=AT)


@pytest.mark.parametrize("seconds", [TOLERANCE_SECONDS + 1, -TOLERANCE_SECONDS - 1])
def test_an_old_or_future_delivery_proves_nothing(seconds: int) -> None:
    assert "timestamp" in fault_of(Proof(SECRET), HEADERS, BODY, at=AT + seconds)


def test_who_was_given_a_public_key_wants_the_second_signature_too() -> None:
    assert fault_of(Proof(SECRET, PUBLIC), with_curve(BODY), BODY, at=AT) == ""
    assert "v1a" in fault_of(Proof(SECRET, PUBLIC), HEADERS, BODY, at=AT)
    assert "v1a" in fault_of(Proof(SECRET, PUBLIC), with_curve(b"other"), BODY, at=AT)
