"""Another library of JOSE reads what is encrypted to its key, and the receivers verify it as it came."""

import json

import pytest
from jwcrypto.common import JWException
from jwcrypto.jwe import JWE
from jwcrypto.jwk import JWK

from tests.interop.traffic import ORGS, OWN_KEY, Delivery, Traffic

pytestmark = [pytest.mark.interop, pytest.mark.stack]


def opened(delivery: Delivery, key: JWK) -> JWE:
    token = JWE(algs=["ECDH-ES", "A256GCM"])
    token.deserialize(json.loads(delivery.body)["data"], key=key)
    return token


@pytest.mark.parametrize("org", ORGS)
def test_the_holder_of_the_key_reads_what_its_receiver_has_verified(traffic: Traffic, org: str) -> None:
    delivery, concern = traffic.encrypted[org], ORGS[org]
    assert delivery.refused == ""
    token = opened(delivery, OWN_KEY)
    data = json.loads(token.payload)
    assert (data["notice"]["recipient"], data["concern"]["originator"]) == (org, concern["originator"])
    header = json.loads(token.objects["protected"])
    assert (header["kid"], header["cty"]) == (OWN_KEY.thumbprint(), "application/json")


@pytest.mark.parametrize("org", ORGS)
def test_nobody_else_reads_it(traffic: Traffic, org: str) -> None:
    assert ORGS[org]["summary"].encode() not in traffic.encrypted[org].body
    with pytest.raises(JWException):
        opened(traffic.encrypted[org], JWK.generate(kty="OKP", crv="X25519"))
