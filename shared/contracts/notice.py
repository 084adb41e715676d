"""A notice: one body is to be told of one version of a concern."""

from typing import Literal

from pydantic import Field

from shared.contracts.concern import Sealed
from shared.contracts.envelope import CloudEvent, Contract, Instant, JsonObject

Kind = Literal["tell", "recall", "withdrawal", "invitation"]
Policy = Literal["omit", "pseudonymise", "generalise", "full"]


class Because(Contract):
    """A clause that tells this body. `signed_as` are the parties as signed, `path` the successions between."""

    agreement: str
    clause: str
    signed_as: dict[str, str]
    path: list[str]


class Notice(Contract):
    """All that the notifier needs to tell one body; it reads no graph.

    `fields` gives the policy for each field class, `withheld` the classes left out with the reason, `duties` the
    strictest time limits and tasks, `valid_until` the earliest end of the telling clauses. `accepted_at` is when intake
    accepted this version of the concern: from there a historic concern ages, however long it was held. `retry_seconds`
    are the longest pauses before each attempt where the agreement sets them; the last one repeats.
    """

    notice_id: str
    decision_id: str
    concern_id: str
    version: int = Field(ge=1)
    round: int = Field(ge=1)
    kind: Kind
    ref: str = ""
    recipient: str
    lane: int = Field(ge=0)
    reason: str
    because: list[Because]
    fields: dict[str, Policy]
    withheld: dict[str, str]
    pointer_only: bool = False
    duties: JsonObject
    onward: str
    valid_until: Instant | None = None
    retry_seconds: list[int] | None = None
    graph_version: int
    graph_root: str
    accepted_at: Instant
    routing: JsonObject
    sealed: Sealed


class NoticeIssued(CloudEvent):
    """The router decided that a body is told; the notifier takes it from here."""

    type: Literal["uk.concordat.notice.issued.v1"] = "uk.concordat.notice.issued.v1"
    data: Notice
