"""What the demo prints: for each case who was told and how fast, who was not and why, and every difference."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rich.console import Console
from rich.table import Table

from deploy.demo.cases import Case
from shared.agreements import sentence

NAMES_MAX = 6


@dataclass(frozen=True, slots=True)
class Told:
    """A case after the fact: its decision, the milliseconds from publication to receipt by body, and what is wrong."""

    case: Case
    concern_id: str
    decision: Mapping[str, Any]
    receipt_ms: Mapping[str, float]
    faults: Sequence[str]

    def to_json(self) -> dict[str, Any]:
        """For machines."""
        return {
            "case": self.case.name,
            "concern_id": self.concern_id,
            "told": [{"org": row["org"], "ms": self.receipt_ms.get(row["org"])} for row in self.decision["told"]],
            "hold": self.decision["hold"],
            "unroutable": self.decision["unroutable"],
            "faults": list(self.faults),
        }


def show(console: Console, told: Told) -> None:
    """Print one case."""
    switch = "assumed clauses on" if told.case.assumed else "assumed clauses off"
    console.rule(f"[bold]{told.case.name}[/]  {told.case.title}  [dim]({switch})[/]", align="left")
    console.print(f"  {told.case.originator} published {told.concern_id}", highlight=False, style="dim")
    table = Table(box=None, padding=(0, 2), show_header=False)
    for row in told.decision["told"]:
        table.add_row("[green]told[/]", row["org"], _clauses(row), _speed(told.receipt_ms.get(row["org"])))
    for row in told.decision["available"]:
        table.add_row("[cyan]may be told[/]", row["org"], _clauses(row), "the originator chooses")
    for label, org, reason in _not_told(told):
        table.add_row(label, org, sentence(reason), reason)
    console.print(table)
    for line in _states(told.decision):
        console.print(f"  {line}", highlight=False)
    for fault in told.faults:
        console.print(f"  [bold red]differs[/] {fault}", highlight=False)


def _clauses(row: Mapping[str, Any]) -> str:
    cited = [f"{b['agreement']}/{b['clause']}" for b in row["because"]]
    return ", ".join(cited)


def _speed(milliseconds: float | None) -> str:
    return "[red]not received[/]" if milliseconds is None else f"{milliseconds:.0f} ms"


def _not_told(told: Told) -> Iterable[tuple[str, str, str]]:
    """The bodies that the case speaks of, and every gap; all others are in the total decision."""
    labels = {"gap": "[yellow]gap[/]", "held": "[magenta]held[/]"}
    for klass, grouped in told.decision["not_told"].items():
        for reason, orgs in grouped.items():
            named = [org for org in orgs if org in told.case.bodies]
            shown = orgs[:NAMES_MAX] if klass in labels else named
            yield from ((labels.get(klass, "not told"), org, reason) for org in sorted({*shown, *named}))


def _states(decision: Mapping[str, Any]) -> Iterable[str]:
    if decision["hold"]:
        yield f"[magenta]held for a person[/]: {', '.join(decision['hold'])}"
    if decision["unroutable"]:
        yield "[yellow]unroutable[/]: nobody could be told; it waits in the queue of the router's operators"
    totals = ", ".join(f"{count} {name}" for name, count in decision["totals"].items() if count)
    yield f"[dim]every body accounted for: {totals}[/]"
