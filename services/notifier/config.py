"""Settings of the notifier."""

from ipaddress import IPv4Network, IPv6Network
from pathlib import Path

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import BaseServiceSettings


class NotifierSettings(BaseServiceSettings):
    """What the notifier is told at start, beside what every service is told."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_prefix="NOTIFIER_")

    sealing_key_file: Path = Field(description="file with the key that opens sealed detail: 32 bytes in base64")
    secrets_key_file: Path = Field(description="file with the key of endpoint secrets and tokens: 32 bytes in base64")
    allow_http: bool = Field(
        default=False, description="development: endpoints may use http and any port, and are active unverified"
    )
    allowed_networks: list[IPv4Network | IPv6Network] = Field(
        default=[], description="inner networks that endpoints may lie in, as JSON [CIDR, …]"
    )
    allowed_ports: list[int] = Field(default=[443], description="ports that endpoints may use, as JSON [number, …]")
    endpoint_hosts: frozenset[str] = Field(
        default=frozenset(),
        description="hosts that endpoints may have without an operator's word, as JSON [name or *.name, …]; * for any",
    )
    origin: str = Field(default="localhost", description="DNS name that endpoints are asked to let in")
    authorities_file: Path | None = Field(
        default=None, description="PEM file of authorities to trust for endpoints, beside the system's"
    )
    connect_seconds: float = Field(default=5, gt=0, description="longest to connect to an endpoint, in seconds")
    attempt_seconds: float = Field(
        default=20, gt=0, description="longest for a whole attempt, in seconds; a shutdown waits for it"
    )
    in_flight_max: int = Field(default=8, ge=1, description="deliveries to one endpoint at the same time, at most")
    lane_slots: int = Field(default=256, ge=1, description="notices of one endpoint held in memory, at most")
    held_max: int = Field(default=4096, ge=1, description="notices of all endpoints held in memory, at most")
    held_bytes_max: int = Field(
        default=100_663_296,
        ge=1_048_576,
        description="their bodies in memory, in bytes, at most; the rest waits in Postgres",
    )
    router_url: str = Field(
        default="",
        description="address of the router, which knows what the agreements allow now; empty: no detail is given",
    )
    router_seconds: float = Field(default=5, gt=0, description="longest that the router may take, in seconds")
    lease_seconds: float = Field(default=6, gt=2, description="how long a lease lasts without renewal, in seconds")
