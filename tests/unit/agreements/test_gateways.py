"""Gateways with a clause of their own, or for agreements that they name, open for these and for nothing else."""

from __future__ import annotations

import pytest

from shared.agreements import explain, facts_of
from tests.rules.small import TOLD, Row, bar, clause, gateway, org, pact, verdict, world

ONLY_FEED, OTHER_PURPOSE = pact(clause(mode="feed")), pact(clause(purposes=["law"]))
PERMITS = clause(id="g1", when={"flags_all": ["certified"]})
FLAGS = {"kind": "vocabulary", "id": "flags", "terms": ["certified", "checked"]}


def entry(way: str) -> list[Row]:
    return [{"id": way, "decided_by": "A. Person", "reason": "stated"}]


@pytest.mark.parametrize("name", ["bar", "zone"])
def test_a_gateways_own_clause_opens_for_itself_alone_whichever_is_cited_first(name: str) -> None:
    way = gateway(decided_by="person", permits=clause(id="g1", to=["gamma"]))
    snapshot = world(org("alpha", bars=[name]), bar(way, id=name))
    assert verdict(snapshot, gateways=entry(f"{name}/way")) == ("withheld", "FORBIDDEN")


@pytest.mark.parametrize("narrow", [{"agreements": ["pact"]}, {"permits": PERMITS}])
def test_a_persons_entry_for_some_clauses_alone_is_no_word_on_the_body(narrow: Row) -> None:
    """Its silence is meant, and so no gap, where the clause that reaches the body fails by its purpose."""
    snapshot = world(org("alpha", bars=["bar"]), bar(gateway(decided_by="person", **narrow)), OTHER_PURPOSE)
    assert verdict(snapshot, gateways=entry("bar/way")) == ("withheld", "PURPOSE_NOT_COVERED")


def test_the_flag_that_a_gateways_own_clause_demands_opens_it_among_others_and_its_lack_keeps_it_shut() -> None:
    way = gateway(decided_by="person", permits=PERMITS)
    snapshot = world(FLAGS, org("alpha", bars=["bar"]), bar(way), ONLY_FEED)
    concern = {
        "originator": "alpha",
        "received_at": "2025-03-03T10:00:00Z",
        "categories": ["harm"],
        "nation": "england",
    }
    shut = {row.because.cite: row.failed for row in explain(snapshot, facts_of(concern), "beta")}
    assert verdict(snapshot, flags=["certified", "checked"]) == TOLD
    assert shut["bar/g1"] == ("flags_all", "bar")
