"""The libraries of Standard Webhooks verify what a running notifier sends, and nothing else; and so do we."""

from dataclasses import replace

import pytest

from tests.interop.libraries import Case, Verdicts, npm, pypi
from tests.interop.traffic import ORGS, OTHER_SECRET, Delivery, Traffic

pytestmark = [pytest.mark.interop, pytest.mark.stack]
BOTH = pytest.mark.parametrize("library", [pypi, npm])
TOLERANCE_SECONDS = 300

A_SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
A_SIGNATURE = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
A_HEADERS = {
    "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
    "webhook-timestamp": "1614265330",
    "webhook-signature": A_SIGNATURE,
}
A = Case(A_HEADERS, b'{"test": 2432232314}', A_SECRET, 1614265330)
B = replace(
    A.changed(
        webhook_signature="v1a,hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw/enGzPCXe5BdqzCInXqYXFymVJaA7AZdpXwVLPo3mNl8EM+m7TBAg=="
    ),
    key="whpk_1SiA4o9hyqTCpIqC5V9HUakiiaeACeqfZTInDBbOir4=",
)
C_HEADERS = {
    "webhook-id": "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
    "webhook-timestamp": "1649367553",
    "webhook-signature": "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
}
C_BODY = b'{"email":"test@example.com","username":"test_user"}'
C = Case(C_HEADERS, C_BODY, "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", 1649367553)
P1 = A.changed(webhook_signature=f"v1,{'A' * 43}= {A_SIGNATURE} v2,other")
REFUSED = {
    "n1": A.changed(webhook_signature="v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA="),
    "n2": A.changed(webhook_signature="v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLawdd"),
    "n3": A.changed(webhook_signature="v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
    "n4 late": replace(A, now=A.now + TOLERANCE_SECONDS + 1),
    "n4 early": replace(A, now=A.now - TOLERANCE_SECONDS - 1),
    "n4 no id": A.changed(webhook_id=""),
    "n4 no time": A.changed(webhook_timestamp=""),
    "n4 no signature": A.changed(webhook_signature=""),
    "n5 empty": replace(A, key=""),
    "n5 bare": replace(A, key="whsec_"),
}


@BOTH
def test_the_published_vectors_verify(library: Verdicts) -> None:
    bare = replace(A, key=A_SECRET.removeprefix("whsec_"))
    assert library([A, C, P1, bare]) == [""] * 4


@BOTH
def test_the_published_vectors_that_must_not_verify_do_not(library: Verdicts) -> None:
    verdicts = dict(zip(REFUSED, library(list(REFUSED.values())), strict=True))
    assert [name for name, refused in verdicts.items() if not refused] == []


def test_the_published_vector_of_v1a_verifies_with_another_implementation_of_ed25519() -> None:
    assert npm([B, replace(B, body=b'{"test": 2432232315}')]) == ["", "Error: No matching signature found"]


@pytest.mark.parametrize("org", ORGS)
def test_each_receiver_takes_what_it_is_sent_before_and_after_its_keys_are_changed(traffic: Traffic, org: str) -> None:
    assert (traffic.first[org].refused, traffic.overlapping[org].refused) == ("", "")


@pytest.mark.parametrize("org", ORGS)
def test_a_receiver_with_another_secret_refuses_and_the_notifier_writes_it_down(traffic: Traffic, org: str) -> None:
    assert "No matching signature" in traffic.refused[org].refused
    assert set(traffic.refused_statuses[org]) == {401}


@BOTH
def test_every_delivery_verifies_with_its_secret(traffic: Traffic, library: Verdicts) -> None:
    cases = [at_hand(traffic.first[org], traffic.receivers[org].keys[0]["secret"]) for org in ORGS]
    assert library(cases) == [""] * len(cases)


@BOTH
def test_while_keys_overlap_the_old_secret_and_the_new_one_verify(traffic: Traffic, library: Verdicts) -> None:
    keys = {org: [one["secret"] for one in traffic.receivers[org].keys] for org in ORGS}
    assert [len(set(secrets)) for secrets in keys.values()] == [2, 2]
    cases = [at_hand(traffic.overlapping[org], secret) for org in ORGS for secret in keys[org]]
    assert library(cases) == [""] * 4


@BOTH
def test_before_the_change_the_new_secret_verifies_nothing(traffic: Traffic, library: Verdicts) -> None:
    cases = [at_hand(traffic.first[org], traffic.receivers[org].keys[1]["secret"]) for org in ORGS]
    assert all("No matching signature" in refused for refused in library(cases))


@pytest.mark.parametrize("org", ORGS)
def test_v1a_verifies_with_the_published_keys_and_another_implementation_of_ed25519(traffic: Traffic, org: str) -> None:
    old, new = (one["public_key"] for one in traffic.receivers[org].keys)
    first, overlapping = traffic.first[org], traffic.overlapping[org]
    assert npm([at_hand(first, old), at_hand(overlapping, old), at_hand(overlapping, new)]) == [""] * 3
    assert npm([at_hand(first, new), tampered(at_hand(first, old))]) == ["Error: No matching signature found"] * 2


@BOTH
@pytest.mark.parametrize("org", ORGS)
def test_what_is_tampered_with_late_or_somebody_elses_is_refused(traffic: Traffic, library: Verdicts, org: str) -> None:
    delivery = traffic.first[org]
    good = at_hand(delivery, traffic.receivers[org].keys[0]["secret"])
    sent_at = int(delivery.headers["webhook-timestamp"])
    wrong = {
        "one byte of the body": tampered(good),
        "the id": good.changed(webhook_id="ntc_another"),
        "the time": good.changed(webhook_timestamp=str(sent_at + 1)),
        "too late": replace(good, now=sent_at + TOLERANCE_SECONDS + 1),
        "too early": replace(good, now=sent_at - TOLERANCE_SECONDS - 1),
        "another's secret": replace(good, key=OTHER_SECRET),
        "a body made anew": replace(good, body=good.body.replace(b'":', b'": ', 1)),
    }
    verdicts = dict(zip(wrong, library(list(wrong.values())), strict=True))
    assert [name for name, refused in verdicts.items() if not refused] == []
    assert library([replace(good, now=sent_at + TOLERANCE_SECONDS)]) == [""]


def at_hand(delivery: Delivery, key: str) -> Case:
    """A delivery as it is read at the moment that it states."""
    return Case(delivery.headers, delivery.body, key, int(delivery.headers["webhook-timestamp"]))


def tampered(case: Case) -> Case:
    """With one byte of the body changed."""
    return replace(case, body=case.body.replace(b'"1.0"', b'"1.1"', 1))
