"""What a change would do, as it is reported: complete, the same each time, and nothing left out in silence."""

import copy
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import pytest

from services.registry.adapters.seed_files import read_objects
from services.registry.domain.change_difference import Ground, Past, PastConcern, difference, failed_examples, moved
from shared.agreements import Snapshot, decide, facts_of, load
from shared.canonical import canonical

SEED = read_objects()
AGREEMENTS = [row for row in SEED if row["kind"] == "agreement"]
CONCERNS = [example["concern"] for row in AGREEMENTS for example in row["examples"]]


@cache
def base() -> Snapshot:
    return Snapshot(load(SEED), 1, "")


def test_no_change_makes_no_difference_and_the_report_is_the_same_to_the_byte() -> None:
    past = Past("a", "b", [PastConcern(f"con_{n}", 1, "", row) for n, row in enumerate(CONCERNS)])
    ground = Ground(base(), {})
    found = difference(ground, ground, past)
    assert (found["rows"], found["passes"], found["totals"]["concerns"]) == ([], True, 0)
    assert found["history"] == {
        "state": "read",
        "since": "a",
        "until": "b",
        "looked_at": len(CONCERNS),
        "left_out": 0,
        "unreadable": 0,
    }
    assert canonical(found) == canonical(difference(ground, ground, past))
    assert found["examples"] == {"run": len(CONCERNS), "failed": []}


@dataclass(frozen=True, slots=True)
class Noted:
    key: str
    said: int

    def to_json(self) -> dict[str, Any]:
        return {"said": self.said}


def noted(*said: int) -> dict[str, Noted]:
    return {f"key-{number}": Noted(f"key-{number}", number) for number in said}


def test_findings_are_told_apart_by_their_key_and_too_many_are_not_listed() -> None:
    nothing = Past("a", "b", known=False)
    found = difference(Ground(base(), noted(1, 2)), Ground(base(), noted(2, 3)), nothing)
    assert found["findings"] == {"state": "listed", "new": [{"said": 3}], "ended": [{"said": 1}]}
    assert found["history"] == {"state": "none"}
    assert difference(Ground(base(), None), Ground(base(), noted(1)), nothing)["findings"] == {"state": "too-many"}


@pytest.mark.parametrize("routing", [{}, {"originator": "cqc"}, {"originator": "cqc", "received_at": "yesterday"}])
def test_a_concern_that_cannot_be_read_is_counted_and_not_left_out_in_silence(routing: Mapping[str, Any]) -> None:
    assert moved(base(), base(), [PastConcern("con_1", 1, "", routing)]) == ([], 1)


def test_a_body_that_only_the_changed_graph_has_is_listed_when_it_would_be_told() -> None:
    routing = next(concern for concern in CONCERNS if decide(base(), facts_of(concern)).told)
    told = decide(base(), facts_of(routing)).told[0].org
    others = {name: body for name, body in base().graph.organisations.items() if name != told}
    silent = replace(base().graph, organisations=others, agreements={}, duties={}, bars={}, successions=())
    rows, _ = moved(Snapshot(silent, 0, ""), base(), [PastConcern("con_1", 1, "", routing)])
    assert ("no_path", "told") in {(row["before"], row["after"]) for row in rows if row["org"] == told}


def test_an_example_within_a_suspension_passes_by_its_terms_and_a_wrong_one_fails_still() -> None:
    row = copy.deepcopy(dict(next(row for row in AGREEMENTS if row["id"] == "jwp-cqc-gmc")))
    row["suspended"] = [{"from": "2000-01-01", "to": None}]
    others = [o for o in SEED if o["id"] != row["id"] or o["kind"] != "agreement"]
    assert list(failed_examples(load([*others, row]), [row["id"]])) == []
    row["examples"][0]["expect"]["told"] = ["nmc"]
    assert [f["agreement"] for f in failed_examples(load([*others, row]), [row["id"]])] == ["jwp-cqc-gmc"]


def test_an_example_that_cannot_be_read_fails_and_stops_no_assessment() -> None:
    row = copy.deepcopy(dict(next(row for row in AGREEMENTS if row["id"] == "jwp-cqc-gmc")))
    row["examples"][0]["concern"]["received_at"] = "2025-03-30T01:30:00"
    others = [o for o in SEED if o["id"] != row["id"] or o["kind"] != "agreement"]
    changed = Ground(Snapshot(load([*others, row]), 2, ""), {})
    report = difference(Ground(base(), {}), changed, Past("a", "b", []))
    (failed,) = report["examples"]["failed"]
    assert failed["detail"] == "its concern cannot be read: see that `received_at` is an instant with its offset"
    assert not report["passes"]
