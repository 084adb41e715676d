"""A graph whose root is verified: agreements are read when they are asked for, and nothing is taken unread."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from shared.agreements import GraphInvalid
from shared.agreements.load import Checked, read, reread, roster_of
from shared.agreements.load.objects import rows_in
from shared.agreements.load.signed import AGREEMENT_KEYS, CLAUSE_KEYS, WHEN_KEYS
from tests.rules import small
from tests.rules.small import Row


def verified(*objects: Row) -> Checked:
    rows = rows_in(small.rows(*objects))
    return Checked(rows, roster_of(rows))


def after(base: Checked, *changed: Row) -> Checked:
    """The same with these put in."""
    touched = {(row["kind"], row["id"]) for row in changed}
    kinds = ("agreement", "duty", "bar", "organisation", "succession", "policy", "vocabulary", "forum", "source")
    kept = [row for kind in kinds for row in base.rows.of_kind(kind) if (kind, row["id"]) not in touched]
    return base.after(rows_in([*kept, *changed]), changed)


def with_keys(row: Row, keys: Sequence[str] | frozenset[str]) -> Row:
    return {**dict.fromkeys(keys), **row}


def test_the_record_of_an_agreement_is_what_is_written() -> None:
    record = read(verified()).agreements["pact"].record
    assert record["title"] == "Pact"
    assert dict(record) == small.pact()
    assert len(record) == len(small.pact())


def test_an_agreement_is_there_by_its_id_and_no_other_is() -> None:
    graph = read(verified(small.pact(id="other", lineage="other")))
    assert list(graph.agreements) == ["other", "pact"]
    assert len(graph.agreements) == 2
    assert "pact" in graph.agreements
    assert "nothing" not in graph.agreements
    assert None not in graph.agreements
    with pytest.raises(KeyError, match="nothing"):
        graph.agreements["nothing"]


def test_what_is_put_in_stands_in_the_order_of_ids_and_what_is_replaced_in_its_place() -> None:
    base = verified(small.follows("beta", "gamma"))
    graph = read(base)
    changed = small.org("aaron"), small.org("gamma", small.remit()), small.follows("alpha", "beta")
    now = reread(graph, after(base, *changed), changed)
    assert list(now.organisations) == ["aaron", "alpha", "beta", "gamma"]
    assert now.organisations["gamma"].remits != graph.organisations["gamma"].remits
    assert [row.id for row in now.successions] == ["alpha-beta", "beta-gamma"]
    again = small.org("beta")
    assert list(reread(graph, after(base, again), [again]).organisations) == ["alpha", "beta", "gamma"]
    assert reread(graph, after(base, small.duty()), [small.duty()]).organisations is graph.organisations


def test_a_row_with_every_key_that_there_is_is_nothing_unusual() -> None:
    clause = with_keys(small.clause(), CLAUSE_KEYS)
    clause["when"] = with_keys(clause["when"], WHEN_KEYS)
    row = with_keys({**small.pact(), "clauses": [clause]}, AGREEMENT_KEYS)
    row |= {"supports": "parent", "supersedes": "older"}
    roster = roster_of(rows_in(small.rows(row)))
    assert (roster.children, roster.later) == ({"parent": ("pact",)}, {"older": ("pact",)})


UNUSUAL: dict[str, Any] = {
    "a key of the agreement": small.pact(colour="red"),
    "a key of a clause": small.pact(small.clause(colour="red")),
    "a key of a condition": small.pact(small.clause(when={"colour": "red"})),
    "no clauses": {key: value for key, value in small.pact().items() if key != "clauses"},
    "clauses that are none": small.pact() | {"clauses": None},
    "a clause that is a text": small.pact() | {"clauses": ["tell them"]},
    "a condition that is a list": small.pact() | {"clauses": [small.clause() | {"when": []}]},
    "a clause without a condition": small.pact() | {"clauses": [{"id": "c1"}]},
}


@pytest.mark.parametrize("name", UNUSUAL)
def test_what_is_unusual_is_looked_at_at_once(name: str) -> None:
    with pytest.raises(GraphInvalid) as refused:
        roster_of(rows_in(small.rows(UNUSUAL[name])))
    assert all(str(problem).startswith("agreement pact") for problem in refused.value.problems)
    assert refused.value.problems
