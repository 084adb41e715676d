"""What each instrument can carry, between public bodies and with another party."""

from __future__ import annotations

from tests.rules.small import TOLD, WORDS, Row, clause, duty, org, pact, remit, verdict, world

INSTRUMENTS = ("framework", "isa", "jwp", "mou", "protocol", "statutory")
NARROW, WIDE = ["personal_data"], WORDS["sensitivity_components"]
MISS = ("gap", "INSTRUMENT_INSUFFICIENT")


def under(instrument: str) -> list[Row]:
    """Alpha may tell beta under this instrument, and under no other."""
    if instrument == "statutory":
        return [duty(), pact(clause(mode="feed"))]
    return [pact(instrument=instrument)]


def test_an_instrument_carries_what_its_own_cap_allows_and_no_more() -> None:
    for instrument in INSTRUMENTS:
        caps = {**dict.fromkeys(INSTRUMENTS, WIDE), instrument: NARROW}
        snapshot = world(*under(instrument), instrument_caps={"public_parties_only": caps, "any_other_party": {}})
        assert verdict(snapshot, sensitivity=["personal_data"]) == TOLD
        assert verdict(snapshot, sensitivity=["child"]) == MISS


def test_with_another_party_the_other_cap_counts_for_every_instrument() -> None:
    beta = org("beta", remit(), sector="private")
    for instrument in INSTRUMENTS:
        caps = {**dict.fromkeys(INSTRUMENTS, WIDE), instrument: NARROW}
        policy = {"public_parties_only": dict.fromkeys(INSTRUMENTS, WIDE), "any_other_party": caps}
        snapshot = world(beta, *under(instrument), instrument_caps=policy)
        assert verdict(snapshot, sensitivity=["personal_data"]) == TOLD
        assert verdict(snapshot, sensitivity=["child"]) == MISS
