"""What the demo prints: for each case a line per body with why and how fast, every difference, and a summary.

Lines are wrapped at the width of the terminal and never cut.
"""

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

from rich.console import Console
from rich.text import Text

from deploy.bench.load import percentile
from deploy.demo.cases import Case
from shared.agreements import sentence

GAPS_MAX = 6
BODY_WIDTH, SPEED_WIDTH, REASON_WIDTH = 21, 8, 25
DIGEST_LETTERS = 16
MARKS = {
    "told": ("✓", "green", "told"),
    "available": ("○", "cyan", "may be told: the originator chooses"),
    "gap": ("!", "yellow", "a gap: within its remit, and no agreement reaches it"),
    "held": ("?", "magenta", "waits for a person"),
    "not told": ("·", "dim", "not told, by an agreement or the law"),
    "differs": ("✗", "bold red", "not as it should be"),
}
SHORT_REASONS = {
    "REQUIRED": "must be told",
    "PERMITTED": "agreed, in its remit",
    "AVAILABLE": "agreed, left to choose",
    "CHOSEN": "a person chose it",
    "EMERGENCY": "told in an emergency",
    "ORIGINATOR": "raised the concern",
    "REPLACED_BY_SUCCESSOR": "replaced by a successor",
    "NO_PATH": "no agreement joins them",
    "NOT_SIGNED": "not signed on that day",
    "NOT_YET_IN_FORCE": "agreement not yet begun",
    "EXPIRED": "agreement had ended",
    "SUPERSEDED": "agreement was superseded",
    "SUSPENDED": "agreement was suspended",
    "TERMINATED": "agreement terminated",
    "WRONG_DIRECTION": "only the other way round",
    "CATEGORY": "concern of another kind",
    "PURPOSE_NOT_COVERED": "purpose not covered",
    "SCOPE": "details not covered",
    "TOPIC_EXCLUDED": "topic left out by name",
    "SENSITIVITY": "too sensitive for it",
    "INSTRUMENT_INSUFFICIENT": "type cannot carry this",
    "ONWARD_NOT_PERMITTED": "may not be passed on",
    "FORBIDDEN": "forbidden",
    "SUBJECT_IS_RECIPIENT": "is itself the subject",
    "CONFLICT_OF_INTEREST": "conflict of interest",
    "NOT_IN_REMIT": "outside its remit",
    "ASSUMED_OFF": "only an assumption, off",
    "FEED_ONLY": "shared in a feed only",
    "RECORD_ONLY": "on record only",
    "HOLD_SUCCESSION_AMBIGUOUS": "unclear who took over",
    "HOLD_CONFLICT": "originator is the subject",
    "HOLD_UNKNOWN_TERM": "an unknown word or body",
    "HOLD_STALE_GRAPH": "awaits newer agreements",
    "HOLD_FAULT": "could not be evaluated",
}


@dataclass(frozen=True, slots=True)
class Told:
    """A case after the fact: its decision, the milliseconds from publication to receipt by body, and what is wrong.

    A body that received it in an earlier run on the same data has None in place of milliseconds.
    """

    case: Case
    concern_id: str
    decision: Mapping[str, Any]
    receipt_ms: Mapping[str, float | None]
    faults: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """For machines: everything that is printed, and the whole decision."""
        return {
            "case": self.case.name,
            "title": self.case.title,
            "assumed_clauses": self.case.assumed,
            "originator": self.case.originator,
            "concern_id": self.concern_id,
            "told": [{**row, "ms": self.receipt_ms.get(row["org"])} for row in self.decision["told"]],
            "available": self.decision["available"],
            "not_told": self.decision["not_told"],
            "hold": self.decision["hold"],
            "unroutable": self.decision["unroutable"],
            "lead": self.decision["lead"],
            "totals": self.decision["totals"],
            "faults": list(self.faults),
        }


@dataclass(frozen=True, slots=True)
class Line:
    """One body of a case. `kind` is a key of MARKS."""

    kind: str
    org: str
    reason: str
    clauses: Sequence[str] = ()
    speed: str = ""

    def text(self, width: int) -> str:
        """The line, and as many more as its clauses need at this width."""
        columns = f"{self.org:<{BODY_WIDTH}} {self.speed:>{SPEED_WIDTH}}  {SHORT_REASONS[self.reason]:<{REASON_WIDTH}}"
        first = f"  {MARKS[self.kind][0]} {columns} "
        if len(first) + max(map(len, self.clauses), default=0) < width:
            return _wrapped(", ".join(self.clauses), width, first, " " * len(first)).rstrip()
        below = " " * (BODY_WIDTH + len("  ✓ "))
        return f"{first.rstrip()}\n{_wrapped(', '.join(self.clauses), width, below, below)}"


def summary(cases: Sequence[Told]) -> dict[str, float]:
    """The figures of a whole run: numbers of bodies and concerns, and milliseconds where anything was received."""
    speeds = [ms for case in cases for ms in case.receipt_ms.values() if ms is not None]
    totals = [case.decision["totals"] for case in cases]
    count = {name: sum(total.get(name, 0) for total in totals) for name in ("told", "available", "gap", "held")}
    return {
        "concerns": len(cases),
        **count,
        "received": sum(len(case.receipt_ms) for case in cases),
        "held_concerns": sum(bool(case.decision["hold"]) for case in cases),
        "unroutable": sum(case.decision["unroutable"] for case in cases),
        **({"receipt_ms_median": median(speeds), "receipt_ms_p95": percentile(speeds, 0.95)} if speeds else {}),
        "differences": sum(len(case.faults) for case in cases),
    }


