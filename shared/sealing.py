"""Sealing: identifiable detail under AES-256-GCM with a data key of its own, wrapped by the key-encrypting key.

Intake seals, only the notifier opens (CONTRACTS 1). The associated data binds the sealed part to its concern and
version, so that it cannot be moved to another.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
NONCE_BYTES = 12


class NotOpened(Exception):
    """The sealed part is damaged, belongs to another concern, or was sealed under a key that is not at hand."""


@dataclass(frozen=True, slots=True, repr=False)
class SecretKey:
    """A 256-bit key and its public name; it never shows its value."""

    kid: str
    value: bytes

    @classmethod
    def read(cls, file: Path) -> "SecretKey":
        """Read a key file: 32 bytes in standard base64. Raises ValueError when it is something else."""
        return cls.of(base64.b64decode(file.read_text().strip(), validate=True))

    @classmethod
    def of(cls, value: bytes) -> "SecretKey":
        """A key of 32 bytes, named by the first four bytes of its hash."""
        if len(value) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, this one has {len(value)}")
        return cls(hashlib.sha256(b"kid" + value).hexdigest()[:8], value)

    def mac(self, *parts: bytes) -> bytes:
        """HMAC-SHA256 over the parts, each with its length before it so that no two lists look alike."""
        said = b"".join([len(part).to_bytes(8, "big") + part for part in parts])
        return hmac.digest(self.value, said, "sha256")


def seal(detail: dict[str, Any], key: SecretKey, *, bound_to: str) -> dict[str, str]:
    """Seal a JSON object; gives the fields of `contracts.concern.Sealed`. `bound_to` names its concern and version."""
    fresh = secrets.token_bytes(KEY_BYTES + 2 * NONCE_BYTES)  # at once: each call is one of the kernel's
    data_key, nonces = fresh[:KEY_BYTES], fresh[KEY_BYTES:]
    wrap_nonce, nonce = nonces[:NONCE_BYTES], nonces[NONCE_BYTES:]
    wrapped = wrap_nonce + AESGCM(key.value).encrypt(wrap_nonce, data_key, bound_to.encode())
    ciphertext = AESGCM(data_key).encrypt(nonce, orjson.dumps(detail), bound_to.encode())
    return {
        "alg": "A256GCM",
        "kid": key.kid,
        "wrapped_key": base64.b64encode(wrapped).decode(),
        "nonce": base64.b64encode(nonce).decode(),
        "ciphertext": base64.b64encode(ciphertext).decode(),
    }


def unseal(sealed: dict[str, str], key: SecretKey, *, bound_to: str) -> dict[str, Any]:
    """Open what `seal` made. Raises NotOpened."""
    if sealed.get("kid") != key.kid:
        raise NotOpened(f"sealed under key {sealed.get('kid')}, at hand is {key.kid}")
    try:
        wrapped = base64.b64decode(sealed["wrapped_key"])
        data_key = AESGCM(key.value).decrypt(wrapped[:NONCE_BYTES], wrapped[NONCE_BYTES:], bound_to.encode())
        nonce, ciphertext = base64.b64decode(sealed["nonce"]), base64.b64decode(sealed["ciphertext"])
        detail: dict[str, Any] = orjson.loads(AESGCM(data_key).decrypt(nonce, ciphertext, bound_to.encode()))
    except (InvalidTag, KeyError, ValueError) as error:
        raise NotOpened("the sealed part is damaged or belongs to another concern") from error
    return detail
