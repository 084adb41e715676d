"""Graphs for the properties: seven bodies, few words, and every feature that the graph's model has.

`graph_rows(data)` spends a string of bytes on objects that `shared.agreements.load` accepts; `graphs()` draws them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hypothesis import strategies as st

from shared.agreements import Snapshot, load
from shared.agreements.load.overlaps import scope_of
from tests.support.dice import Dice
from tests.support.graph_words import CATEGORIES, COMPONENTS, DAYS, ORGS, PARENTS, VOCABULARY, WORDS

Row = dict[str, Any]
GRAPH_BYTES = 64 + 300 + 210 + 925 + 230 + 32 + 30
AGREEMENTS = ("pact", "pact-2", "working", "accord")
HEIRS = tuple((before, after) for at, before in enumerate(ORGS) for after in ORGS[at + 1 :])
PARTIAL = ("split", "partial_transfer")
FIELDS = WORDS["field_classes"]
POLICIES = ("full", "generalise", "pseudonymise", "omit")


@st.composite
def graphs(draw: st.DrawFn) -> list[Row]:
    """Graph objects, valid as a whole."""
    return graph_rows(draw(st.binary(min_size=GRAPH_BYTES, max_size=GRAPH_BYTES)))


def worlds() -> st.SearchStrategy[Snapshot]:
    return graphs().map(snapshot_of)


def snapshot_of(rows: list[Row], version: int = 1) -> Snapshot:
    return Snapshot(load(rows), version=version, root=f"root-{version}")


# What may be taken from another generated graph without the rest: each group fits every such graph.
CHANGES: tuple[tuple[str, ...], ...] = (
    ("agreement",), ("organisation", "bar"), ("succession",), ("duty",), ("policy",), ("lead_rule",),
)  # fmt: skip


def change_of(rows: list[Row], groups: Iterable[tuple[str, ...]]) -> list[Row]:
    """The objects of a commit that changes another generated graph, and leaves it valid."""
    kinds = {kind for group in groups for kind in group}
    return [row for row in rows if row["kind"] in kinds]


def changes() -> st.SearchStrategy[list[Row]]:
    """The objects of a commit on any generated graph."""
    groups = st.lists(st.sampled_from(CHANGES), min_size=1, max_size=3, unique=True)
    return st.builds(change_of, graphs(), groups)


def graph_rows(data: bytes) -> list[Row]:
    """A graph of few bodies that meet often."""
    dice = Dice(data)
    steps = successions(dice.part(64))
    bars = [bar(dice.part(150), name) for name in ("bar-a", "bar-b")]
    orgs = [organisation(dice.part(30), name, steps, bars) for name in ORGS]
    pacts = agreements(dice.part(925))
    duty = agreement(dice.part(230), "duty", kind="duty", instrument="statutory")
    for key in ("lineage", "status", "sensitivity_cap", "review_due"):
        duty.pop(key, None)
    return [*VOCABULARY, policy(dice.part(32)), *orgs, *steps, *bars, *pacts, duty, lead_rule(dice.part(30))]


def interval(dice: Dice, percent: int) -> Row:
    """Mostly without bounds."""
    if not dice.chance(percent):
        return {"from": None, "to": None}
    start, end = sorted(dice.some(range(len(DAYS)), 2, 2))
    kind = dice.roll(3)
    return {"from": DAYS[start] if kind != 1 else None, "to": DAYS[end] if kind else None}


def successions(dice: Dice) -> list[Row]:
    """Up to four, always towards a later body, so never in a circle."""
    return [succession(dice.part(12), f"step-{at}", *pair) for at, pair in enumerate(dice.some(HEIRS, 0, 4))]


def succession(dice: Dice, name: str, before: str, after: str) -> Row:
    kinds = (
        "merge",
        "rename",
        "split",
        "split",
        "partial_transfer",
        "abolish_with_transfer",
        "operating_name",
        "planned",
    )
    kind = dice.pick(kinds)
    row: Row = {"kind": "succession", "id": name, "from": before, "to": after, "type": kind, "certainty": "source"}
    row["effective"] = None if kind == "planned" else dice.pick(DAYS[:5])
    row["novation"] = dice.pick(("inherited", "inherited_pending_review", "inherited_assumed", "not_carried"))
    row["ecp_signature"] = dice.pick(("not_carried", "carried"))
    if kind in PARTIAL:
        row["scope"] = "a part"
        row |= {"functions": dice.some(WORDS["functions"], 1, 1)} if dice.chance(75) else {}
        row |= {"categories": dice.some(CATEGORIES, 1, 2)} if dice.chance(60) else {}
    return row


def organisation(dice: Dice, name: str, steps: list[Row], bars: list[Row]) -> Row:
    row: Row = {"kind": "organisation", "id": name, "name": name, "certainty": "seed"}
    row |= {"sector": dice.pick(("public", "public", "private")), "exists": _existence(dice, name, steps)}
    remits = [remit(dice.part(9)) for _ in range(dice.pick((1, 1, 1, 0, 2)))]
    row["remits"] = list({scope_of(remit): remit for remit in remits}.values())
    if name == "eta" and dice.chance(30):
        row["deliver_to"] = dice.pick(("zeta", "alpha"))
    held = [row["id"] for row in bars if name in row["holders"]]
    return {**row, **({"bars": held} if held else {})}


def _existence(dice: Dice, name: str, steps: list[Row]) -> Row:
    """A body that was split up is mostly gone; else most bodies have always been there."""
    left = [step["effective"] for step in steps if step["from"] == name and step["type"] in PARTIAL]
    if left and dice.chance(60):
        return {"from": None, "to": max(left)}
    return interval(dice, 8)


def remit(dice: Dice) -> Row:
    row = {"categories": dice.some((*CATEGORIES, *PARENTS), 1, 3), **interval(dice, 12)}
    keys = ("nations", "settings", "functions", "purposes", "subject_kinds", "victims", "topics", "registers")
    key = dice.maybe(15, keys)
    row |= {key: dice.some(WORDS[key], 1, 1)} if key else {}
    return {**row, "certainty": "assumed" if dice.chance(10) else "source"}


def agreements(dice: Dice) -> list[Row]:
    """Two of one lineage, one that supports the first, and one that may be of the personal lineage."""
    rows = {name: agreement(dice.part(230), name) for name in AGREEMENTS}
    if dice.chance(40):
        turn = dice.pick(DAYS)
        older, newer = rows["pact"], rows["pact-2"]
        newer |= {"supersedes": "pact", "lineage": "pact", "in_force": {"from": turn, "to": None}}
        older["in_force"] = {"from": None, "to": turn}
    rows["working"]["supports"] = dice.pick(("pact", "accord"))
    rows["accord"]["lineage"] = "ecp" if dice.chance(40) else "accord"
    return list(rows.values())


def agreement(dice: Dice, name: str, **changes: Any) -> Row:
    members = dice.some(ORGS, 3, 6)
    parties = [party(dice.part(6), org, sure=at < 2) for at, org in enumerate(members)]
    signed = sorted({row["org"] for row in parties if row["capacity"] == "signatory"})
    row: Row = {
        "kind": "agreement",
        "id": name,
        "title": name,
        "lineage": name,
        "status": "current",
        "parties": parties,
    }
    row |= {"instrument": dice.pick(("isa", "isa", "mou", "jwp", "protocol", "framework")), "certainty": "source"}
    row |= {"in_force": interval(dice, 18), "binding": False, "nations": dice.pick((["england", "wales"], ["england"]))}
    row |= {"suspended": [interval(dice, 100)]} if dice.chance(9) else {}
    row |= {"terminated": dice.pick(DAYS)} if dice.chance(7) else {}
    row |= {"sensitivity_cap": dice.some(COMPONENTS, 0, 3)} if dice.chance(15) else {}
    row |= {"review_due": dice.pick(DAYS)} if dice.chance(20) else {}
    row["clauses"] = [clause(dice.part(60), f"c{at}", signed) for at in range(1, 2 + dice.roll(3))]
    return {**row, **changes}


def party(dice: Dice, org: str, *, sure: bool) -> Row:
    other = () if sure else ("affiliated", "aligned", "in_attendance")
    return {"org": org, "capacity": dice.pick(("signatory",) * 9 + other), **interval(dice, 9)}


def clause(dice: Dice, name: str, signed: list[str]) -> Row:
    row: Row = {"id": name, "summary": "tells", "certainty": "assumed" if dice.chance(12) else "source"}
    row["effect"] = dice.pick(("PERMIT",) * 14 + ("REQUIRE",) * 4 + ("FORBID",))
    row["mode"] = dice.pick(("push",) * 7 + ("invite", "invite", "feed", "record"))
    row |= _sides(dice.part(6), signed)
    row["when"] = when(dice.part(20), may_be_empty=row["mode"] == "record")
    row["purposes"] = dice.some(WORDS["purposes"], 1, 2)
    row["onward"] = dice.pick(("free", "ask_originator", "none"))
    return {**row, **extras(dice.part(20))}


def _sides(dice: Dice, signed: list[str]) -> Row:
    direction = dice.pick(("one_way", "one_way", "one_way", "both", "among"))
    if direction == "among":
        return {"direction": direction, "from": ["@signatories"], "to": ["@signatories"]}
    teller = dice.pick(signed)
    others = [org for org in signed if org != teller]
    tellers = ["@signatories"] if dice.chance(55) else [teller]
    told = ["@signatories"] if dice.chance(55) else dice.some(others, 1, 2)
    if direction == "one_way" and dice.chance(20):
        told = ["@named"] if dice.chance(60) else [*told, "@named"]
    return {"direction": direction, "from": tellers, "to": told}


def when(dice: Dice, *, may_be_empty: bool = False) -> Row:
    """The categories, and now and then one or two of every other key."""
    row: Row = {"categories": dice.some((*CATEGORIES, *PARENTS), 0 if may_be_empty else 1, 3)}
    lists = ("nations", "settings", "victims", "provider_status", "fault_holders", "topics", "topics_none")
    keys = (*lists, "topics_none", "subject_kinds", "registers", "functions", "flags_all", "needs_all")
    for key in dice.some(keys, 1, 2) if dice.chance(35) else []:
        source = {"topics_none": "topics", "flags_all": "flags", "needs_all": "categories"}
        row[key] = dice.some(WORDS[source.get(key, key)], 1, 1 if key == "needs_all" else 2)
    row |= {"urgency_at_least": dice.pick(WORDS["urgency"])} if dice.chance(10) else {}
    row |= {"date_basis": "incident"} if dice.chance(15) else {}
    row |= {"subject_not": dice.some(ORGS, 3, 5)} if dice.chance(8) else {}
    return {**row, **({"recipient_remit": "required"} if dice.chance(10) else {})}


def extras(dice: Dice) -> Row:
    """What a clause may say beyond who, what and why."""
    row: Row = {}
    row |= {"fields": {name: dice.pick(POLICIES) for name in dice.some(FIELDS, 1, 2)}} if dice.chance(35) else {}
    row |= {"sensitivity_max": dice.some(COMPONENTS, 0, 3)} if dice.chance(25) else {}
    row |= {"limits": {"acknowledge": amount(dice)}} if dice.chance(20) else {}
    row |= {"tasks": ["tell-the-source"]} if dice.chance(10) else {}
    row |= {"channel": dice.pick(("post", "desk"))} if dice.chance(10) else {}
    row |= {"marking": dice.pick(WORDS["markings"])} if dice.chance(10) else {}
    return {**row, **({"standing_necessity": "as agreed"} if dice.chance(10) else {})}


def amount(dice: Dice) -> Row:
    units = ("working_days", "clock_hours", "working_hours", "calendar_days", "months")
    return {"amount": 1 + dice.roll(5), "unit": dice.pick(units)}


def bar(dice: Dice, name: str) -> Row:
    holders = dice.some(ORGS[::-1], 1, 2)
    row: Row = {"kind": "bar", "id": name, "holders": holders, "title": name, "nations": ["england", "wales"]}
    row |= {"in_force": interval(dice, 20), "protects": "all", "certainty": "source", "fields": dice.some(FIELDS, 1, 2)}
    row["without_gateway"] = dice.pick(("omit_fields", "withhold"))
    row["gateways"] = [_gateway("by-hand", "person"), *(way(dice.part(68), f"w{at}", holders) for at in range(2))]
    row |= {"recipient_onward": dice.pick(("none", "ask_originator"))} if dice.chance(20) else {}
    return {**row, **({"post_disclosure_tasks": ["tell-the-person"]} if dice.chance(20) else {})}


def way(dice: Dice, name: str, holders: list[str]) -> Row:
    """A gateway of each kind: by sector, by necessity, for agreements, or with a clause of its own."""
    plain = _gateway(name, dice.pick(("router", "router", "person")))
    kind = dice.roll(5)
    if kind == 0:
        return {**plain, "to_sector": dice.some(("public", "private"), 1, 1)}
    if kind == 1:
        sector = {"to_sector": ["public"]} if dice.chance(30) else {}
        return {**plain, "needs": "necessity_statement", **sector}
    if kind == 2:
        return {**plain, "agreements": dice.some(AGREEMENTS, 1, 2)}
    if kind == 3:
        permits = clause(dice.part(60), f"{name}-tells", list(ORGS))
        return {**plain, "permits": {**permits, "direction": "one_way", "from": holders[:1], "to": _beyond(holders)}}
    return plain


def _gateway(name: str, decided_by: str) -> Row:
    return {"id": name, "text": "a way", "decided_by": decided_by}


def _beyond(holders: list[str]) -> list[str]:
    return [org for org in ORGS if org not in holders][:2]


def policy(dice: Dice) -> Row:
    row: Row = {"kind": "policy", "id": "policy", "assumed_remits": not dice.chance(30)}
    switches = {"pact": dice.chance(50)} if dice.chance(20) else {}
    row["assumed_clauses"] = {"default": dice.chance(40), "agreements": switches}
    row["acknowledge"] = {name: amount(dice) for name in dice.some(WORDS["urgency"], 0, 3)}
    row["correlation"] = {"window": {"amount": 60, "unit": "calendar_days"}, "count": 3}
    if not dice.chance(10):
        public = {"isa": COMPONENTS, "mou": ["personal_data"], "jwp": ["personal_data"], "statutory": COMPONENTS}
        other = {"isa": ["personal_data", "special_category"], "statutory": ["personal_data"]}
        row["instrument_caps"] = {"public_parties_only": public, "any_other_party": other}
    if not dice.chance(10):
        row["field_policy_default"] = {"fields": {"header": "full", "registrant": "generalise", "narrative": "full"}}
    return row


def lead_rule(dice: Dice) -> Row:
    asked = when(dice.part(20))
    kept = {key: value for key, value in asked.items() if key not in ("recipient_remit", "date_basis")}
    steps = [{"if": kept, "lead": dice.some(ORGS, 1, 2)}, {"else": "a person decides"}]
    row: Row = {"kind": "lead_rule", "id": "lead", "title": "lead", "agreement": dice.pick(AGREEMENTS), "steps": steps}
    row |= {"not_before": dice.pick(DAYS)} if dice.chance(20) else {}
    return {**row, "certainty": "source", **({"date_basis": "incident"} if dice.chance(30) else {})}
