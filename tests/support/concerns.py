"""Concerns for the properties, in the words of the generated graphs."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from tests.support.dice import Dice
from tests.support.graph_words import COMPONENTS, DAYS, ORGS, WORDS

Row = dict[str, Any]
CONCERN_BYTES = 64
# Midnight in London is 23:00 UTC for half of the year; the last three are the ends of a civil day.
HOURS = ("10:00:00Z", "12:00:00+01:00", "00:00:00Z", "23:30:00Z", "00:30:00+01:00")


@st.composite
def concerns(draw: st.DrawFn) -> Row:
    """The clear routing part of a concern."""
    return routing_of(draw(st.binary(min_size=CONCERN_BYTES, max_size=CONCERN_BYTES)))


def routing_of(data: bytes) -> Row:
    dice = Dice(data)
    row: Row = {"originator": dice.pick(ORGS), "received_at": f"{dice.pick(DAYS)}T{dice.pick(HOURS)}"}
    row |= {"incident_date": dice.maybe(30, DAYS), "categories": dice.some(WORDS["categories"], 1, 3)}
    row |= {"nation": dice.pick(("england", "england", "wales", None)), "urgency": dice.pick(WORDS["urgency"])}
    row["purposes"] = dice.some(WORDS["purposes"], 1, 3)
    for name, words in _ONE.items():
        row[name] = dice.maybe(60, WORDS[words])
    for name in ("topics", "flags", "functions"):
        row[name] = dice.some(WORDS[name], 1, 2) if dice.chance(45) else []
    row["sensitivity"] = dice.some(COMPONENTS, 1, 3) if dice.chance(40) else []
    row["named_recipients"] = dice.some(ORGS, 1, 2) if dice.chance(40) else []
    row["subjects"] = [_subject(dice.part(5)) for _ in range(dice.pick((1, 1, 2, 0)))]
    row["provenance"] = [_hop(dice.part(5)) for _ in range(dice.pick((0,) * 6 + (1, 2)))]
    row["gateways"] = [{"id": f"{dice.pick(('bar-a', 'bar-b'))}/by-hand"}] if dice.chance(15) else []
    row["necessity"] = {"statement": "needed"} if dice.chance(15) else None
    row["field_classes"] = dice.some(WORDS["field_classes"], 1, 3) if dice.chance(30) else []
    row["onward"] = dice.maybe(20, ("free", "ask_originator", "none"))
    return {**row, "marking": dice.maybe(20, WORDS["markings"])}


_ONE = {
    "setting": "settings",
    "victim": "victims",
    "fault_holder": "fault_holders",
    "provider_status": "provider_status",
}


def _subject(dice: Dice) -> Row:
    row: Row = {"kind": dice.pick(WORDS["subject_kinds"]), "registers": dice.some(WORDS["registers"], 0, 1)}
    return {**row, "org": dice.maybe(20, ORGS)}


def _hop(dice: Dice) -> Row:
    onward = dice.pick(("free", "ask_originator", "none"))
    sender, to = dice.pick(ORGS), dice.pick(ORGS)
    hop = {"from": sender, "to": to, "onward": onward, "granted": dice.some(ORGS, 0, 2)}
    given = _GIVEN[ORGS.index(to) % len(_GIVEN)]
    return hop if given is None else {**hop, "fields": given}


# What a hop says of the field classes: nothing, all of them in full, some of them less.
_GIVEN: tuple[dict[str, str] | None, ...] = (
    None,
    {"header": "full", "registrant": "pseudonymise", "narrative": "full"},
    {"header": "full", "narrative": "generalise"},
    dict.fromkeys(WORDS["field_classes"], "full"),
)
