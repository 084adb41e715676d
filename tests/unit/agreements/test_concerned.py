"""Of a change: which of the objects that it leaves alone are looked at again."""

from shared.agreements.load import check_change
from shared.agreements.load.change import Slice
from tests.rules import small
from tests.rules.small import Row
from tests.unit.agreements.test_lean import verified


def ids(slice_: Slice, kind: str) -> list[str]:
    return [row["id"] for row in slice_.concerned(kind)]


def test_a_body_that_delivers_to_a_changed_one_and_that_a_changed_bar_binds_is_looked_at() -> None:
    base = verified(small.org("alpha", bars=["bar"], deliver_to="beta"), small.bar())
    change = Slice(base, [small.org("beta", certainty="anew"), small.bar(title="anew")])
    assert ids(change, "organisation") == ["beta", "alpha"]


def test_what_is_changed_is_looked_at_as_it_will_be_alone() -> None:
    """Alpha hands its bar to beta: as alpha was, it would name a bar that no longer binds it."""
    base = verified(small.barred_alpha(), small.bar())
    changed: list[Row] = [
        small.org("alpha"),
        small.org("beta", small.remit(), bars=["bar"]),
        small.bar(holders=["beta"]),
    ]
    assert ids(Slice(base, changed), "organisation") == ["alpha", "beta"]
    check_change(base, changed)


def test_words_are_lost_where_a_vocabulary_that_is_changed_has_one_less() -> None:
    base = verified()
    names = ("harm", "theft", "fire-risk", "new")
    categories = [{"id": name, "parent": "ecp-systems", "label": name} for name in names]

    def of(*terms: Row) -> Row:
        return {"kind": "vocabulary", "id": "categories", "terms": list(terms)}

    assert not Slice(base, [small.org("beta", certainty="anew")]).loses_words
    assert not Slice(base, [of(*categories[:3])]).loses_words
    assert not Slice(base, [of(*categories)]).loses_words
    assert Slice(base, [of(*categories[1:])]).loses_words


def test_of_each_kind_only_what_a_change_touches_is_looked_at() -> None:
    """Bodies, bars and agreements of one name are as many things."""
    named = small.org("same", deliver_to="beta"), small.pact(id="same", lineage="same"), small.bar(id="same")
    base = verified(small.org("alpha", bars=["same"]), small.follows("beta", "gamma", id="same"), *named)
    change = Slice(base, [small.org("beta", certainty="anew")])
    looked = {kind: ids(change, kind) for kind in ("organisation", "agreement", "duty", "bar", "succession")}
    assert looked == {"organisation": ["beta", "same"], "agreement": [], "duty": [], "bar": [], "succession": []}
    freed = Slice(base, [small.org("alpha")])
    assert [ids(freed, kind) for kind in ("agreement", "bar", "succession")] == [[], ["same"], []]
