"""The settings of the registry, prefix `REGISTRY_`."""

from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import BaseServiceSettings

PACKAGED_SEED = Path(__file__).resolve().parent / "seed"


class RegistrySettings(BaseServiceSettings):
    """What the registry is told at start."""

    model_config = SettingsConfigDict(env_prefix="REGISTRY_", frozen=True, extra="ignore")

    issuer: str = Field(description="the `iss` of its tokens: the URL under which clients reach this service")
    signing_key_file: Path = Field(description="Ed25519 private key that signs tokens, a PKCS #8 PEM file")
    clients_file: Path = Field(
        description="JSON list of {client_id, secret_sha256 (hex), org, scopes, roles, person}; "
        "read again when it changes; the clients of one `person` count as one (default: each for itself)"
    )
    seed_folder: Path = Field(
        default=PACKAGED_SEED, description="graph files imported when the graph is empty; default: the packaged ones"
    )
    http_body_bytes_max: int = Field(
        default=8_388_608, ge=1024, description="largest request body, in bytes: one part of a change"
    )
    router_url: str = Field(
        default="", description="where the router answers, for what was routed; empty: a difference knows no history"
    )
    what_if_days: int = Field(
        default=183, ge=1, le=3_660, description="how far back concerns are decided again for a change, in days"
    )
    what_if_concerns_max: int = Field(
        default=5_000, ge=1, le=1_000_000, description="concerns decided again for a change, the newest, at most"
    )
    what_if_deadline_seconds: float = Field(
        default=60, gt=0, description="longest the router may take to give the concerns of the past, in seconds"
    )
