import base64
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from services.registry.adapters.signing import Ed25519Signer, SigningKeyUnusable

RFC8037_D = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"


def rfc8037_key() -> Ed25519PrivateKey:
    """The key of RFC 8037 appendix A.1."""
    return Ed25519PrivateKey.from_private_bytes(base64.urlsafe_b64decode(RFC8037_D + "="))


def test_the_key_is_named_by_the_thumbprint_of_rfc_8037_appendix_a_3() -> None:
    signer = Ed25519Signer(rfc8037_key())
    assert signer.jwk["x"] == "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
    assert signer.jwk["kid"] == "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"


def test_the_published_key_holds_nothing_private() -> None:
    assert set(Ed25519Signer(rfc8037_key()).jwk) == {"crv", "kty", "x", "kid", "use", "alg"}


def test_a_token_verifies_with_the_published_key() -> None:
    signer = Ed25519Signer(rfc8037_key())
    token = signer.sign({"sub": "case"})
    assert jwt.get_unverified_header(token) == {"alg": "EdDSA", "typ": "at+jwt", "kid": signer.jwk["kid"]}
    assert jwt.decode(token, jwt.PyJWK(dict(signer.jwk)), algorithms=["EdDSA"]) == {"sub": "case"}


def test_a_key_file_gives_the_same_signer(tmp_path: Path) -> None:
    pem = rfc8037_key().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    assert Ed25519Signer.from_file(tmp_path / "key.pem").jwk == Ed25519Signer(rfc8037_key()).jwk


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    pem = generate_private_key(SECP256R1()).private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "key.pem").write_bytes(pem)
    with pytest.raises(SigningKeyUnusable, match="not an Ed25519 key"):
        Ed25519Signer.from_file(tmp_path / "key.pem")


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n"])
def test_a_missing_or_broken_key_file_is_refused(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "key.pem").write_bytes(content)
    with pytest.raises(SigningKeyUnusable):
        Ed25519Signer.from_file(tmp_path / "key.pem")
