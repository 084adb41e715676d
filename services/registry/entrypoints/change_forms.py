"""What comes in about changes, as the domain's own words."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date, datetime
from functools import partial
from typing import Annotated, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from services.registry.domain.change import Signature
from services.registry.domain.lifecycle import Turn
from services.registry.domain.model import EventName, GraphObject
from services.registry.entrypoints.forms import VERSION_MAX, Text, graph_objects
from services.registry.entrypoints.moments import NoMoment, day_of, instant
from services.registry.usecases.change_content import Draft, Objects
from services.registry.usecases.lifecycle import Turning
from shared.contracts.envelope import JsonObject

OBJECTS_MAX = 20_000
SIGNATURES_MAX = 20_000
MomentT = TypeVar("MomentT", bound=date)
Note = Annotated[str, Field(max_length=2_000)]
Digest = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", description="SHA-256 in lower-case hex")]
Slug = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,128}$")]
Rows = Annotated[list[JsonObject], Field(max_length=OBJECTS_MAX)]
Version = Annotated[int, Field(ge=0, le=VERSION_MAX, description="the version of the graph that was read")]


def _day(value: object) -> date:
    """No other way to write a day counts: a number would be read as seconds since 1970."""
    return _read(partial(day_of, hint=""), value)


def _moment(value: object) -> datetime:
    return _read(instant, value)


def _read(read: Callable[[str], MomentT], value: object) -> MomentT:
    try:
        return read(value if isinstance(value, str) else "")
    except NoMoment as fault:
        raise PydanticCustomError("no_moment", "{said}", {"said": str(fault)}) from None


Day = Annotated[date, Field(description="a civil day in London, YYYY-MM-DD"), BeforeValidator(_day)]
Moment = Annotated[AwareDatetime, BeforeValidator(_moment)]


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class PartForm(_Form):
    """A part of what is proposed; `more`: further parts follow."""

    objects: Annotated[Rows, Field(min_length=1)]
    more: bool = False

    def part(self) -> Objects:
        """Raises Problem 422 naming every object that has no form."""
        return Objects(graph_objects(self.objects), self.more)


class RevisionForm(_Form):
    """The body of `…/revision`: it replaces everything that was proposed."""

    reason: Text
    parent_version: Version
    objects: Rows = []
    more: bool = False

    def draft(self) -> Draft:
        """Raises Problem 422 naming every object that has no form."""
        more = self.more or not self.objects
        return Draft("", self.reason, self.parent_version, Objects(graph_objects(self.objects), more))


class ChangeForm(RevisionForm):
    """The body of `POST /v1/changes`. Without objects, or with `more`, parts follow at `…/objects`."""

    title: Text

    def draft(self) -> Draft:
        """Raises Problem 422 naming every object that has no form."""
        return replace(super().draft(), title=self.title)


class ReviewForm(_Form):
    """The body of `…/review`."""

    note: Note = ""


class NothingForm(_Form):
    """The body of a step that needs none: `{}` or nothing at all."""


class ApprovalForm(_Form):
    """The body of `…/approval`: the digest of the difference that was read."""

    difference: Digest


class ReasonForm(_Form):
    """The body of `…/withdrawal`."""

    reason: Text


class SignatureRow(_Form):
    """One signature under the terms of one agreement."""

    agreement: Slug
    party: Slug
    terms_digest: Digest


class SignatureForm(_Form):
    """The body of `…/signatures`: one signature, or a list of them; `evidence` names the document of recorded ones."""

    agreement: Slug | None = None
    party: Slug | None = None
    terms_digest: Digest | None = None
    signatures: Annotated[list[SignatureRow], Field(max_length=SIGNATURES_MAX)] = []
    evidence: Note = ""

    @model_validator(mode="after")
    def _one_form(self) -> "SignatureForm":
        alone = (self.agreement, self.terms_digest)
        if self.signatures and any((*alone, self.party)):
            raise ValueError("give one signature or `signatures`, not both")
        if not self.signatures and not all(alone):
            raise ValueError("`agreement` and `terms_digest` are needed, or `signatures`")
        return self

    def given(self, org: str) -> Sequence[Signature]:
        """The signatures; without a party it is the caller's own organisation that signs."""
        if self.signatures:
            return [Signature(row.agreement, row.party, row.terms_digest) for row in self.signatures]
        return [Signature(self.agreement or "", self.party or org, self.terms_digest or "")]


class AgreementForm(_Form):
    """The body of `POST /v1/agreements`: one agreement that the graph does not have."""

    title: Text | None = None
    reason: Text
    parent_version: Version
    agreement: JsonObject

    def draft(self) -> Draft:
        """Raises Problem 422 where the agreement has no form."""
        row = {"kind": "agreement", **self.agreement}
        items = graph_objects([row], where="/agreement", kind="agreement")
        return Draft(self.title or f"New agreement {items[0].id}", self.reason, self.parent_version, Objects(items))


class TurnForm(_Form):
    """The body of `…/suspension`, `…/resumption`, `…/termination`: the civil day from which it applies, and why."""

    on: Day
    reason: Text

    def turning(self, agreement: str, event: EventName) -> Turning:
        """What should happen to that agreement."""
        return Turning(agreement, Turn(event, self.on.isoformat()), self.reason)


class WhatIfForm(_Form):
    """The body of `POST /v1/analyses/what-if`; concerns received at or after `since` are decided again."""

    objects: Annotated[Rows, Field(min_length=1)]
    since: Moment | None = None

    def asked(self) -> Sequence[GraphObject]:
        """Raises Problem 422 naming every object that has no form."""
        return graph_objects(self.objects)
