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
        description="JSON list of {client_id, secret_sha256 (hex), org, scopes, roles}; read again when it changes"
    )
    seed_folder: Path = Field(
        default=PACKAGED_SEED, description="graph files imported when the graph is empty; default: the packaged ones"
    )
