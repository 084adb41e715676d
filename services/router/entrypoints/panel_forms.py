"""What is sent to propose a panel, and for each step of it."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from services.router.domain.convening import EventName, PanelKind
from services.router.entrypoints.acting import ActForm, Organisations
from services.router.entrypoints.forms import Term
from shared.contracts.envelope import JsonObject

ALSO_MAX = 31
Words = Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S")]
NEEDS: dict[EventName, frozenset[str]] = {
    "convened": frozenset({"organisations"}),
    "invited": frozenset({"organisations"}),
    "contributions-opened": frozenset(),
    "contributed": frozenset({"answer"}),
    "attended": frozenset({"organisations"}),
    "quorum-not-met": frozenset(),
    "decided": frozenset({"outcome"}),
    "dissented": frozenset(),
    "action-added": frozenset({"action", "owner", "owner_person", "due"}),
    "action-done": frozenset({"action", "evidence"}),
    "review-set": frozenset({"due"}),
    "closed": frozenset({"lessons"}),
    "withdrawn": frozenset(),
}


class PanelForm(ActForm):
    """The body of `POST /v1/panels`; `decided_by` is the person who convenes, `reason` why not a routine meeting.

    `also` are further concerns that it is about, such as those that came together about one subject.
    """

    kind: PanelKind
    concern_id: Term
    also: Annotated[tuple[Term, ...], Field(max_length=ALSO_MAX)] = ()
    decided_by: str = Field(min_length=1, max_length=200, pattern=r"\S")
    quorum: int = Field(default=2, ge=1, le=64)


class StepForm(ActForm):
    """The body of `POST /v1/panels/{panel_id}/events`; each event takes its own fields and no others.

    `cannot-disclose` names its legal reason. `reason` is what is said: why, the decision, the dissent, what to do.
    """

    event: EventName
    decided_by: str = Field(min_length=1, max_length=200, pattern=r"\S")
    organisations: Organisations | None = None
    answer: Literal["held", "nothing-held", "cannot-disclose"] | None = None
    legal_reason: Words | None = None
    outcome: Literal["no-further-action", "one-body-leads", "joint-plan", "bilateral", "escalate", "monitor"] | None = (
        None
    )
    action: Term | None = None
    owner: Term | None = None
    owner_person: Words | None = None
    due: date | None = None
    evidence: Words | None = None
    lessons: Words | None = None

    @model_validator(mode="after")
    def _fields_fit_the_event(self) -> StepForm:
        if self.event not in NEEDS:
            raise ValueError("a panel is proposed by POST /v1/panels")
        needed = NEEDS[self.event] | ({"legal_reason"} if self.answer == "cannot-disclose" else set())
        if needed != self.stated.keys():
            raise ValueError(f"{self.event} takes {', '.join(sorted(needed)) or 'no further fields'}, and no others")
        return self

    @property
    def stated(self) -> JsonObject:
        """The fields of the event."""
        return self.model_dump(mode="json", exclude={"event", "decided_by", "reason"}, exclude_none=True)
