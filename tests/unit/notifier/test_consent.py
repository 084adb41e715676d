"""Consent: an origin is compared whole, a rate must be stated, a status alone proves nothing."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.consent import Consent, NoConsent, read_challenge, read_handshake
from services.notifier.domain.model import Answer

ORIGIN = "concordat.example"
NAMES = ("WebHook-Allowed-Origin", "WebHook-Allowed-Rate")


def handshake(origin: str | None, rate: str | None, *, status: int | None = 200) -> Consent | NoConsent:
    given_ = {name: value for name, value in zip(NAMES, (origin, rate), strict=True) if value is not None}
    return read_handshake(Answer(status, headers=given_, error="no answer"), origin=ORIGIN)


@pytest.mark.parametrize(
    ("origin", "rate", "status", "granted"),
    [
        (ORIGIN, "120", 200, 120),
        ("*", "*", 204, None),
        (ORIGIN, "*", 405, None),
        ("*", "1", 500, 1),
    ],
)
def test_the_headers_are_the_consent_whatever_the_status(
    origin: str, rate: str, status: int, granted: int | None
) -> None:
    assert handshake(origin, rate, status=status) == Consent(granted)


@pytest.mark.parametrize(
    ("origin", "rate", "status"),
    [
        (None, "120", 200),
        ("", "120", 200),
        ("concordat.exampl", "120", 200),
        ("concordat.example.evil.example", "120", 200),
        ("evil-concordat.example", "120", 200),
        ("CONCORDAT.example", "120", 200),
        ("concordat.example, other.example", "120", 200),
        ("https://concordat.example", "120", 200),
        (ORIGIN, None, 200),
        (ORIGIN, "0", 200),
        (ORIGIN, "-1", 200),
        (ORIGIN, "1.5", 200),
        (ORIGIN, "١٢", 200),
        (ORIGIN, "9" * 30, 200),
        (ORIGIN, "120", 302),
        (ORIGIN, "120", None),
    ],
)
def test_anything_less_is_no_consent(origin: str | None, rate: str | None, status: int | None) -> None:
    assert isinstance(handshake(origin, rate, status=status), NoConsent)


@given(st.text(max_size=40), st.text(max_size=12))
def test_no_headers_make_it_fall_over(origin: str, rate: str) -> None:
    consent = handshake(origin, rate)
    assert isinstance(consent, NoConsent) or origin.strip() in (ORIGIN, "*")


def test_a_challenge_is_met_by_sending_back_its_text_and_by_nothing_else() -> None:
    def answered(status: int | None, body: bytes) -> Consent | NoConsent:
        return read_challenge(Answer(status, body), challenge="abc")

    assert answered(200, orjson.dumps({"challenge": "abc"})) == Consent(None)
    for status, body in (
        (200, b'{"challenge": "abd"}'),
        (200, b'{"challenge": ["abc"]}'),
        (200, b"abc"),
        (200, b"[]"),
        (200, b""),
        (204, b""),
        (404, b'{"challenge": "abc"}'),
        (None, b'{"challenge": "abc"}'),
    ):
        assert isinstance(answered(status, body), NoConsent)
