"""Which meeting a kind of panel is on a day: the seed's forums on the days on which they changed."""

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from services.registry.adapters.seed_files import read_objects
from services.router.domain.forums import Forum, forum_on
from shared.agreements import Snapshot, load
from tests.support.router_fakes import judging


@pytest.fixture(scope="module")
def seed() -> Snapshot:
    return Snapshot(load(read_objects(Path("services/registry/seed"))), 1, "r")


def named(seed: Snapshot, kind: Any, day: date) -> Forum:
    found = forum_on(seed, kind, day)
    assert isinstance(found, Forum), found
    return found


def test_the_review_panel_is_made_of_the_signatories_of_the_edition_of_the_day(seed: Snapshot) -> None:
    early, late = named(seed, "rrp", date(2019, 1, 1)), named(seed, "rrp", date(2025, 1, 1))
    assert early.agreement != late.agreement == "ecp-2024"
    assert late.members is not None
    assert {"cqc", "gmc", "gcc"} <= late.members
    assert "nhs-england" not in late.members  # a successor inherits no signature under the protocol
    assert late.source == ("ecp-2021-cqc", "ecp-2018-lexology")
    assert isinstance(forum_on(seed, "rrp", date(2017, 1, 1)), str)


def test_a_surveillance_group_exists_from_2013_until_its_successor(seed: Snapshot) -> None:
    assert "begins in 2013-04" in str(forum_on(seed, "qsg_item", date(2013, 3, 31)))
    group = named(seed, "qsg_item", date(2020, 6, 1))
    assert group.members is not None
    assert "monitor" not in group.members  # replaced in 2016 and 2022 by those who act for it
    assert "superseded by System Quality Group in 2021" in str(forum_on(seed, "qsg_item", date(2022, 1, 1)))
    assert named(seed, "sqg_item", date(2022, 1, 1)).name == "System Quality Group"


def test_any_body_may_be_called_to_a_risk_summit(seed: Snapshot) -> None:
    summit = named(seed, "rapid_quality_review", date(2025, 1, 1))
    assert (summit.members, summit.name) == (None, "Risk Summit (now Rapid Quality Review)")


def test_an_extraordinary_summit_is_of_the_members_of_the_welsh_summit(seed: Snapshot) -> None:
    summit = named(seed, "extraordinary_summit", date(2025, 1, 1))
    assert summit.members is not None
    assert {"hiw", "gmc"} <= summit.members
    assert "cqc" not in summit.members


def test_a_graph_without_the_forum_convenes_nothing() -> None:
    assert forum_on(judging().get().snapshot, "rrp", date(2025, 1, 1)) == "the graph names no such forum"
