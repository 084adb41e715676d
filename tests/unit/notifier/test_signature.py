"""Standard Webhooks 1.0.0: the published vectors, and agreement with the official library."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks.webhooks import Webhook

from services.notifier.domain.model import Keys
from services.notifier.domain.signature import (
    TOLERANCE_SECONDS,
    SecretRefused,
    SignatureRefused,
    private_text,
    public_bytes,
    public_text,
    secret_bytes,
    secret_text,
    seed_bytes,
    sign,
    sign_a,
    signed_headers,
    verify,
)
from tests.support.notifier_fakes import KEYS

A_SECRET, A_ID, A_TIME = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
A_BODY, A_SIGNATURE = b'{"test": 2432232314}', "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
C_SECRET, C_ID, C_TIME = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk", 1649367553
C_BODY = b'{"email":"test@example.com","username":"test_user"}'
C_SIGNATURE = "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw="


def headers(signature: str = A_SIGNATURE, *, at: int = A_TIME) -> dict[str, str]:
    return {"webhook-id": A_ID, "webhook-timestamp": str(at), "webhook-signature": signature}


def check(signature: str, *, now: float = A_TIME) -> None:
    verify([secret_bytes(A_SECRET)], headers(signature), A_BODY, now_seconds=now)


def test_the_published_vectors_come_out() -> None:
    assert sign(secret_bytes(A_SECRET), webhook_id=A_ID, timestamp=A_TIME, body=A_BODY) == A_SIGNATURE
    assert sign(secret_bytes(C_SECRET), webhook_id=C_ID, timestamp=C_TIME, body=C_BODY) == C_SIGNATURE
    check(A_SIGNATURE)


@pytest.mark.parametrize(
    "signature",
    [
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA=",
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLawdd",
        "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v1,",
        "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
        "v1,é",
    ],
)
def test_a_signature_that_differs_is_refused(signature: str) -> None:
    with pytest.raises(SignatureRefused):
        check(signature)


def test_one_good_signature_in_a_list_is_enough() -> None:
    check(f"v1,bad {A_SIGNATURE} v2,other")


@pytest.mark.parametrize("away", [TOLERANCE_SECONDS + 1, -TOLERANCE_SECONDS - 1])
def test_a_timestamp_out_of_bounds_is_refused_and_one_at_the_bound_is_not(away: int) -> None:
    check(A_SIGNATURE, now=A_TIME + away + (1 if away < 0 else -1))
    with pytest.raises(SignatureRefused):
        check(A_SIGNATURE, now=A_TIME + away)


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_a_missing_header_is_refused(missing: str) -> None:
    rest = {name: value for name, value in headers().items() if name != missing}
    with pytest.raises(SignatureRefused):
        verify([secret_bytes(A_SECRET)], rest, A_BODY, now_seconds=A_TIME)


@pytest.mark.parametrize("timestamp", ["", "1e9", "-1", "١٢٣", "9" * 5000])
def test_a_timestamp_that_is_no_number_of_seconds_is_refused(timestamp: str) -> None:
    with pytest.raises(SignatureRefused):
        verify([b"k"], headers() | {"webhook-timestamp": timestamp}, A_BODY, now_seconds=A_TIME)


@pytest.mark.parametrize("text", ["", "whsec_", "whsec_*", "whsec_A", "whsec_===="])
def test_an_empty_or_malformed_secret_is_refused(text: str) -> None:
    with pytest.raises(SecretRefused):
        secret_bytes(text)


@given(st.binary(max_size=200))
def test_a_secret_of_another_length_than_16_to_64_bytes_is_refused_with_its_length(secret: bytes) -> None:
    if 16 <= len(secret) <= 64:
        assert secret_bytes(secret_text(secret)) == secret
    else:
        with pytest.raises(SecretRefused, match=f"16 to 64 bytes, this one {len(secret)}$"):
            secret_bytes(secret_text(secret))


@pytest.mark.parametrize(
    ("text", "padded"),
    [
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS="),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr=="),
        ("whsec_" + "-_-_" * 6, "+/+/" * 6),
    ],
)
def test_a_secret_without_padding_or_prefix_or_in_the_other_alphabet_is_read(text: str, padded: str) -> None:
    assert secret_bytes(text) == secret_bytes(padded)


@given(st.binary(min_size=24, max_size=64))
def test_a_secret_survives_being_shown(secret: bytes) -> None:
    assert secret_bytes(secret_text(secret)) == secret


@given(st.binary(min_size=24, max_size=64), st.text(max_size=50), st.integers(0, 2**31))
def test_our_signatures_and_those_of_the_official_library_are_the_same(secret: bytes, text: str, at: int) -> None:
    official = Webhook(secret_text(secret)).sign("msg_1", datetime.fromtimestamp(at, UTC), text)
    assert sign(secret, webhook_id="msg_1", timestamp=at, body=text.encode()) == official
    given_headers = {"webhook-id": "msg_1", "webhook-timestamp": str(at), "webhook-signature": official}
    verify([b"another secret of ours..", secret], given_headers, text.encode(), now_seconds=at)


@given(st.binary(min_size=1, max_size=100), st.integers(0, 99))
def test_a_changed_byte_is_always_found(body: bytes, at: int) -> None:
    changed = bytearray(body)
    changed[at % len(body)] ^= 1
    signature = sign(b"k" * 32, webhook_id=A_ID, timestamp=A_TIME, body=body)
    with pytest.raises(SignatureRefused):
        verify([b"k" * 32], headers(signature), bytes(changed), now_seconds=A_TIME)


B_PRIVATE = "whsk_6Xb/dCcHpPea21PS1N9VY/NZW723CEc77N4rJCubMbfVKIDij2HKpMKkioLlX0dRqSKJp4AJ6p9lMicMFs6Kvg=="
B_PUBLIC = "whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4="
B_SIGNATURE = "v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="


def check_a(signature: str, *, key: str = B_PUBLIC, body: bytes = A_BODY) -> None:
    verify([], headers(signature), body, now_seconds=A_TIME, public_keys=[public_bytes(key)])


def test_the_published_vector_of_the_curve_comes_out_and_verifies() -> None:
    seed = seed_bytes(B_PRIVATE)
    assert sign_a(seed, webhook_id=A_ID, timestamp=A_TIME, body=A_BODY) == B_SIGNATURE
    assert (private_text(seed), public_text(seed)) == (B_PRIVATE, B_PUBLIC)
    check_a(B_SIGNATURE)
    check_a(f"v1,bad v1a,bad {B_SIGNATURE}")


@pytest.mark.parametrize(
    ("signature", "body"),
    [
        (B_SIGNATURE.replace("v1a,", "v1,"), A_BODY),
        (B_SIGNATURE.replace("hnO3", "hnO4"), A_BODY),
        (B_SIGNATURE, A_BODY + b" "),
        ("v1a,", A_BODY),
        ("v1a,AAAA", A_BODY),
        ("v1a,é", A_BODY),
        (A_SIGNATURE, A_BODY),
    ],
)
def test_a_signature_of_the_curve_that_differs_is_refused(signature: str, body: bytes) -> None:
    with pytest.raises(SignatureRefused):
        check_a(signature, body=body)


@pytest.mark.parametrize("text", ["whsk_AAAA", "whsk_", "whsk_" + "A" * 86 + "==", "whsk_!"])
def test_what_is_no_seed_with_its_public_key_is_refused(text: str) -> None:
    with pytest.raises(SecretRefused):
        seed_bytes(text)


@pytest.mark.parametrize("text", ["whpk_AAAA", "whpk_", "whpk_!"])
def test_what_is_no_public_key_is_refused(text: str) -> None:
    with pytest.raises(SecretRefused):
        public_bytes(text)


def test_while_keys_change_each_of_them_alone_verifies() -> None:
    new = Keys(b"n" * 32, b"f" * 32)
    sent = signed_headers([new, KEYS], webhook_id="ntc_1", timestamp=A_TIME, body=b"x")
    for keys in (new, KEYS):
        verify([keys.secret], sent, b"x", now_seconds=A_TIME)
        verify([], sent, b"x", now_seconds=A_TIME, public_keys=[public_bytes(public_text(keys.seed))])
    for webhook in (Webhook(secret_text(new.secret)), Webhook(secret_text(KEYS.secret))):
        assert sent["webhook-signature"].count(webhook.sign("ntc_1", datetime.fromtimestamp(A_TIME, UTC), "x")) == 1
    with pytest.raises(SignatureRefused):
        verify([b"o" * 32], sent, b"x", now_seconds=A_TIME, public_keys=[public_bytes(public_text(b"o" * 32))])
