"""What the router decided about a version of a concern."""

from typing import Annotated, Literal

from pydantic import Field

from shared.contracts.envelope import CloudEvent, Contract, Instant


class ToldBody(Contract):
    """A body that is told, by which notice and why (a reason code).

    `onward` and `fields` (the policy of each class that is given) are what it may pass on; absent: nothing.
    """

    org: str
    notice_id: str
    reason: str
    onward: str | None = None
    fields: dict[str, str] | None = None


class RoutedConcern(Contract):
    """The part of the total decision that the originator may see; the whole of it stays with the router.

    `totals` counts every organisation of the graph once, by class.
    """

    decision_id: str
    concern_id: str
    version: int
    round: int
    digest: str
    graph_version: int
    graph_root: str
    engine: str
    decided_at: Instant
    told: list[ToldBody]
    available: list[str]
    hold: list[str]
    unroutable: bool
    totals: dict[str, int]


class ConcernRouted(CloudEvent):
    """The router has decided on a version of a concern (routed, held, or unroutable) and has stored why."""

    type: Literal["uk.concordat.concern.routed.v1"] = "uk.concordat.concern.routed.v1"
    data: RoutedConcern


class NoticeTakenBack(Contract):
    """The notice that takes another back: `of` is the other one, which told the body of that version."""

    org: str
    notice_id: str
    of: str
    version: int
    reason: str


class UndoneConcern(Contract):
    """What was taken back. A recall is said whoever was told, so that intake knows that the router has it."""

    concern_id: str
    kind: Literal["withdrawal", "recall"]
    undone_at: Instant
    notices: list[NoticeTakenBack]


class ConcernUndone(CloudEvent):
    """The router takes back what was told of a concern: what a body may no longer know, or, by a recall, all of it."""

    type: Literal["uk.concordat.concern.undone.v1"] = "uk.concordat.concern.undone.v1"
    data: UndoneConcern


DecisionEvent = Annotated[ConcernRouted | ConcernUndone, Field(discriminator="type")]
"""What lies in the topic of decisions."""
