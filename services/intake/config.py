"""The settings of intake, prefix `INTAKE_`."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import BaseServiceSettings


class IntakeSettings(BaseServiceSettings):
    """What intake is told at start."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_prefix="INTAKE_")

    sealing_key_file: Path = Field(
        description="file with the key-encrypting key of sealed detail: 32 bytes in standard base64"
    )
    subject_key_file: Path = Field(
        description="file with the key of subject tokens and body fingerprints: 32 bytes in standard base64"
    )
    allow_historic: bool = Field(
        default=False, description="whether a client with the scope concerns:historic may state `received_at`"
    )
    accept_batch_max: int = Field(default=256, ge=1, description="concerns accepted in one transaction, at most")
    batch_lines_max: int = Field(
        default=1000, ge=1, description="concerns in one request to /v1/concerns/batch, at most"
    )
    accept_waiting_max: int = Field(
        default=4096, ge=1, description="concerns that may wait for a transaction; beyond it the answer is 503"
    )
