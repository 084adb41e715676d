"""Settings: parsed once at start, frozen, and passed. Every fault is reported at once, no value of a secret ever."""

import sys
from pathlib import Path
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

SettingsT = TypeVar("SettingsT", bound="BaseServiceSettings")


class TokenIssuer(BaseModel):
    """An issuer of bearer tokens and where its public keys are."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str
    jwks_url: str


class BaseServiceSettings(BaseSettings):
    """What every service is told at start. Each service adds its own and its prefix."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore")

    database_url: SecretStr = Field(description="Postgres of this service's role, as postgresql+asyncpg://…")
    database_pool_size: int = Field(default=8, ge=2, le=100, description="connections to Postgres, at most")
    statement_timeout_seconds: int = Field(default=15, ge=1, description="longest a statement may run, in seconds")
    kafka_bootstrap_servers: str = Field(description="Kafka brokers, host:port, comma separated")
    kafka_deadline_seconds: float = Field(default=10, gt=0, description="longest a call to Kafka may take, in seconds")
    kafka_session_seconds: float = Field(
        default=6,
        ge=1,
        description="a consumer silent for that long gives up its partitions, in seconds",
    )
    http_host: str = Field(default="127.0.0.1", description="address to listen on")
    http_port: int = Field(ge=1, le=65535, description="port to listen on")
    http_body_bytes_max: int = Field(default=262_144, ge=1024, description="largest request body, in bytes")
    token_issuers: list[TokenIssuer] = Field(description="issuers of bearer tokens, as JSON [{issuer, jwks_url}]")
    token_audience: str = Field(default="concordat", description="the `aud` that a token must carry")
    clock_offset_file: Path | None = Field(
        default=None, description="test builds: a file with seconds to add to the clock"
    )
    fail_point: str = Field(
        default="", description="test builds: NAME:ACTION:COUNT:MARKER_FILE, see shared/failpoints.py"
    )
    ready_stall_seconds: float = Field(
        default=30, gt=0, description="not ready when work has waited this long without progress, in seconds"
    )


def load_settings(kind: type[SettingsT]) -> SettingsT:
    """Read the settings from the environment, or end the process with one line per fault."""
    try:
        return kind()
    except ValidationError as error:
        prefix = str(kind.model_config.get("env_prefix", ""))
        faults = [f"{prefix}{'.'.join(map(str, e['loc']))}".upper() + f": {e['msg']}" for e in error.errors()]
        sys.exit("The settings are not complete:\n  " + "\n  ".join(faults))
