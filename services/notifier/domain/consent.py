"""Whether an endpoint wants our deliveries: the CloudEvents handshake, or a signed challenge; pure.

Handshake: HTTP 1.1 Web Hooks for Event Delivery 1.0 section 4; status codes prove nothing, and an origin is compared
whole, never by its beginning. Challenge: the endpoint sends back the text that a signed test event holds.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from services.notifier.domain.model import Answer

ORIGIN_HEADER, RATE_HEADER = "WebHook-Request-Origin", "WebHook-Request-Rate"
ALLOWED_ORIGIN, ALLOWED_RATE = "WebHook-Allowed-Origin", "WebHook-Allowed-Rate"
CONSENT_HEADERS = (ALLOWED_ORIGIN, ALLOWED_RATE)
RATE_WANTED = 12_000
"""Deliveries a minute that we ask for."""
RATE_DIGITS_MAX = 9
TOO_MANY, SERVER_ERRORS = 429, 500


@dataclass(frozen=True, slots=True)
class Consent:
    """The endpoint wants our deliveries, at most so many a minute; None for any number."""

    rate_per_minute: int | None


@dataclass(frozen=True, slots=True)
class NoConsent:
    """It does not, or did not say so; the text says what was missing."""

    because: str


def read_handshake(answer: Answer, *, origin: str) -> Consent | NoConsent:
    """What the answer to our OPTIONS request says."""
    if answer.status is None:
        return NoConsent(answer.error)
    if 300 <= answer.status <= 399:
        return NoConsent("it answered with a redirect, which is not followed")
    allowed, rate = answer.headers.get(ALLOWED_ORIGIN, "").strip(), answer.headers.get(ALLOWED_RATE, "").strip()
    if not allowed:
        return NoConsent(f"its answer has no {ALLOWED_ORIGIN}")
    if allowed not in ("*", origin):
        return NoConsent(f"its {ALLOWED_ORIGIN} is another one than {origin}")
    if rate == "*":
        return Consent(None)
    if not (rate.isascii() and rate.isdigit() and len(rate) <= RATE_DIGITS_MAX and int(rate)):
        return NoConsent(f"its {ALLOWED_RATE} is neither a positive number nor *")
    return Consent(int(rate))


def read_challenge(answer: Answer, *, challenge: str) -> Consent | NoConsent:
    """What the answer to a signed challenge says: a 2xx with `{"challenge": ...}` as it was sent."""
    if answer.status is None:
        return NoConsent(answer.error)
    if not 200 <= answer.status <= 299:
        return NoConsent(f"it answered {answer.status}")
    said = _json(answer.body).get("challenge")
    if isinstance(said, str) and hmac.compare_digest(said.encode(), challenge.encode()):
        return Consent(None)
    return NoConsent("its answer does not hold the challenge")


def is_there(answer: Answer) -> bool:
    """Whether a probe found somebody: any answer but that of a server, or of something before it, in trouble."""
    return answer.status is not None and answer.status < SERVER_ERRORS and answer.status != TOO_MANY


def _json(body: bytes) -> Mapping[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}
