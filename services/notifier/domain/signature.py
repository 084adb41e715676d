"""Signatures of Standard Webhooks 1.0.0 over `id.timestamp.body`: `v1` is HMAC-SHA256, `v1a` is Ed25519."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from functools import lru_cache

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from services.notifier.domain.model import Keys

SECRET_PREFIX = "whsec_"  # noqa: S105 - the public prefix of the specification
PRIVATE_PREFIX, PUBLIC_PREFIX = "whsk_", "whpk_"
SECRET_BYTES = 32
SECRET_BYTES_MIN, SECRET_BYTES_MAX = 16, 64
"""Standard Webhooks asks for 24 to 64; one of its own published vectors has 23."""
SEED_BYTES = 32
KEYS_CACHED_MAX = 4096
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
    secret = _decoded(text.removeprefix(SECRET_PREFIX))
    if not SECRET_BYTES_MIN <= len(secret) <= SECRET_BYTES_MAX:
        raise SecretRefused(f"a secret has {SECRET_BYTES_MIN} to {SECRET_BYTES_MAX} bytes, this one {len(secret)}")
    return secret


def private_text(seed: bytes) -> str:
    """An Ed25519 key as Standard Webhooks writes it: `whsk_` and base64 of seed and public key."""
    return PRIVATE_PREFIX + base64.b64encode(seed + _public(seed)).decode()


def seed_bytes(text: str) -> bytes:
    """Read the seed out of a `whsk_` text. Raises SecretRefused."""
    both = _decoded(text.removeprefix(PRIVATE_PREFIX))
    if len(both) != 2 * SEED_BYTES or _public(both[:SEED_BYTES]) != both[SEED_BYTES:]:
        raise SecretRefused("the private key is no seed with its public key")
    return both[:SEED_BYTES]


def public_text(seed: bytes) -> str:
    """The public key that goes with a seed: `whpk_` and base64."""
    return PUBLIC_PREFIX + base64.b64encode(_public(seed)).decode()


def public_bytes(text: str) -> bytes:
    """Read a `whpk_` text. Raises SecretRefused."""
    key = _decoded(text.removeprefix(PUBLIC_PREFIX))
    if len(key) != SEED_BYTES:
        raise SecretRefused(f"a public key has {SEED_BYTES} bytes")
    return key


def sign_a(seed: bytes, *, webhook_id: str, timestamp: int, body: bytes) -> str:
    """The `v1a` signature of a message at an attempt's time (Unix seconds)."""
    content = b"%b.%d.%b" % (webhook_id.encode(), timestamp, body)
    return "v1a," + base64.b64encode(_private(seed).sign(content)).decode()


def sign(secret: bytes, *, webhook_id: str, timestamp: int, body: bytes) -> str:
    """The `v1` signature of a message at an attempt's time (Unix seconds)."""
    content = b"%b.%d.%b" % (webhook_id.encode(), timestamp, body)
    return "v1," + base64.b64encode(hmac.digest(secret, content, hashlib.sha256)).decode()


def signed_headers(keys: Sequence[Keys], *, webhook_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers that go with the body; while keys are being changed, old and new ones sign side by side."""
    hmacs = [sign(one.secret, webhook_id=webhook_id, timestamp=timestamp, body=body) for one in keys]
    curves = [sign_a(one.seed, webhook_id=webhook_id, timestamp=timestamp, body=body) for one in keys]
    return {
        ID_HEADER: webhook_id,
        TIMESTAMP_HEADER: str(timestamp),
        SIGNATURE_HEADER: " ".join((*hmacs, *curves)),
    }


def verify(
    secrets: Sequence[bytes],
    headers: Mapping[str, str],
    body: bytes,
    *,
    now_seconds: float,
    public_keys: Sequence[bytes] = (),
) -> None:
    """Check a delivery as its receiver: any secret may match any `v1`, any public key any `v1a` of the list.

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
    if any(hmac.compare_digest(one, other) for one in wanted for other in listed):
        return
    content = b"%b.%b.%b" % (webhook_id.encode(), timestamp.encode(), body)
    if not any(_proves(key, part, content) for key in public_keys for part in listed):
        raise SignatureRefused("no signature matches")


def _proves(public_key: bytes, part: bytes, content: bytes) -> bool:
    scheme, _, encoded = part.partition(b",")
    if scheme != b"v1a":
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(base64.b64decode(encoded, validate=True), content)
    except (InvalidSignature, binascii.Error, ValueError):
        return False
    return True


def _decoded(text: str) -> bytes:
    encoded = text.rstrip("=").translate(str.maketrans("-_", "+/"))
    try:
        return base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except (binascii.Error, ValueError):
        raise SecretRefused("the secret is no base64") from None


@lru_cache(KEYS_CACHED_MAX)
def _private(seed: bytes) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(seed)


def _public(seed: bytes) -> bytes:
    return _private(seed).public_key().public_bytes_raw()
