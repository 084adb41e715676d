"""A message whose data only its recipient can read: JWE (RFC 7516) to the key that the endpoint has published; pure.

ECDH-ES over X25519 or P-256 with AES-256-GCM. What is sent stays one signed CloudEvent: its `data` is the JWE.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson
from joserfc import jwe
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey

from services.notifier.domain.errors import KeyRefused

ALGORITHM, CONTENT = "ECDH-ES", "A256GCM"
MEDIA_TYPE = "application/jose"
KEYS_CACHED_MAX = 4096
_KINDS = {("OKP", "X25519"): ("kty", "crv", "x"), ("EC", "P-256"): ("kty", "crv", "x", "y")}


def key_text(jwk: Mapping[str, Any]) -> str:
    """The public key (RFC 7517) as it is kept: its own members alone, in one way of writing. Raises KeyRefused."""
    if "d" in jwk:
        raise KeyRefused("this holds the private key: make a new pair, and send its public part alone")
    if jwk.get("use", "enc") != "enc":
        raise KeyRefused("this key is for signatures: publish one whose use is `enc`")
    members = _KINDS.get((str(jwk.get("kty")), str(jwk.get("crv"))))
    if members is None:
        raise KeyRefused("a key is of the kind OKP with the curve X25519, or EC with P-256")
    text = orjson.dumps({name: jwk.get(name) for name in members}, option=orjson.OPT_SORT_KEYS).decode()
    try:
        _key(text)
    except (JoseError, ValueError):
        raise KeyRefused("the coordinates are no point of the curve") from None
    return text


def kid_of(key: str) -> str:
    """The name of a key: its thumbprint (RFC 7638)."""
    return _key(key).thumbprint()


def encrypted(body: bytes, key: str) -> bytes:
    """The message with its data encrypted to the key; all else stays as it was."""
    event = orjson.loads(body)
    header = {"alg": ALGORITHM, "enc": CONTENT, "kid": kid_of(key), "cty": event["datacontenttype"]}
    data = jwe.encrypt_compact(header, orjson.dumps(event["data"]), _key(key), algorithms=[ALGORITHM, CONTENT])
    return orjson.dumps({**event, "datacontenttype": MEDIA_TYPE, "data": data})


@lru_cache(KEYS_CACHED_MAX)
def _key(text: str) -> OKPKey | ECKey:
    jwk = orjson.loads(text)
    return OKPKey.import_key(jwk) if jwk["kty"] == "OKP" else ECKey.import_key(jwk)
