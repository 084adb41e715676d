"""The envelope of every event: CloudEvents 1.0, structured mode, JSON."""

from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, PlainSerializer

JsonObject = dict[str, Any]
EventT = TypeVar("EventT", bound="CloudEvent")


def rfc3339(moment: datetime) -> str:
    """A moment in UTC with a `Z`, microseconds only where there are any (RFC 3339)."""
    return moment.isoformat().replace("+00:00", "Z")


Instant = Annotated[datetime, PlainSerializer(rfc3339, return_type=str)]
"""A UTC instant; on the wire RFC 3339 with `Z`."""


class Contract(BaseModel):
    """What two services say to each other: frozen, and closed to unknown fields so that none is dropped unread."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class CloudEvent(Contract):
    """CloudEvents 1.0 attributes (specification sections 3.1 and 3.2, and the distributed tracing extension)."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str
    type: str
    time: Instant
    subject: str | None = None
    datacontenttype: Literal["application/json"] = "application/json"
    traceparent: str | None = None

    def encode(self) -> bytes:
        """The event as JSON bytes, without the attributes that are absent."""
        return self.model_dump_json(exclude_none=True).encode()
