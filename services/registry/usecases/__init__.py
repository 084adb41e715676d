"""What the registry does: import the seed once, change the graph, show it, and give tokens to clients."""

from services.registry.usecases.commit import append_change, as_contract, as_object, import_seed
from services.registry.usecases.graph import Graph, find_object, read_commits, read_graph, read_head
from services.registry.usecases.tokens import TOKEN_SECONDS, Issued, Issuer, issue_token, own_token

__all__ = [
    "TOKEN_SECONDS",
    "Graph",
    "Issued",
    "Issuer",
    "append_change",
    "as_contract",
    "as_object",
    "find_object",
    "import_seed",
    "issue_token",
    "own_token",
    "read_commits",
    "read_graph",
    "read_head",
]
