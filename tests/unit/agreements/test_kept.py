"""What is kept of a graph that is read as it is asked for has a bound, and what is read again is the same."""

import pytest

from shared.agreements import bodies, decide, facts_of, slices
from shared.agreements.kept import keep
from shared.agreements.load import lean
from tests.support.following import Followed
from tests.unit.agreements.seeds import objects


def test_agreements_that_were_read_are_kept_up_to_a_bound_and_read_again_alike(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lean, "MADE_KEPT_MAX", 3)
    agreements = Followed(list(map(dict, objects()))).snapshot.graph.agreements
    names = sorted(agreements)[:12]
    first = [agreements[name] for name in names]
    again = [agreements[name] for name in names]
    assert again == first
    assert not any(one is other for one, other in zip(again, first, strict=True))
    assert agreements[names[0]] is agreements[names[0]]


def test_the_reference_decides_alike_however_little_of_the_rights_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = [facts_of(example["concern"]) for row in objects() for example in row.get("examples", ())][::9]
    rows = list(map(dict, objects()))
    whole = Followed(rows).snapshot
    plenty = [decide(whole, facts) for facts in asked]
    monkeypatch.setattr(slices, "KEPT_MAX", 40)
    monkeypatch.setattr(bodies, "JOINED_KEPT_MAX", 5)
    few = Followed(rows).snapshot
    assert [decide(few, facts) for facts in asked] == plenty


def test_so_many_are_kept_and_then_all_of_them_go() -> None:
    kept: dict[str, int] = {}
    assert [keep(kept, name, number, 2) for number, name in enumerate("ab")] == [0, 1]
    assert kept == {"a": 0, "b": 1}
    assert keep(kept, "c", 2, 2) == 2
    assert kept == {"c": 2}


def test_what_another_thread_kept_meanwhile_stands() -> None:
    kept = {"a": 0}
    assert keep(kept, "a", 1, 2) == 0
    assert kept == {"a": 0}
