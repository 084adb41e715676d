"""The form of a concern: types, lengths, patterns, dates and known fields. Terms and bodies are the router's to know.

Every length is named here. A message never repeats what was sent.
"""

from datetime import date, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidatorFunctionWrapHandler,
    WrapValidator,
)
from pydantic_core import PydanticCustomError

from services.intake.domain.model import RecallReason
from shared.contracts.envelope import rfc3339

SUBMITTED = "uk.concordat.concern.submitted.v1"
ANNEX_BYTES_MAX = 64 * 1024
TEXT_LENGTH_MAX = 4_000
LINE_LENGTH_MAX = 200
TERMS_MAX = 64
SUBJECTS_MAX = 64
IDENTIFIERS_MAX = 16
SOURCES_MAX = 16


def _civil_date(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise PydanticCustomError("civil_date", "this day does not exist in the calendar") from None


def _instant(text: str) -> str:
    try:
        return rfc3339(datetime.fromisoformat(text))
    except ValueError:
        raise PydanticCustomError("instant", "this moment does not exist") from None


def _annex_in_all(items: list[Any]) -> list[Any]:
    if sum(len(item.text.encode()) + len(item.label.encode()) for item in items) > ANNEX_BYTES_MAX:
        raise PydanticCustomError("annex_bytes", "the annex holds more than 65536 bytes in all; send it by reference")
    return items


def _one_text(value: Any, handler: ValidatorFunctionWrapHandler) -> Any:
    """A plain text stands for an object with that text alone."""
    if not isinstance(value, str):
        return handler(value)
    if len(value) > LINE_LENGTH_MAX:
        raise PydanticCustomError("string_too_long", "String should have at most 200 characters")
    return {"text": value}


Slug = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}$")]
Slugs = Annotated[list[Slug], Field(max_length=TERMS_MAX)]
Reference = Annotated[str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\p{C}\p{Zl}\p{Zp}]+$")]
Line = Annotated[str, StringConstraints(min_length=1, max_length=LINE_LENGTH_MAX, pattern=r"^[^\p{Cc}\p{Zl}\p{Zp}]+$")]
Text = Annotated[str, StringConstraints(max_length=TEXT_LENGTH_MAX)]
GatewayId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,63}/[a-z0-9][a-z0-9_-]{0,63}$")]
Marking = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Z-]{0,63}$")]
ConcernName = Annotated[str, StringConstraints(pattern=r"^con_[0-9a-f]{32}$")]
NoticeName = Annotated[str, StringConstraints(pattern=r"^ntc_[0-9a-f]{32}$")]
GraphToken = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._:~-]{1,128}$")]
CivilDate = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), AfterValidator(_civil_date)]
UtcInstant = Annotated[
    str,
    StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$"),
    AfterValidator(_instant),
]
Person = Annotated[dict[Slug, Line], Field(max_length=16), WrapValidator(_one_text)]
"""Who someone is, as labelled lines such as `{name, role, phone}`, or as one line."""


class _Form(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, hide_input_in_errors=True)


class IdentifierForm(_Form):
    """An identifier of a subject; whether it is well formed is a flag, never a refusal."""

    scheme: Slug
    value: Annotated[str, StringConstraints(min_length=1, max_length=64)]


class SubjectForm(_Form):
    """Whom or what the concern is about."""

    kind: Slug
    registers: Slugs | None = None
    org: Slug | None = None
    name: Line | None = None
    identifiers: Annotated[list[IdentifierForm], Field(max_length=IDENTIFIERS_MAX)] | None = None


class AnnexItemForm(_Form):
    """A piece of identifiable detail, labelled with its field class."""

    class_: Annotated[Slug, Field(alias="class")]
    label: Line
    text: str


class GatewayForm(_Form):
    """A person's recorded decision that opens a gateway of a bar."""

    id: GatewayId
    decided_by: Line
    reason: Text


class NecessityForm(_Form):
    """Why the disclosure is necessary, and who decided so."""

    statement: Text
    decided_by: Line


class LeaveForm(_Form):
    """Bodies to which the originator of the source lets it go on, and the person there who said so."""

    to: Annotated[list[Slug], Field(min_length=1, max_length=TERMS_MAX)]
    given_by: Line


class SourceForm(_Form):
    """Another concern that this one is built on, by the notice that told the sender's body of it."""

    concern_id: ConcernName
    notice_id: NoticeName
    leave: LeaveForm | None = None


class ConcernForm(_Form):
    """A concern as it is sent."""

    originator: Slug
    originator_ref: Reference
    version: Annotated[int, Field(ge=1, le=2_147_483_647)]
    received_at: UtcInstant | None = None
    incident_date: CivilDate | None = None
    categories: Annotated[list[Slug], Field(min_length=1, max_length=TERMS_MAX)]
    topics: Slugs | None = None
    functions: Slugs | None = None
    flags: Slugs | None = None
    purposes: Slugs = Field(default_factory=lambda: ["regulatory-function"])  # copied deep, if given here
    urgency: Slug = "emerging"
    nation: Slug | None = None
    setting: Slug | None = None
    victim: Slug | None = None
    fault_holder: Slug | None = None
    provider_status: Slug | None = None
    sensitivity: Slugs | None = None
    source_type: Slug | None = None
    source_protected: bool | None = None
    named_recipients: Slugs | None = None
    subjects: Annotated[list[SubjectForm], Field(max_length=SUBJECTS_MAX)] | None = None
    summary: Text | None = None
    annex: Annotated[list[AnnexItemForm], Field(max_length=TERMS_MAX), AfterValidator(_annex_in_all)] | None = None
    source: Person | None = None
    contact: Person | None = None
    marking: Marking | None = None
    onward: Literal["none", "ask_originator", "free"] | None = None
    gateways: Annotated[list[GatewayForm], Field(max_length=TERMS_MAX)] | None = None
    necessity: NecessityForm | None = None
    subject_informed: Literal["yes", "no", "prejudicial"] | None = None
    immediate_action: Text | None = None
    min_graph_token: GraphToken | None = None
    provenance: Annotated[list[SourceForm], Field(max_length=SOURCES_MAX)] | None = None


class SubmittedForm(BaseModel):
    """The same as a CloudEvent; extension attributes are allowed (CloudEvents 1.0, section 3.1) and not used."""

    model_config = ConfigDict(extra="ignore", strict=True, frozen=True, hide_input_in_errors=True)

    specversion: Literal["1.0"]
    id: Line
    source: Line
    type: Literal["uk.concordat.concern.submitted.v1"]
    time: UtcInstant | None = None
    datacontenttype: Literal["application/json"] | None = None
    data: ConcernForm


class RecallForm(_Form):
    """A recall as it is sent; free text is not taken, so that none travels in clear."""

    reason: RecallReason
