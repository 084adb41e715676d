"""What the graph itself shows, on the command line: findings of a folder of graph files, and generated documents."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import click

from deploy.cli.graph_cases import Unusable
from deploy.cli.graph_check import Checked, check_folder, to_json
from services.registry.domain.analyses import Finding, Severity, findings
from shared.agreements import Graph, load

GAP = "gap:"
COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow", Severity.NOTICE: "cyan"}
GAPS_SHOWN_MAX = 20


def analysed(graph: Graph, day: date) -> tuple[Finding, ...]:
    """Every finding on the day, the gravest first."""
    order = list(Severity)
    return tuple(sorted(findings(graph, day), key=lambda row: (order.index(row.severity), row.key)))


def show_findings(found: Sequence[Finding]) -> None:
    """Print each contradiction, idle clause and review by itself, and the gaps by originator."""
    for row in found:
        if not row.key.startswith(GAP):
            _show(row)
    _show_gaps([row for row in found if row.key.startswith(GAP)])
    counts = Counter(row.severity for row in found)
    click.echo(", ".join(f"{counts[severity]} {severity.value}s" for severity in Severity))


def findings_json(found: Iterable[Finding]) -> list[dict[str, Any]]:
    """The same for programs, each with the concern that shows it."""
    return [row.to_json() for row in found]


def _show(row: Finding) -> None:
    click.echo(f"{click.style(row.severity.value, fg=COLOURS[row.severity])}: {row.sentence}")
    click.echo(f"       = {row.remedy}")
    click.echo(f"       = {row.key}\n")


def _show_gaps(gaps: Sequence[Finding]) -> None:
    """By originator: there are too many to be read one by one; `--json` has each with its concern."""
    by_originator = Counter(row.about[0] for row in gaps if row.severity is Severity.WARNING)
    if not gaps:
        return
    click.echo("Bodies that should know of a category and cannot be told, counted by originator (each in --json):")
    for originator, count in by_originator.most_common(GAPS_SHOWN_MAX):
        click.echo(f"{count:>8}  {originator}")
    if len(by_originator) > GAPS_SHOWN_MAX:
        click.echo(f"          and {len(by_originator) - GAPS_SHOWN_MAX} more originators")


def analyse(checked: Sequence[Checked], day: date, *, as_json: bool) -> None:
    """Print what each checked folder shows; one with problems is no graph and shows nothing."""
    rows = [(one, analysed(load(one.read.rows()), day) if not one.findings else ()) for one in checked]
    if as_json:
        plain = json.loads(to_json(checked))
        for folder, (_, found) in zip(plain["folders"], rows, strict=True):
            folder["analyses"] = findings_json(found)
        click.echo(json.dumps(plain, indent=2, ensure_ascii=False))
        return
    for one, found in rows:
        if not one.findings:
            click.echo(f"\n{one.folder}, as of {day.isoformat()}:\n")
            show_findings(found)


def write_report(folder: Path, day: date | None, target: Path) -> list[Path]:
    """Write the page on recommendation 153 and its picture, `target` with .md and .svg; gives their paths.

    Raises Unusable for a folder that is no graph, or that lacks the day up to which its sources were read.
    """
    from deploy.reports.recommendation_153 import report, state_of_knowledge

    graph = _graph(folder)
    if day is None and "as_of" not in graph.vocabularies.values:
        raise Unusable(f"{folder}: categories.yaml states no as_of; name the day with --as-of")
    made = report(graph, day or state_of_knowledge(graph))
    target.parent.mkdir(parents=True, exist_ok=True)
    files = {target.with_suffix(".md"): made.markdown, target.with_suffix(".svg"): made.svg}
    for path, text in files.items():
        path.write_text(text, encoding="utf-8")
    return list(files)


def _graph(folder: Path) -> Graph:
    checked = check_folder(folder)
    if checked.findings:
        raise Unusable(f"{folder} is not a graph; `concordat graph check {folder}` names every problem")
    return load(checked.read.rows())