def show_legend(console: Console) -> None:
    """Say what the marks mean."""
    for mark, style, meaning in MARKS.values():
        console.print(Text(f"  {mark} {meaning}", style), soft_wrap=True)


def show(console: Console, told: Told) -> None:
    """Print one case."""
    name = f"{told.case.name:<5}"
    _say(console, _wrapped(told.case.title, console.width, name, " " * len(name)), "bold")
    switch = "assumed clauses on" if told.case.assumed else "assumed clauses off"
    about = f"{told.case.originator}, {switch}, {told.concern_id}"
    _say(console, _wrapped(about, console.width, " " * len(name), " " * len(name)), "dim")
    for line in lines(told):
        _say(console, line.text(console.width), MARKS[line.kind][1])
    for style, state in _states(told.decision):
        _say(console, _wrapped(state, console.width, "    ", "    "), style)
    for fault in told.faults:
        show_fault(console, fault)
    console.print()


def show_fault(console: Console, fault: str) -> None:
    """Print one difference."""
    mark, style, _ = MARKS["differs"]
    _say(console, _wrapped(fault, console.width, f"  {mark} ", "    "), style)


def show_summary(console: Console, figures: Mapping[str, float]) -> None:
    """Print the figures of a run."""
    _say(console, "Summary", "bold")
    rows = {
        "concerns published": f"{figures['concerns']:.0f}",
        "bodies told": f"{figures['told']:.0f}, received and verified {figures['received']:.0f}",
        "bodies that may be told": f"{figures['available']:.0f}",
        "gaps": f"{figures['gap']:.0f}",
        "held for a person": f"bodies {figures['held']:.0f}, whole concerns {figures['held_concerns']:.0f}",
        "unroutable concerns": f"{figures['unroutable']:.0f}",
        "milliseconds to receipt": _speeds(figures),
        "differences": f"{figures['differences']:.0f}",
    }
    for name, figure in rows.items():
        _say(console, f"  {name:<26}{figure}", "")


def _speeds(figures: Mapping[str, float]) -> str:
    if "receipt_ms_median" not in figures:
        return "nothing was received in this run"
    return f"median {figures['receipt_ms_median']:.0f}, p95 {figures['receipt_ms_p95']:.0f}"


def show_records(console: Console, records: Iterable[Mapping[str, Any]]) -> None:
    """Print audit facts, one a line: when, what, by whom, and the first letters of the digest."""
    _say(console, "Audit records of the concern that told most", "bold")
    for record in records:
        body = record["body"]
        digest = str(body.get("digest") or body.get("body_digest") or record["fact_id"])
        when, who = record["at"][11:23], record["actor"]
        _say(console, f"  {when}  {record['kind']:<17} {who:<22} {digest[:DIGEST_LETTERS]}…", "")


def lines(told: Told) -> Iterator[Line]:
    """The bodies told, the ones that may be, the ones that the case speaks of, and gaps up to GAPS_MAX a reason."""
    decision, speeds = told.decision, told.receipt_ms
    for row in decision["told"]:
        yield Line("told", row["org"], row["reason"], _clauses(row), _speed(speeds, row["org"]))
    for row in decision["available"]:
        yield Line("available", row["org"], row["reason"], _clauses(row))
    for klass, grouped in decision["not_told"].items():
        kind = klass if klass in ("gap", "held") else "not told"
        for reason, orgs in grouped.items():
            yield from (Line(kind, org, reason) for org in sorted(_shown(kind, orgs, told.case.bodies)))


def _speed(speeds: Mapping[str, float | None], org: str) -> str:
    if org not in speeds:
        return "nothing"
    speed = speeds[org]
    return "earlier" if speed is None else f"{speed:.0f} ms"


def _shown(kind: str, orgs: Sequence[str], named: set[str]) -> set[str]:
    first = set() if kind == "not told" else set(orgs[:GAPS_MAX])
    return first | (named & set(orgs))


def _clauses(row: Mapping[str, Any]) -> Sequence[str]:
    return [f"{b['agreement']}/{b['clause']}" for b in row["because"]]


def _states(decision: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for code in decision["hold"]:
        yield "magenta", f"Held: {sentence(code)}"
    if decision["unroutable"]:
        yield "yellow", "Unroutable: nobody could be told; it waits in the queue of the router's operators."
    for reason, orgs in decision["not_told"].get("gap", {}).items():
        if len(orgs) > GAPS_MAX:
            yield "dim", f"{len(orgs)} gaps in all because of: {SHORT_REASONS[reason]}"
    totals = ", ".join(f"{count} {name.replace('_', ' ')}" for name, count in decision["totals"].items() if count)
    yield "dim", f"Every body accounted for: {totals}"


def _wrapped(text: str, width: int, first: str, further: str) -> str:
    folded = textwrap.fill(
        text, width, initial_indent=first, subsequent_indent=further, break_long_words=False, break_on_hyphens=False
    )
    return folded or first


def _say(console: Console, text: str, style: str) -> None:
    """As it stands: no markup in it, nothing folded or cut by the console."""
    console.print(Text(text, style), soft_wrap=True)
