"""What callers send, as forms; every bad field is named at once."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from services.notifier.domain.acknowledgement import Acknowledgement, Word
from services.notifier.domain.destination import URL_LENGTH_MAX
from services.notifier.domain.encryption import key_text
from services.notifier.domain.model import Access, OAuthClient
from services.notifier.usecases.endpoints import Wanted
from services.notifier.usecases.replays import RATE_MAX

CERTIFICATE_LENGTH_MAX = 32_768
SECRET_LENGTH_MAX = 1_024
Code = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
"""A code, never free text: what is said of a notice travels in clear."""


class Form(BaseModel):
    """Closed to unknown fields."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class OAuthForm(Form):
    """How a bearer token is got: OAuth 2.0 client credentials."""

    token_url: str = Field(min_length=1, max_length=URL_LENGTH_MAX)
    client_id: str = Field(min_length=1, max_length=256)
    client_secret: str = Field(min_length=1, max_length=SECRET_LENGTH_MAX)
    scope: str = Field(default="", max_length=1_000)


class EndpointForm(Form):
    """Where an organisation wants to be told, and what it asks of who tells it."""

    url: str = Field(min_length=1, max_length=URL_LENGTH_MAX)
    description: str = Field(default="", max_length=200)
    alternate: bool = False
    retry_seconds: list[int] | None = None
    in_order: bool = False
    encryption_key: dict[str, Any] | None = None
    client_certificate: str = Field(default="", max_length=CERTIFICATE_LENGTH_MAX)
    oauth: OAuthForm | None = None

    def wanted(self, org: str) -> Wanted:
        """In the notifier's words. Raises KeyRefused."""
        oauth = OAuthClient(**self.oauth.model_dump()) if self.oauth else None
        access = Access(self.client_certificate, oauth) if self.client_certificate or oauth else None
        pauses = tuple(self.retry_seconds) if self.retry_seconds else None
        key = key_text(self.encryption_key) if self.encryption_key else ""
        return Wanted(org, self.url, self.description, self.alternate, pauses, access, self.in_order, key)


class EncryptionForm(Form):
    """The public key that an endpoint's messages are encrypted to from now on; none ends it."""

    encryption_key: dict[str, Any] | None


class AcknowledgementForm(Form):
    """What a recipient says of a notice."""

    status: Literal["received", "accepted", "refused", "outcome"]
    reason: Code | None = None
    suggested_body: Code | None = None
    used_for: Code | None = None

    @model_validator(mode="after")
    def _codes_belong(self) -> Self:
        wanted = {"refused": "reason", "outcome": "used_for"}.get(self.status)
        if wanted and getattr(self, wanted) is None:
            raise ValueError(f"`{self.status}` needs `{wanted}`")
        allowed = {"refused": {"reason", "suggested_body"}, "outcome": {"used_for"}}.get(self.status, set())
        for name in ("reason", "suggested_body", "used_for"):
            if getattr(self, name) is not None and name not in allowed:
                raise ValueError(f"`{self.status}` takes no `{name}`")
        return self

    def acknowledgement(self) -> Acknowledgement:
        """In the notifier's words."""
        return Acknowledgement(Word(self.status), self.reason or "", self.suggested_body or "", self.used_for or "")


class ReplayForm(Form):
    """What is to be sent again: the notices registered in `[since, until)`, so many a minute."""

    since: AwareDatetime
    until: AwareDatetime
    rate_per_minute: int = Field(default=600, ge=1, le=RATE_MAX)
    recipient: Code | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if _utc(self.since) >= _utc(self.until):
            raise ValueError("`since` must lie before `until`")
        return self


def request_body(form: type[Form]) -> dict[str, Any]:
    """The body for the OpenAPI document; the route reads the raw bytes itself."""
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": form.model_json_schema()}}}}


def _utc(moment: datetime) -> float:
    return moment.timestamp()
