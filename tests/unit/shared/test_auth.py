"""Tokens that somebody made up, against the verifier that every service stands behind (RFC 8725)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from shared.http.auth import TOKEN_BYTES_MAX, Verifier
from shared.http.problems import Problem
from tests.support.clock import NOON, FrozenClock
from tests.support.issuers import keys_at_hand

ISSUER, OTHER_ISSUER = "https://registry.test", "https://other.test"
KID, OTHER_KID = "key-1", "key-2"
KEY, OTHER_KEY = (Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32) for n in (1, 2))
NOW = int(NOON.timestamp())
CLAIMS: dict[str, Any] = {
    "iss": ISSUER,
    "sub": "case",
    "aud": "concordat",
    "iat": NOW,
    "nbf": NOW,
    "exp": NOW + 900,
    "jti": "tok_1",
    "org": "gmc",
    "scope": "concerns:write concerns:read",
    "roles": ["operator"],
}
HEADER: dict[str, Any] = {"alg": "EdDSA", "typ": "at+jwt", "kid": KID}


def b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def raw_public(key: Ed25519PrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)


def jwk(key: Ed25519PrivateKey, kid: str) -> dict[str, str]:
    return {"kty": "OKP", "crv": "Ed25519", "x": b64(raw_public(key)), "kid": kid}


@dataclass
class Bench:
    """A verifier of the tokens of two issuers, whose keys are at hand."""

    clock: FrozenClock = field(default_factory=FrozenClock)

    def verifier(self) -> Verifier:
        keys = keys_at_hand({ISSUER: jwk(KEY, KID), OTHER_ISSUER: jwk(OTHER_KEY, OTHER_KID)})
        return Verifier(keys, audience="concordat", clock=self.clock)


Sign = Callable[[bytes], bytes]


def forge(*, header: Any = None, claims: Any = None, sign: Sign = KEY.sign) -> str:
    """A token put together by hand; `header` and `claims` are laid over the good ones, None takes a member out."""
    parts = [{k: v for k, v in {**good, **(laid or {})}.items() if v is not None} for good, laid in
             ((HEADER, header), (CLAIMS, claims))]  # fmt: skip
    signed = ".".join(b64(json.dumps(part).encode()) for part in parts)
    return f"{signed}.{b64(sign(signed.encode()))}"


def hmac_by_public_key(data: bytes) -> bytes:
    return hmac.digest(raw_public(KEY), data, hashlib.sha256)


def hmac_by_pem(data: bytes) -> bytes:
    pem = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return hmac.digest(pem, data, hashlib.sha256)


def unsigned(_: bytes) -> bytes:
    return b""


def cut_signature(data: bytes) -> bytes:
    return KEY.sign(data)[:-1]


def longer_signature(data: bytes) -> bytes:
    return KEY.sign(data) + b"\0"


def signature_of_something_else(_: bytes) -> bytes:
    return KEY.sign(b"something else")


def no_signature_part() -> str:
    return forge().rpartition(".")[0]


def claims_put_in_later() -> str:
    header, _, signature = forge().split(".")
    return f"{header}.{b64(json.dumps({**CLAIMS, 'org': 'cqc'}).encode())}.{signature}"


FORGERIES: dict[str, str] = {
    "alg none, unsigned": forge(header={"alg": "none"}, sign=unsigned),
    "alg None, unsigned": forge(header={"alg": "None"}, sign=unsigned),
    "alg nOnE with a signature": forge(header={"alg": "nOnE"}),
    "alg empty": forge(header={"alg": ""}, sign=unsigned),
    "alg missing": forge(header={"alg": None}),
    "alg HS256 by the raw public key": forge(header={"alg": "HS256"}, sign=hmac_by_public_key),
    "alg HS256 by the PEM of the public key": forge(header={"alg": "HS256"}, sign=hmac_by_pem),
    "alg HS512 by the public key": forge(header={"alg": "HS512"}, sign=hmac_by_public_key),
    "alg ES256": forge(header={"alg": "ES256"}),
    "alg RS256": forge(header={"alg": "RS256"}),
    "alg EdDSA, hmac by the public key": forge(sign=hmac_by_public_key),
    "alg a number": forge(header={"alg": 1}),
    "alg a list": forge(header={"alg": ["EdDSA"]}),
    "signature empty": forge(sign=unsigned),
    "signature part missing": no_signature_part(),
    "signature cut": forge(sign=cut_signature),
    "signature longer": forge(sign=longer_signature),
    "signature of something else": forge(sign=signature_of_something_else),
    "signed by another key": forge(sign=OTHER_KEY.sign),
    "claims exchanged after signing": claims_put_in_later(),
    "typ JWT": forge(header={"typ": "JWT"}),
    "typ missing": forge(header={"typ": None}),
    "typ of an identity token": forge(header={"typ": "id+jwt"}),
    "kid missing": forge(header={"kid": None}),
    "kid unknown": forge(header={"kid": "key-9"}, sign=OTHER_KEY.sign),
    "kid a path": forge(header={"kid": "../../../dev/null"}),
    "kid a statement": forge(header={"kid": "' OR 1=1 --"}),
    "kid too long": forge(header={"kid": "k" * 65}),
    "kid with a line break": forge(header={"kid": KID + "\n"}),
    "kid a number": forge(header={"kid": 1}),
    "crit with an unknown extension": forge(header={"crit": ["x"], "x": 1}),
    "crit b64": forge(header={"crit": ["b64"], "b64": False}),
    "crit empty": forge(header={"crit": []}),
    "jwk of the forger in the header": forge(header={"jwk": jwk(OTHER_KEY, KID)}, sign=OTHER_KEY.sign),
    "jku of the forger": forge(header={"jku": "https://evil.test/jwks.json"}, sign=OTHER_KEY.sign),
    "x5u of the forger": forge(header={"x5u": "https://evil.test/cert.pem"}, sign=OTHER_KEY.sign),
    "iss unknown": forge(claims={"iss": "https://evil.test"}),
    "iss missing": forge(claims={"iss": None}),
    "iss with a slash more": forge(claims={"iss": ISSUER + "/"}),
    "iss in other letters": forge(claims={"iss": ISSUER.upper()}),
    "iss a list": forge(claims={"iss": [ISSUER]}),
    "iss of one issuer, key of the other": forge(header={"kid": OTHER_KID}, sign=OTHER_KEY.sign),
    "iss of the other issuer, key of this one": forge(claims={"iss": OTHER_ISSUER}),
    "aud of another service": forge(claims={"aud": "elsewhere"}),
    "aud missing": forge(claims={"aud": None}),
    "aud empty": forge(claims={"aud": []}),
    "aud a longer name": forge(claims={"aud": "concordat2"}),
    "exp past": forge(claims={"exp": NOW - 1}),
    "exp this very second": forge(claims={"exp": NOW}),
    "exp missing": forge(claims={"exp": None}),
    "exp a word": forge(claims={"exp": "tomorrow"}),
    "exp a list": forge(claims={"exp": [NOW + 900]}),
    "exp a table": forge(claims={"exp": {}}),
    "nbf to come": forge(claims={"nbf": NOW + 61}),
    "nbf a word": forge(claims={"nbf": "now"}),
    "nbf a list": forge(claims={"nbf": []}),
    "iat to come, no nbf": forge(claims={"nbf": None, "iat": NOW + 61}),
    "iat missing": forge(claims={"iat": None}),
    "sub missing": forge(claims={"sub": None}),
    "sub a number": forge(claims={"sub": 7}),
    "org missing": forge(claims={"org": None}),
    "org a list": forge(claims={"org": ["gmc", "cqc"]}),
    "roles a number": forge(claims={"roles": 1}),
    "roles a table": forge(claims={"roles": {"operator": True}}),
    "roles a word": forge(claims={"roles": "operator"}),
    "roles with a table in it": forge(claims={"roles": [{}]}),
    "scope a list": forge(claims={"scope": ["graph:write"]}),
    "not a token": "abc",
    "two dots alone": "..",
    "four dots": forge() + ".x.y",
    "header no JSON": "e30K." + forge().split(".", 1)[1],
    "header a list": f"{b64(b'[]')}.{b64(json.dumps(CLAIMS).encode())}.{b64(b'x' * 64)}",
    "claims a list": f"{b64(json.dumps(HEADER).encode())}.{b64(b'[]')}.{b64(b'x' * 64)}",
    "encrypted (JWE) in form": ".".join([b64(b'{"alg":"dir","enc":"A256GCM"}'), "", "a", "b", "c"]),
    "larger than the limit": forge(claims={"padding": "x" * TOKEN_BYTES_MAX}),
    "letters beyond ASCII": forge() + "é",
}


async def refused(authorization: str | None) -> Problem:
    with pytest.raises(Problem) as answer:
        await Bench().verifier().principal(authorization)
    return answer.value


async def test_a_good_token_says_who_is_calling() -> None:
    principal = await Bench().verifier().principal(f"Bearer {forge()}")
    assert (principal.subject, principal.org, principal.is_operator) == ("case", "gmc", True)
    assert principal.scopes == {"concerns:write", "concerns:read"}


async def test_the_hand_that_forges_here_makes_the_same_token_as_the_library() -> None:
    made = jwt.encode(CLAIMS, KEY, algorithm="EdDSA", headers={"typ": "at+jwt", "kid": KID})
    assert jwt.decode(forge(), options={"verify_signature": False}) == jwt.decode(
        made, options={"verify_signature": False}
    )
    assert (await Bench().verifier().principal(f"Bearer {made}")).org == "gmc"


async def test_a_token_for_several_services_and_from_a_second_issuer_is_good() -> None:
    other = {"iss": OTHER_ISSUER, "aud": ["elsewhere", "concordat"]}
    token = forge(header={"kid": OTHER_KID}, claims=other, sign=OTHER_KEY.sign)
    assert (await Bench().verifier().principal(f"Bearer {token}")).subject == "case"


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_forged_token_is_refused(name: str) -> None:
    problem = await refused(f"Bearer {FORGERIES[name]}")
    assert (problem.status, problem.slug) == (401, "unauthorised")
    assert "WWW-Authenticate" in problem.headers


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer ", f"Basic {forge()}", forge(), "bearer\t" + forge()])
async def test_a_header_without_a_bearer_token_is_refused(header: str | None) -> None:
    assert (await refused(header)).status == 401


async def test_a_token_that_was_good_is_refused_once_it_has_expired() -> None:
    bench = Bench()
    verifier = bench.verifier()
    await verifier.principal(f"Bearer {forge()}")
    bench.clock.move(timedelta(seconds=900))
    with pytest.raises(Problem):
        await verifier.principal(f"Bearer {forge()}")


async def test_a_good_token_does_not_open_the_way_for_one_that_differs_by_a_letter() -> None:
    verifier = Bench().verifier()
    await verifier.principal(f"Bearer {forge()}")
    with pytest.raises(Problem):
        await verifier.principal(f"Bearer {claims_put_in_later()}")


@given(st.binary(min_size=64, max_size=64))
async def test_no_guessed_signature_verifies(signature: bytes) -> None:
    assert (await refused(f"Bearer {forge(sign=lambda _: signature)}")).status == 401


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
async def test_nothing_that_is_no_token_breaks_the_verifier(one: str, two: str, three: str) -> None:
    assert (await refused(f"Bearer {one}.{two}.{three}")).status == 401
