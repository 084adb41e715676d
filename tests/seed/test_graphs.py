"""Synthetic graphs: sound, of the size that was asked for, and the same for the same number."""

from collections import Counter

from deploy.bench.graphs import HUB, Size, synthetic
from shared.agreements.load import check
from shared.canonical import canonical

SIZE = Size(400, 600)


def test_a_synthetic_graph_is_sound_and_of_its_size() -> None:
    rows = synthetic(SIZE)
    check(rows)
    kinds = Counter(row["kind"] for row in rows)
    assert (kinds["organisation"], kinds["agreement"]) == (SIZE.organisations, SIZE.agreements)


def test_the_same_number_gives_the_same_graph_and_another_another() -> None:
    assert canonical(synthetic(SIZE)) == canonical(synthetic(SIZE)) != canonical(synthetic(SIZE, 2))


def test_one_hub_is_party_to_three_in_ten_and_few_bodies_to_most() -> None:
    made = [row for row in synthetic(SIZE) if row["kind"] == "agreement" and row["id"].startswith("pact-")]
    parties = Counter(party["org"] for row in made for party in row["parties"])
    assert 0.2 < parties[HUB] / len(made) < 0.45
    assert parties["body-00000"] > 20 * sorted(parties.values())[len(parties) // 2]
