"""Random small graphs and concerns, in the words of `tests.rules.small`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from functools import cache
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from shared.agreements import Facts, Snapshot, facts_of
from tests.rules.small import WORDS, Row, bar, clause, follows, gateway, org, pact, party, remit, world
from tests.unit.agreements.seeds import seed_graph

# The unit level stays fast; the nightly profile brings its own number.
thorough = settings.get_current_profile_name() == "nightly"
quick = settings(max_examples=500 if thorough else 6, deadline=None)
ORGS = ("alpha", "beta", "gamma", "delta")
CATEGORIES = ("harm", "theft", "fire-risk")
_FIRST, _LAST = date(2005, 1, 1), date(2034, 12, 31)
DAYS = ("2024-06-01", "2025-01-01", "2025-03-03", "2025-03-04", "2025-06-01")


def some(values: Iterable[Any], least: int = 0, most: int = 3) -> st.SearchStrategy[list[Any]]:
    return _some(tuple(values), least, most)


def maybe(values: Iterable[Any]) -> st.SearchStrategy[Any]:
    return _maybe(tuple(values))


@cache  # a strategy that is made anew for each draw costs more than the draw
def _some(values: tuple[Any, ...], least: int, most: int) -> st.SearchStrategy[list[Any]]:
    return st.lists(st.sampled_from(values), min_size=least, max_size=most, unique=True)


@cache
def _maybe(values: tuple[Any, ...]) -> st.SearchStrategy[Any]:
    return st.one_of(st.none(), st.sampled_from(values))


@st.composite
def intervals(draw: st.DrawFn) -> Row:
    ends = sorted(draw(some(DAYS, 0, 2)))
    start, end = (ends[0], ends[1]) if len(ends) == 2 else (ends[0] if ends else None, None)
    return {"from": start, "to": end}


@st.composite
def whens(draw: st.DrawFn) -> Row:
    keys: dict[str, Any] = {
        "nations": draw(some(WORDS["nations"])),
        "settings": draw(some(WORDS["settings"])),
        "topics_none": draw(some(WORDS["topics"], 0, 1)),
        "subject_not": draw(some(ORGS, 0, 1)),
    }
    kept = {key: value for key, value in keys.items() if value and draw(st.integers(0, 3)) == 0}
    if draw(st.integers(0, 3)) == 0:
        kept["recipient_remit"] = "required"
    if draw(st.integers(0, 4)) == 0:
        kept["date_basis"] = "incident"
    return {"categories": draw(some(CATEGORIES, 1)), **kept}


_LIMITS = st.one_of(st.none(), some(("personal_data", "child")))


@st.composite
def clauses(draw: st.DrawFn, name: str, effects: tuple[str, ...] = ("PERMIT", "PERMIT", "REQUIRE", "FORBID")) -> Row:
    frm, to = draw(some(ORGS, 1, 2)), draw(some(ORGS, 1, 3))
    among = draw(st.integers(0, 4)) == 0
    row = clause(
        id=name,
        effect=draw(st.sampled_from(effects)),
        mode=draw(st.sampled_from(("push", "push", "invite", "feed"))),
        direction="among" if among else draw(st.sampled_from(("one_way", "both"))),
        frm=["@signatories"] if among else frm,
        to=["@signatories"] if among else [*to, *(["delta"] if frm == to and "delta" not in to else [])],
        when=draw(whens()),
        purposes=draw(some(("regulatory-function", "inspection", "law"), 1)),
        fields=dict.fromkeys(draw(some(("registrant", "narrative"))), draw(st.sampled_from(("omit", "full")))),
        certainty=draw(st.sampled_from(("source", "source", "assumed"))),
        onward=draw(st.sampled_from(("none", "ask_originator", "free"))),
    )
    limit = draw(_LIMITS)
    fine = among or len({*row["from"], *row["to"]}) > 1
    return {
        **row,
        **({} if limit is None else {"sensitivity_max": limit}),
        **({} if fine else {"to": ["beta", "delta"]}),
    }


@st.composite
def pacts(draw: st.DrawFn, name: str) -> Row:
    count = draw(st.integers(1, 3))
    return pact(
        *(draw(clauses(f"c{number}")) for number in range(count)),
        id=name,
        lineage=draw(st.sampled_from((name, name, "ecp" if name == "pact" else name))),
        parties=[party(row, **_dates(draw(intervals()))) for row in ORGS],
        in_force=draw(intervals()),
        instrument=draw(st.sampled_from(("isa", "mou"))),
    )


def _dates(interval: Row) -> Row:
    return {"start": interval["from"], "end": interval["to"]}


@st.composite
def rows(draw: st.DrawFn) -> list[Row]:
    barred = draw(st.booleans())
    orgs = [
        org(
            name,
            *([remit(*draw(some(CATEGORIES, 1)))] if draw(st.booleans()) else []),
            sector=draw(st.sampled_from(("public", "public", "private"))),
            **({"bars": ["bar"]} if barred and name == "alpha" else {}),
        )
        for name in ORGS
    ]
    ways = [gateway(to_sector=["public"])] if draw(st.booleans()) else []
    kind = draw(st.sampled_from(("withhold", "omit_fields")))
    bars = [bar(*ways, without_gateway=kind, fields=["registrant"])] if barred else []
    steps = [draw(successions(*pair)) for pair in draw(some((("gamma", "delta"), ("delta", "beta")), 0, 2))]
    return [*orgs, *bars, *steps, draw(pacts("pact")), draw(pacts("pact-b"))]


@st.composite
def successions(draw: st.DrawFn, before: str, after: str) -> Row:
    kind = draw(st.sampled_from(("merge", "rename", "split", "partial_transfer")))
    part = {"functions": ["hygiene"], "categories": ["harm"]} if kind in ("split", "partial_transfer") else {}
    novation = draw(st.sampled_from(("inherited", "inherited_assumed", "not_carried")))
    return follows(before, after, kind, novation=novation, effective=draw(st.sampled_from(DAYS)), **part)


@st.composite
def routings(draw: st.DrawFn) -> Row:
    subject = {"kind": draw(st.sampled_from(("provider", "registrant"))), "org": draw(maybe(("beta", None, None)))}
    return {
        "originator": draw(st.sampled_from(ORGS)),
        "received_at": f"{draw(st.sampled_from(DAYS))}T10:00:00Z",
        "incident_date": draw(maybe(DAYS)),
        "categories": draw(some(CATEGORIES, 1)),
        "purposes": draw(some(("regulatory-function", "inspection", "law"), 1)),
        "nation": draw(maybe(WORDS["nations"])),
        "setting": draw(maybe(WORDS["settings"])),
        "topics": draw(some(WORDS["topics"])),
        "functions": draw(some(("hygiene", "records"), 0, 1)),
        "sensitivity": draw(some(("personal_data", "child"))),
        "subjects": [subject],
    }


def worlds() -> st.SearchStrategy[Snapshot]:
    return rows().map(lambda drawn: world(*drawn))


@st.composite
def seed_concerns(draw: st.DrawFn) -> Facts:
    """A concern in the seed graph's own words, from any body on any day of three decades."""
    graph = seed_graph()
    words = graph.vocabularies
    return facts_of(
        {
            "originator": draw(st.sampled_from(sorted(graph.organisations))),
            "received_at": f"{draw(st.dates(min_value=_FIRST, max_value=_LAST))}T12:00:00Z",
            "categories": draw(some(words.ids("categories"), 1, 4)),
            "purposes": draw(some(words.ids("purposes"), 0, 2)),
            "nation": draw(maybe(words.ids("nations"))),
            "setting": draw(maybe(words.ids("settings"))),
            "functions": draw(some(words.ids("functions"), 0, 1)),
            "urgency": draw(st.sampled_from(words.ids("urgency"))),
            "sensitivity": draw(some(words.ids("sensitivity_components"), 0, 2)),
            "subjects": [{"kind": draw(st.sampled_from(words.ids("subject_kinds")))}],
        }
    )
