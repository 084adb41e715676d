"""The same graph under other assumptions: one agreement by itself, assumed clauses on or off."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from shared.agreements.model import Graph


def with_assumed(policy: Mapping[str, Any], *, on: bool) -> dict[str, Any]:
    """The policy object with assumed clauses switched on or off as a whole; agreements' own switches are kept."""
    switch = {"default": on, "agreements": dict(policy["assumed_clauses"]["agreements"])}
    return {**policy, "assumed_clauses": switch}


def assuming(graph: Graph, *, on: bool) -> Graph:
    """The graph with every assumed clause switched on or off."""
    return replace(graph, policy=replace(graph.policy, assumed_clauses=on, assumed_by_agreement={}))


def alone(graph: Graph, agreement: str) -> Graph:
    """One agreement by itself, with successions and remits, assumed clauses on, without bars: how examples are read.

    Raises KeyError for an agreement that the graph does not have.
    """
    only = {agreement: graph.agreements[agreement]}
    return replace(assuming(graph, on=True), agreements=only, duties={}, bars={})
