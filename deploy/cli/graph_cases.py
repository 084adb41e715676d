"""Worked cases held against a graph: what it would decide, and every difference from what is expected."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.table import Column, Table

from deploy.cli.scenarios import differences, orgs_of
from services.registry.adapters.seed_files import SeedUnreadable, read_objects, read_yaml
from shared.agreements import Graph, GraphInvalid, Snapshot, assuming, decide, facts_of, load

FORMAT = "concordat.scenarios/1"
SHOWN = ("told", "available", "gap", "held")


class Unusable(click.ClickException):
    """A file that is no graph or no scenario; the text names the file and every fault."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Tried:
    """One case decided: the bodies of each class, and every difference from what is expected."""

    file: str
    name: str
    bodies: Mapping[str, list[str]]
    differences: list[str]


def run_cases(files: tuple[Path, ...], folder: Path, *, as_json: bool) -> bool:
    """Decide every case, print the outcome and give whether all came out as expected. Raises Unusable."""
    scenarios = {path: _scenarios(path) for path in files}  # first: a file that is none costs no reading of the graph
    known = _graph(folder)
    tried = [row for path, found in scenarios.items() for row in _try_all(path, found, known)]
    if as_json:
        click.echo(json.dumps({"cases": [_to_json(row) for row in tried]}, indent=2))
    else:
        _show(tried)
    return not any(row.differences for row in tried)


def _graph(folder: Path) -> Graph:
    try:
        return load(read_objects(folder))
    except SeedUnreadable as fault:
        raise Unusable(str(fault)) from fault
    except GraphInvalid as fault:
        raise Unusable(f"{folder} is not a graph:\n{fault}") from fault


def _try_all(path: Path, scenarios: list[Mapping[str, Any]], known: Graph) -> Iterator[Tried]:
    for scenario in scenarios:
        for case in scenario.get("cases", ()):
            name = f"{scenario.get('id')} {case.get('case')}"
            try:
                yield _try(case, known, file=path.name, name=name)
            except (KeyError, TypeError, ValueError, AttributeError) as fault:
                raise Unusable(f"{path}: case {name} is malformed: {type(fault).__name__} {fault}") from fault


def _scenarios(path: Path) -> list[Mapping[str, Any]]:
    try:
        content = read_yaml(path)
    except SeedUnreadable as fault:
        raise Unusable(str(fault)) from fault
    if not isinstance(content, Mapping) or content.get("format") != FORMAT:
        raise Unusable(f"{path} holds no cases: begin it with `format: {FORMAT}` (docs/howto/test-a-graph.md)")
    scenarios = content.get("scenarios")
    if not isinstance(scenarios, list) or not all(isinstance(row, Mapping) for row in scenarios):
        raise Unusable(f"{path}: scenarios must be a list")
    return scenarios


def _try(case: Mapping[str, Any], known: Graph, *, file: str, name: str) -> Tried:
    """`assumed_clauses` of the case stands in for the policy's switch."""
    under = Snapshot(assuming(known, on=case.get("assumed_clauses", False)), version=0, root="")
    decision = decide(under, facts_of(case["concern"])).to_json()
    bodies = {klass: orgs_of(decision, klass) for klass in SHOWN}
    return Tried(file, name, bodies, differences(case["expected"], decision))


def _to_json(row: Tried) -> dict[str, Any]:
    return {"file": row.file, "case": row.name, **row.bodies, "differences": row.differences}


def _show(tried: list[Tried]) -> None:
    table = Table(*(Column(name, overflow="fold") for name in ("case", *SHOWN, "result")), box=None, pad_edge=False)
    for row in tried:
        result = f"{len(row.differences)} differ" if row.differences else "as expected"
        table.add_row(row.name, *(", ".join(row.bodies[klass]) for klass in SHOWN), result)
    Console().print(table)
    for row in tried:
        for line in row.differences:
            click.echo(f"{row.file}: {row.name}: {line}")
    wrong = sum(bool(row.differences) for row in tried)
    click.echo(f"{len(tried)} cases, {wrong} with differences")
