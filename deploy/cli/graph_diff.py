"""`concordat graph diff`: what differs between two graphs, object by object and field by field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import click

from deploy.cli.graph_sources import Source
from services.registry.domain.difference_of_graphs import FieldChange, GraphDifference, difference_of_graphs

VALUE_MAX = 400


def compared(before: Source, after: Source) -> GraphDifference:
    """What it takes to come from the one to the other."""
    return difference_of_graphs(before.rows, after.rows)


def show(before: Source, after: Source, found: GraphDifference) -> None:
    """Print the difference for a person."""
    click.echo(f"from {before.label} ({len(before.rows)} objects)\nto   {after.label} ({len(after.rows)} objects)")
    for line in _lines(found):
        click.echo(line)
    if found.is_empty:
        click.echo("no difference")
    else:
        click.echo(f"{len(found.added)} new, {len(found.changed)} changed, {len(found.removed)} gone")


def _lines(found: GraphDifference) -> Iterator[str]:
    yield from (click.style(f"+ {kind} {name}", fg="green") for kind, name in found.added)
    yield from (click.style(f"- {kind} {name}", fg="red") for kind, name in found.removed)
    for change in found.changed:
        yield f"~ {change.kind} {change.id}"
        for field in change.fields:
            yield from _field(field)


def _field(field: FieldChange) -> Iterator[str]:
    yield f"    {field.path}"
    yield click.style(f"      - {_value(field.before)}", fg="red")
    yield click.style(f"      + {_value(field.after)}", fg="green")


def _value(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= VALUE_MAX else f"{text[:VALUE_MAX]}… ({len(text)} characters; --json shows all)"


def to_json(before: Source, after: Source, found: GraphDifference) -> str:
    """The difference for programs; paths are JSON Pointers with an item's name in the place of its number."""
    changed = [
        {
            "kind": change.kind,
            "id": change.id,
            "fields": [{"path": f.path, "before": f.before, "after": f.after} for f in change.fields],
        }
        for change in found.changed
    ]
    added, removed = ([{"kind": kind, "id": name} for kind, name in keys] for keys in (found.added, found.removed))
    sides = {"from": before.label, "to": after.label}
    return json.dumps({**sides, "added": added, "removed": removed, "changed": changed}, indent=2, ensure_ascii=False)
