"""Signatures of Standard Webhooks 1.0.0, symmetric scheme `v1`: HMAC-SHA256 over `id.timestamp.body`."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence

SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix of the specification
SECRET_BYTES = 32
TOLERANCE_SECONDS = 300
TIMESTAMP_DIGITS_MAX = 12
ID_HEADER, TIMESTAMP_HEADER, SIGNATURE_HEADER = "webhook-id", "webhook-timestamp", "webhook-signature"


class SecretRefused(Exception):
    """The text is no secret of Standard Webhooks."""


class SignatureRefused(Exception):
    """The signature does not prove the bytes, a header is missing, or the timestamp is out of bounds."""


def secret_text(secret: bytes) -> str:
    """A secret as its owner is shown it: `whsec_` and padded standard base64."""
    return SECRET_PREFIX + base64.b64encode(secret).decode()


def secret_bytes(text: str) -> bytes:
    """Read a secret, also one without prefix or padding or in the URL-safe alphabet. Raises SecretRefused."""
    encoded = text.removeprefix(SECRET_PREFIX).rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        secret = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise SecretRefused("the secret is no base64") from None
    if not secret:
        raise SecretRefused("the secret is empty")
    return secret


def sign(secret: bytes, *, webhook_id: str, timestamp: int, body: bytes) -> str:
    """The `v1` signature of a message at an attempt's time (Unix seconds)."""
    content = b"%b.%d.%b" % (webhook_id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode()


def signed_headers(secret: bytes, *, webhook_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers that go with the body."""
    return {
        ID_HEADER: webhook_id,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: sign(secret, webhook_id=webhook_id, timestamp=timestamp, body=body),
    }


def verify(secrets: Sequence[bytes], headers: Mapping[str, str], body: bytes, *, now_seconds: float) -> None:
    """Check a delivery as its receiver: any secret may match any `v1` signature of the list.

    `headers` is read with lower-case names. Raises SignatureRefused with the reason.
    """
    webhook_id, timestamp = headers.get(ID_HEADER, ""), headers.get(TIMESTAMP_HEADER, "")
    given = headers.get(SIGNATURE_HEADER, "")
    if not (webhook_id and timestamp and given):
        raise SignatureRefused("a webhook header is missing")
    if not timestamp.isascii() or not timestamp.isdigit() or len(timestamp) > TIMESTAMP_DIGITS_MAX:
        raise SignatureRefused("the timestamp is no number of seconds")
    if abs(now_seconds - int(timestamp)) > TOLERANCE_SECONDS:
        raise SignatureRefused("the timestamp is too far from now")
    wanted = [sign(s, webhook_id=webhook_id, timestamp=int(timestamp), body=body).encode() for s in secrets]
    listed = [part.encode() for part in given.split(" ")]
    if not any(hmac.compare_digest(one, other) for one in wanted for other in listed):
        raise SignatureRefused("no signature matches")
