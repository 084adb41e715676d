"""The flows of the router: route concerns, follow the graph, close what the notifier has."""

from services.router.usecases.graph import Adopted, Applied, GraphNews, GraphPorts, Refused, follow_graph, refresh_graph
from services.router.usecases.routing import Routed, close_notices, route_concerns

__all__ = [
    "Adopted",
    "Applied",
    "GraphNews",
    "GraphPorts",
    "Refused",
    "Routed",
    "close_notices",
    "follow_graph",
    "refresh_graph",
    "route_concerns",
]
