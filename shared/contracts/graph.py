"""A commit of the agreement graph: what changed, and the root that must come out."""

from typing import Literal

from pydantic import Field

from shared.contracts.envelope import CloudEvent, Contract, Instant, JsonObject


class GraphCommit(Contract):
    """One transaction of the registry.

    `objects` are the graph objects as they stand after the commit (new or changed ones only; none is ever
    deleted). `root` is the Merkle root over all objects of the graph after it, `parent_root` before it ("" for
    the first). `part`/`parts`: a commit larger than one record is published in parts, in order. `complete` is there
    and false where a commit is too large for the topic: it holds no object, and the graph is read whole.
    """

    version: int = Field(ge=1)
    parent_root: str
    root: str
    committed_at: Instant
    principal: str
    reason: str
    objects: list[JsonObject]
    part: int = Field(default=1, ge=1)
    parts: int = Field(default=1, ge=1)
    complete: Literal[False] | None = None


class GraphCommitted(CloudEvent):
    """The registry committed a change of the graph."""

    type: Literal["uk.concordat.graph.committed.v1"] = "uk.concordat.graph.committed.v1"
    data: GraphCommit


GRAPH_LINES = "application/x-ndjson"
"""The form of `GET /v1/graph` for whoever takes the graph whole: its head on the first line (GraphHead), then each
object on one, sorted by kind and id, as `{"id":…,"kind":…,"object":…}` with the object's canonical bytes."""


class GraphHead(Contract):
    """The first line of a graph in lines."""

    version: int
    root: str
    committed_at: Instant


class GraphDocument(Contract):
    """The whole graph at a version, as `GET /v1/graph` serves it."""

    version: int
    root: str
    committed_at: Instant
    objects: list[JsonObject]
