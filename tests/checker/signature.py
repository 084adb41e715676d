"""Standard Webhooks 1.0.0 as a receiver reads it, written from the specification: `v1` and `v1a` over id.time.body."""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

TOLERANCE_SECONDS = 300


@dataclass(frozen=True, slots=True, repr=False)
class Proof:
    """What a receiver was given when it registered; an empty public key: `v1a` is not looked at."""

    secret: str
    public_key: str = ""


def fault_of(proof: Proof, headers: Mapping[str, str], body: bytes, *, at: float) -> str:
    """Why a delivery proves nothing, or nothing when it does. Header names in lower case."""
    try:
        message_id, stamp, given = (headers[f"webhook-{name}"] for name in ("id", "timestamp", "signature"))
    except KeyError as missing:
        return f"the header {missing.args[0]} is missing"
    if not stamp.isdigit() or abs(at - int(stamp)) > TOLERANCE_SECONDS:
        return "its timestamp is too far from now"
    signed = b".".join((message_id.encode(), stamp.encode(), body))
    parts = [part.partition(",") for part in given.split(" ")]
    if not any(name == "v1" and _is_mac(proof.secret, signed, text) for name, _, text in parts):
        return "no v1 signature matches"
    if proof.public_key and not any(
        name == "v1a" and _is_signed(proof.public_key, signed, text) for name, _, text in parts
    ):
        return "no v1a signature matches"
    return ""


def _is_mac(secret: str, signed: bytes, text: str) -> bool:
    key = base64.b64decode(secret.removeprefix("whsec_"))
    return hmac.compare_digest(base64.b64encode(hmac.digest(key, signed, hashlib.sha256)), text.encode())


def _is_signed(public_key: str, signed: bytes, text: str) -> bool:
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public_key.removeprefix("whpk_")))
    try:
        key.verify(base64.b64decode(text, validate=True), signed)
    except (InvalidSignature, binascii.Error):
        return False
    return True
