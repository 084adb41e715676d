"""The key that signs tokens: Ed25519, named by its thumbprint (RFC 8037, RFC 7638)."""

import base64
import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key

from shared.canonical import canonical


class SigningKeyUnusable(ValueError):
    """The file holds no Ed25519 private key in PEM; nothing of it is shown."""


class Ed25519Signer:
    """Signs access tokens and shows the public half."""

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.jwk = _jwk_of(key.public_key())

    @classmethod
    def from_file(cls, file: Path) -> "Ed25519Signer":
        """The signer of a PEM file. Raises SigningKeyUnusable."""
        try:
            key = load_pem_private_key(file.read_bytes(), password=None)
        except (OSError, ValueError, TypeError) as fault:
            raise SigningKeyUnusable(f"the signing key cannot be read: {type(fault).__name__}") from None
        if not isinstance(key, Ed25519PrivateKey):
            raise SigningKeyUnusable("the signing key is not an Ed25519 key")
        return cls(key)

    def sign(self, claims: Mapping[str, Any]) -> str:
        """The claims as a signed access token (RFC 9068: `typ` is `at+jwt`)."""
        headers = {"typ": "at+jwt", "kid": self.jwk["kid"]}
        return jwt.encode(dict(claims), self._key, algorithm="EdDSA", headers=headers)


def _jwk_of(key: Ed25519PublicKey) -> dict[str, str]:
    required = {"crv": "Ed25519", "kty": "OKP", "x": _base64url(key.public_bytes(Encoding.Raw, PublicFormat.Raw))}
    # RFC 7638 section 3: the hash of the required members in lexical order without spaces, which is our canonical form.
    kid = _base64url(hashlib.sha256(canonical(required)).digest())
    return {**required, "kid": kid, "use": "sig", "alg": "EdDSA"}


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
