"""The keys of the notifier: what opens sealed detail, keeps endpoint secrets, and makes tokens for recipients."""

import secrets
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from services.notifier.ports import Json
from shared.sealing import NONCE_BYTES, NotOpened, SecretKey, unseal

PSEUDONYM_LENGTH = 32


@dataclass(frozen=True, slots=True)
class KeyedOpener:
    """Opens with the key-encrypting key; tokens are an HMAC keyed apart for each recipient."""

    sealing: SecretKey
    tokens: SecretKey

    def open(self, sealed: dict[str, str], *, concern_id: str, version: int) -> Json:
        """The sealed detail. Raises NotOpened."""
        return unseal(sealed, self.sealing, bound_to=f"{concern_id}/{version}")

    def pseudonym(self, recipient: str, klass: str, value: str) -> str:
        """The same value gives one recipient the same token each time, and two recipients different ones."""
        mac = self.tokens.mac(b"pseudonym", recipient.encode(), klass.encode(), value.encode())
        return "tok_" + mac.hex()[:PSEUDONYM_LENGTH]


@dataclass(frozen=True, slots=True)
class SecretBox:
    """Encrypts endpoint secrets at rest (AES-256-GCM), each bound to its endpoint."""

    key: SecretKey

    def shut(self, secret: bytes, *, endpoint_id: str) -> bytes:
        """Nonce and ciphertext."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        return nonce + AESGCM(self.key.value).encrypt(nonce, secret, endpoint_id.encode())

    def open(self, kept: bytes, *, endpoint_id: str) -> bytes:
        """The secret. Raises NotOpened."""
        try:
            return AESGCM(self.key.value).decrypt(kept[:NONCE_BYTES], kept[NONCE_BYTES:], endpoint_id.encode())
        except InvalidTag:
            raise NotOpened("the endpoint's secret was kept under another key") from None
