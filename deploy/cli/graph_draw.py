"""`concordat graph draw`: the agreement graph, or one body's neighbourhood, as a picture of one day."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from difflib import get_close_matches

import click

from deploy.cli.graph_sources import NoGraph, Row
from deploy.draw import neighbourhood, whole
from deploy.draw.frame import words_of
from deploy.draw.network import Network, network_of
from shared.agreements import Graph, GraphInvalid, load

BODIES_MAX = 400
TIES_MAX = 1_000
"""What a person can still read on one picture."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What to draw: the day, the body or None for all, and as of when it was known, "" for now."""

    day: date
    body: str | None
    known: str


def shown(rows: Iterable[Row], asked: Asked) -> str:
    """What a picture would show, as JSON. Raises NoGraph."""
    graph = _graph(rows)
    network = network_of(graph, asked.day)
    return _json(_around(network, graph, asked.body) if asked.body else network, asked.known)


def picture(rows: Iterable[Row], asked: Asked) -> str:
    """The picture as SVG. Raises NoGraph."""
    graph = _graph(rows)
    network, body, known = network_of(graph, asked.day), asked.body, asked.known
    if body is None:
        if len(network.bodies) > BODIES_MAX:
            raise NoGraph(f"{len(network.bodies)} bodies are more than {BODIES_MAX}: name one with --body.")
        return whole.draw(network, words_of(network, "The agreement graph", known))
    near = _around(network, graph, body)
    if len(near.ties) > TIES_MAX:
        raise NoGraph(f"{len(near.ties)} ties of {body} are more than {TIES_MAX}: --json shows them all.")
    title = f"{near.bodies[body].name}: the agreements in force"
    return neighbourhood.draw(near, body, words_of(near, title, known))


def _graph(rows: Iterable[Row]) -> Graph:
    try:
        return load(rows)
    except GraphInvalid as fault:
        raise NoGraph(f"This is not a graph:\n{fault}") from fault


def _around(network: Network, graph: Graph, body: str) -> Network:
    if body in network.bodies:
        return network.around(body)
    if body in graph.organisations:
        acting = ", ".join(
            sorted(b.id for b in network.bodies.values() if graph.organisations[body].name in b.formerly)
        )
        heirs = f" Its agreements are those of {acting} that day." if acting else ""
        raise NoGraph(f"No agreement in force on {network.day} joins {body} to anybody.{heirs}")
    near = get_close_matches(body, sorted(graph.organisations), 1)
    raise NoGraph(f"{body!r} is no organisation of the graph.{f' Did you mean {near[0]!r}?' if near else ''}")


def _json(network: Network, known: str) -> str:
    return json.dumps({"known_at": known or None, **network.to_json()}, indent=2, ensure_ascii=False)


def written(text: str, output: str) -> None:
    """Put a text into a file, or onto standard output for `-`."""
    try:
        with click.open_file(output, "w", encoding="utf-8") as file:
            file.write(text)
    except OSError as fault:
        raise NoGraph(f"{output} cannot be written: {fault.strerror}.") from None
