"""A recipient's private keys, and what was encrypted to one of them: JWE (RFC 7516), ECDH-ES with A256GCM."""

import base64
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import orjson
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

ALGORITHMS = ["ECDH-ES", "A256GCM"]
MEDIA_TYPE = "application/jose"
CURVE: Final = "X25519"


class NotOpened(Exception):
    """What came is encrypted, and no key here reads it; the text says why."""


@dataclass(frozen=True, slots=True, repr=False)
class PrivateKeys:
    """By their thumbprints (RFC 7638), which a message names as `kid`; the first one is to be published."""

    keys: Mapping[str, OKPKey | ECKey]

    @classmethod
    def at(cls, file: Path) -> "PrivateKeys":
        """Read a private JWK or a JSON list of them; a file that is not there is made, with a new key.

        Raises ValueError for anything else.
        """
        if not file.exists():
            _write(file, dict(OKPKey.generate_key(CURVE, private=True).as_dict(private=True)))
        held = json.loads(file.read_text())
        rows = held if isinstance(held, list) else [held]
        try:
            read = [_key(row) for row in rows]
        except (JoseError, TypeError, AttributeError) as fault:
            raise ValueError(f"not a private JWK, nor a list of them: {type(fault).__name__}") from None
        if not read or not all(key.is_private for key in read):
            raise ValueError("each must be a private JWK: its member `d` is missing")
        return cls({key.thumbprint(): key for key in read})

    @property
    def published(self) -> dict[str, Any]:
        """The public part of the first: what is given as `encryption_key`."""
        return dict(next(iter(self.keys.values())).as_dict(private=False))

    def opened(self, event: Mapping[str, Any]) -> Any:
        """The data of an event, decrypted where it was encrypted. Raises NotOpened."""
        if event.get("datacontenttype") != MEDIA_TYPE:
            return event.get("data")
        text = str(event.get("data", ""))
        kid = _kid_of(text)
        if kid not in self.keys:
            raise NotOpened(f"it is encrypted to the key {kid or 'of no name'}, which is not in the key file")
        try:
            read = jwe.decrypt_compact(text, self.keys[kid], algorithms=ALGORITHMS)
            return orjson.loads(read.plaintext or b"")
        except (JoseError, ValueError) as fault:
            raise NotOpened(f"it cannot be decrypted: {type(fault).__name__}") from fault


def _key(row: Mapping[str, Any]) -> OKPKey | ECKey:
    return OKPKey.import_key(dict(row)) if row.get("kty") == "OKP" else ECKey.import_key(dict(row))


def _kid_of(text: str) -> str:
    header = text.partition(".")[0]
    try:
        return str(json.loads(base64.urlsafe_b64decode(header + "=" * (-len(header) % 4))).get("kid", ""))
    except (ValueError, AttributeError):
        return ""


def _write(file: Path, jwk: Mapping[str, Any]) -> None:
    """For its owner's eyes alone, from its first byte on; what is there already is never written over."""
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(json.dumps(jwk) + "\n")
