"""Random small graphs whose remits ask for more than a category, and every concern that can be said in them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from itertools import product
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from services.registry.domain.analyses.space import Space
from shared.agreements import Graph
from shared.agreements.load.overlaps import scope_of
from tests.rules.small import POLICY, WORDS, Row, org, remit, world
from tests.unit.agreements.strategies import CATEGORIES, ORGS, rows, some

DAY = date(2025, 3, 3)
thorough = settings.get_current_profile_name() == "nightly"
quick = settings(max_examples=300 if thorough else 12, deadline=None)


@st.composite
def remits(draw: st.DrawFn) -> Row:
    asked = {
        "nations": draw(some(WORDS["nations"], 0, 1)),
        "subject_kinds": draw(some(("provider", "registrant"), 0, 1)),
        "registers": draw(some(WORDS["registers"], 0, 1)),
        "settings": draw(some(WORDS["settings"], 0, 1)),
        "topics": draw(some(WORDS["topics"], 0, 1)),
        "functions": draw(some(("hygiene", "records"), 0, 1)),
    }
    wanted = draw(st.sets(st.sampled_from(sorted(asked))))
    kept = {key: asked[key] for key in sorted(wanted) if asked[key]}
    return remit(*draw(some(CATEGORIES, 1)), **kept)


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """The worlds of the decision core, with remits that ask for more."""
    drawn: list[Row] = draw(rows())
    bodies = [row for row in drawn if row["kind"] == "organisation"]
    others = [row for row in drawn if row["kind"] != "organisation"]
    wanting = [{**row, "remits": draw(st.lists(remits(), max_size=2, unique_by=scope_of))} for row in bodies]
    return world(*wanting, *apart(others)).graph


def apart(drawn: list[Row]) -> list[Row]:
    """Two agreements of one lineage hold one after the other; here they are agreements of their own."""
    pacts = [row for row in drawn if row["kind"] == "agreement"]
    if len({row["lineage"] for row in pacts}) == len(pacts):
        return drawn
    return [{**row, "lineage": row["id"]} if row["id"] == "pact-b" else row for row in drawn]


def concerns(graph: Graph, originator: str, day: date = DAY) -> Iterator[dict[str, Any]]:
    """Every concern that one originator can raise, over the keys that these graphs ask about."""
    space = Space(graph)
    fixed = {"purposes": list(space.purposes), "urgency": space.urgency, "flags": list(space.flags)}
    said = product(CATEGORIES, (None, *WORDS["nations"]), space.subjects, (None, *WORDS["settings"]))
    more = list(product((None, *WORDS["topics"]), (None, "hygiene", "records")))
    for (category, nation, subject, setting), (topic, function) in product(said, more):
        yield {
            "originator": originator,
            "received_at": f"{day.isoformat()}T12:00:00Z",
            "categories": [category],
            "nation": nation,
            "setting": setting,
            "topics": [topic] if topic else [],
            "functions": [function] if function else [],
            "subjects": [{"kind": subject[0], "registers": [subject[1]] if subject[1] else []}] if subject else [],
            **fixed,
        }


__all__ = ["DAY", "ORGS", "POLICY", "concerns", "graphs", "org", "quick"]
