"""What is sent to propose a panel, and for each step of it: a form of its own, so that every bad field has its name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, Literal, get_args

from pydantic import BeforeValidator, ConfigDict, Field, ValidationInfo, field_validator

from services.router.domain.convening import Level, PanelKind, StepName
from services.router.entrypoints.acting import ORGANISATIONS_MAX, ActForm, Organisations
from services.router.entrypoints.forms import Term
from shared.contracts.envelope import JsonObject

ALSO_MAX = 31


def _written_out(value: object) -> object:
    """A number would be read as seconds since 1970, and an instant as its day in no place."""
    if not (isinstance(value, str) and re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value)):
        raise ValueError("write the day out: 2025-03-03")
    return value


Words = Annotated[str, Field(min_length=1, max_length=4000, pattern=r"\S")]
ByName = Annotated[dict[Term, Words], Field(max_length=ORGANISATIONS_MAX)]
Day = Annotated[date, BeforeValidator(_written_out)]
Name = Annotated[str, Field(min_length=1, max_length=200, pattern=r"\S")]


class PanelForm(ActForm):
    """The body of `POST /v1/panels`; `decided_by` is the person who convenes, `reason` why not a routine meeting.

    `also` are further concerns that it is about, such as those that came together about one subject. `level` is that of
    the quality response that it belongs to; a Regulatory Review Panel belongs to none.
    """

    kind: PanelKind
    concern_id: Term
    also: Annotated[tuple[Term, ...], Field(max_length=ALSO_MAX)] = ()
    decided_by: Name
    quorum: int = Field(default=2, ge=1, le=64, strict=True)
    level: Level | None = None

    @field_validator("level")
    @classmethod
    def _level_fits_the_kind(cls, level: Level | None, info: ValidationInfo) -> Level | None:
        if level is not None and info.data.get("kind") == "rrp":
            raise ValueError("a Regulatory Review Panel has no level: leave it out")
        return level


class StepForm(ActForm):
    """What every step states. `reason` is what is said: why, the decision, the dissent, what to do."""

    event: StepName
    decided_by: Name

    @property
    def stated(self) -> JsonObject:
        """The fields of the event."""
        return self.model_dump(mode="json", exclude={"event", "decided_by", "reason"})


class BareForm(StepForm):
    """A step with nothing more to it."""

    event: Literal["contributions-opened", "quorum-not-met", "dissented", "withdrawn"]


class ConvenedForm(StepForm):
    """Who is invited, and the `position` of the person who convenes."""

    event: Literal["convened"]
    organisations: Organisations
    position: Words


class BodiesForm(StepForm):
    """Who is invited late, who is present, or who was asked what it holds and gave nothing."""

    event: Literal["invited", "attended", "no-contribution"]
    organisations: Organisations


class RespondedForm(StepForm):
    """What an invited body answers to its invitation."""

    event: Literal["responded"]
    response: Literal["attending", "not-attending"]


class HeldForm(StepForm):
    """A body holds something: on which lawful basis it discloses that to the panel, and why this is necessary."""

    event: Literal["contributed"]
    answer: Literal["held"]
    lawful_basis: Words
    why_necessary: Words


class NothingHeldForm(StepForm):
    """A body holds nothing, which is an answer."""

    event: Literal["contributed"]
    answer: Literal["nothing-held"]


class CannotDiscloseForm(StepForm):
    """A body may not say what it holds, or whether it does, for a reason in law."""

    event: Literal["contributed"]
    answer: Literal["cannot-disclose"]
    legal_reason: Words


class DecidedForm(StepForm):
    """What is decided, and what each body that dissented at the table said."""

    event: Literal["decided"]
    outcome: Literal["no-further-action", "one-body-leads", "joint-plan", "bilateral", "escalate", "monitor"]
    dissent: ByName = Field(default_factory=dict)


class ToldForm(StepForm):
    """The provider or registrant of a concern was told, on a day."""

    event: Literal["subject-told"]
    concern_id: Term
    subject: Literal["provider", "registrant"]
    told: Literal["yes"]
    told_on: Day


class NotToldForm(StepForm):
    """The provider or registrant of a concern was not told, and why not."""

    event: Literal["subject-told"]
    concern_id: Term
    subject: Literal["provider", "registrant"]
    told: Literal["no"]
    why_not: Words


class ActionForm(StepForm):
    """What is to be done, by which body and person, until the end of which day."""

    event: Literal["action-added"]
    action: Term
    owner: Term
    owner_person: Words
    due: Day


class DoneForm(StepForm):
    """An action has been done, and what shows it."""

    event: Literal["action-done"]
    action: Term
    evidence: Words


class ReviewForm(StepForm):
    """The day by the end of which the panel looks at it again."""

    event: Literal["review-set"]
    due: Day


class SteppedDownForm(StepForm):
    """The lower level of the quality response from here on."""

    event: Literal["stepped-down"]
    level: Literal["routine", "enhanced"]


class ClosedForm(StepForm):
    """What was learned, and what went back to the source of each concern, or why nothing did."""

    event: Literal["closed"]
    lessons: Words
    feedback: ByName


_CONTRIBUTIONS = (HeldForm, NothingHeldForm, CannotDiscloseForm)
_TELLINGS = (ToldForm, NotToldForm)
_OTHERS = (
    BareForm, ConvenedForm, BodiesForm, RespondedForm, DecidedForm, ActionForm, DoneForm, ReviewForm, SteppedDownForm,
    ClosedForm,
)  # fmt: skip
STEP_FORMS: tuple[type[StepForm], ...] = (*_CONTRIBUTIONS, *_TELLINGS, *_OTHERS)


class _AnyForm(StepForm):
    """Names what is wrong with the field that says which form it is, and blames no field of that form."""

    model_config = ConfigDict(extra="ignore")


class _AnyContribution(_AnyForm):
    answer: Literal["held", "nothing-held", "cannot-disclose"]


class _AnyTelling(_AnyForm):
    told: Literal["yes", "no"]


def _by(field: str, forms: tuple[type[StepForm], ...]) -> Mapping[str, type[StepForm]]:
    return {value: form for form in forms for value in get_args(form.model_fields[field].annotation)}


_BY_EVENT, _BY_ANSWER, _BY_TOLD = _by("event", _OTHERS), _by("answer", _CONTRIBUTIONS), _by("told", _TELLINGS)


def step_form(said: Any) -> StepForm:
    """The body of `POST /v1/panels/{panel_id}/events` as its event's form. Raises ValidationError."""
    return (_form_of(said) if isinstance(said, dict) else StepForm).model_validate(said)


def _form_of(said: Mapping[str, Any]) -> type[StepForm]:
    match said.get("event"):
        case "contributed":
            return _BY_ANSWER.get(str(said.get("answer")), _AnyContribution)
        case "subject-told":
            return _BY_TOLD.get(str(said.get("told")), _AnyTelling)
        case event:
            return _BY_EVENT.get(str(event), _AnyForm)
