"""The flows of the router: route concerns, follow the graph, close what the notifier has."""

from services.router.usecases.graph import (
    Adopted,
    Applied,
    GraphNews,
    GraphPorts,
    catch_up,
    follow_graph,
    newer_at_registry,
    refresh_graph,
)
from services.router.usecases.routing import Routed, close_notices, route_concerns

__all__ = [
    "Adopted",
    "Applied",
    "GraphNews",
    "GraphPorts",
    "Routed",
    "catch_up",
    "close_notices",
    "follow_graph",
    "newer_at_registry",
    "refresh_graph",
    "route_concerns",
]
