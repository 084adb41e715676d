"""What callers send: the concern of a preview."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from shared.contracts.envelope import rfc3339

LIST_MAX = 64
DELTA_MAX = 200
Term = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9@_./:-]+$")]
Terms = Annotated[list[Term], Field(max_length=LIST_MAX)]


def _written_out(value: object) -> object:
    """A number would be read as seconds since 1970, which nobody means."""
    if isinstance(value, str) and not _MOMENT.match(value):
        raise ValueError("write the instant out, with its offset: 2025-03-03T10:00:00Z")
    return value


_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T")
Moment = Annotated[AwareDatetime, BeforeValidator(_written_out)]
IGNORED = ("originator_ref", "version", "summary", "annex", "source", "contact", "immediate_action")
IGNORED_OF_SUBJECT = ("name", "identifiers")


class _Form(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=False)


class SubjectForm(_Form):
    """A subject without its name and identifiers, which decide nothing."""

    kind: Term
    registers: Terms = []
    org: Term | None = None


class GatewayForm(_Form):
    """A person's recorded decision that opens a gateway of a bar."""

    id: Term
    decided_by: str = Field(default="", max_length=200)
    reason: str = Field(default="", max_length=4000)


class NecessityForm(_Form):
    """Why disclosure is necessary, and who decided that."""

    statement: str = Field(min_length=1, max_length=4000)
    decided_by: str = Field(default="", max_length=200)


class HopForm(_Form):
    """One step of the way that the information has come, as the routing of what is built on others carries it.

    `granted`: the bodies to which its giver lets it go on; `fields`: what each class of detail was given as (absent: it
    is not stated). By whom, and of which concern and notice, decides nothing.
    """

    sender: Term = Field(alias="from")
    recipient: Term = Field(alias="to")
    onward: Term
    clause: Term | None = None
    granted: Terms = []
    fields: Annotated[dict[Term, Term], Field(max_length=LIST_MAX)] | None = None
    granted_by: str = Field(default="", max_length=200)
    concern_id: Term | None = None
    version: int | None = Field(default=None, ge=1)
    notice_id: Term | None = None


class ConcernForm(_Form):
    """The clear part of a concern; nothing is required but who raises it and a category.

    `field_classes`: the classes of detail that it would carry, which intake finds by itself; absent: any.
    """

    originator: Term
    categories: Annotated[list[Term], Field(min_length=1, max_length=LIST_MAX)]
    received_at: AwareDatetime | None = None
    incident_date: date | None = None
    topics: Terms = []
    functions: Terms = []
    flags: Terms = []
    purposes: Terms = []
    urgency: Term | None = None
    nation: Term | None = None
    setting: Term | None = None
    victim: Term | None = None
    fault_holder: Term | None = None
    provider_status: Term | None = None
    sensitivity: Terms = []
    source_type: Term | None = None
    source_protected: bool = False
    named_recipients: Terms = []
    subjects: Annotated[list[SubjectForm], Field(max_length=LIST_MAX)] = []
    marking: Term | None = None
    onward: Term | None = None
    gateways: Annotated[list[GatewayForm], Field(max_length=LIST_MAX)] = []
    necessity: NecessityForm | None = None
    subject_informed: Term | None = None
    min_graph_token: Term | None = None
    field_classes: Terms = []
    provenance: Annotated[list[HopForm], Field(max_length=LIST_MAX)] = []

    def routing(self, now: datetime) -> dict[str, Any]:
        """The routing part as intake would hand it on; received now unless it says otherwise."""
        values = self.model_dump(mode="json", exclude_none=True, by_alias=True)
        return {**values, "received_at": rfc3339(self.received_at or now)}


class PreviewForm(_Form):
    """The body of `POST /v1/decisions/preview`."""

    concern: ConcernForm
    as_of: Moment | None = None
    known_at: Moment | None = None
    graph_delta: Annotated[list[dict[str, Any]], Field(max_length=DELTA_MAX)] = []


def without_detail(body: Any) -> tuple[Any, list[str]]:
    """The body without names, identifiers and texts, and the JSON Pointers of what was left out.

    They decide nothing, so they are dropped before anything else looks at them; what has another form than expected
    is left for the form to refuse.
    """
    concern = body.get("concern") if isinstance(body, dict) else None
    if not isinstance(concern, dict):
        return body, []
    ignored = [f"/concern/{name}" for name in IGNORED if name in concern]
    clear = {name: value for name, value in concern.items() if name not in IGNORED}
    subjects = clear.get("subjects")
    if isinstance(subjects, list):
        clear["subjects"] = [_without(IGNORED_OF_SUBJECT, row) for row in subjects]
        ignored += [
            f"/concern/subjects/{number}/{name}"
            for number, row in enumerate(subjects)
            for name in IGNORED_OF_SUBJECT
            if isinstance(row, dict) and name in row
        ]
    return {**body, "concern": clear}, ignored


def _without(names: tuple[str, ...], row: Any) -> Any:
    return {name: value for name, value in row.items() if name not in names} if isinstance(row, dict) else row
