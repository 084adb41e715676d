"""Who should know, by nation and by register: remits of the seed graph, in the words of the rules on nations."""

from __future__ import annotations

from typing import Any

from shared.agreements import facts_of
from shared.agreements.case import Case
from tests.unit.agreements.seeds import seed

RECEIVED = "2025-06-02T10:00:00Z"
REGULATORS = frozenset(["gmc", "nmc", "gdc", "gphc", "goc", "gosc", "gcc", "hcpc", "swe", "psni"])


def should_know(category: str, nation: str, *registers: str) -> set[str]:
    """The bodies in whose remit the matter of a registrant on these registers lies."""
    subjects: list[dict[str, Any]] = [{"kind": "registrant", "registers": [name]} for name in registers]
    concern = {"originator": "cqc", "received_at": RECEIVED, "categories": [category], "nation": nation}
    case = Case(seed(), facts_of({**concern, "subjects": subjects}))
    return {org for org in case.graph.organisations if case.remit(org)} & REGULATORS


def test_a_pharmacist_in_belfast_is_a_matter_of_northern_ireland_and_elsewhere_of_great_britain() -> None:
    assert should_know("ftp-conduct", "northern-ireland", "psni") == {"psni"}
    assert should_know("ftp-conduct", "northern-ireland", "gphc") == set()
    assert should_know("ftp-conduct", "scotland", "gphc") == {"gphc"}


def test_a_nurse_is_a_matter_of_one_regulator_in_every_nation() -> None:
    for nation in ("england", "wales", "scotland", "northern-ireland"):
        assert should_know("ftp-conduct", nation, "nmc") == {"nmc"}


def test_a_social_worker_is_a_matter_of_the_register_of_england_in_england_alone() -> None:
    assert should_know("ftp-conduct", "england", "swe") == {"swe"}
    assert should_know("ftp-conduct", "wales", "swe") == set()


def test_what_another_regulator_found_is_a_matter_of_every_register_on_which_the_person_stands() -> None:
    assert should_know("other-regulator-determination", "england", "gmc", "gdc", "hcpc") == {"gmc", "gdc", "hcpc"}
    assert should_know("other-regulator-determination", "england", "gmc") == {"gmc"}
    for register in REGULATORS - {"psni"}:
        assert should_know("other-regulator-determination", "england", register) == {register}
