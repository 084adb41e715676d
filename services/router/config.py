"""The settings of the router."""

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from shared.settings import BaseServiceSettings


class RouterSettings(BaseServiceSettings):
    """What the router is told at start."""

    model_config = SettingsConfigDict(env_prefix="ROUTER_", frozen=True, extra="ignore")

    registry_url: str = Field(
        description="base address of the registry; asked for its head, and for the graph when a commit is missing"
    )
    registry_deadline_seconds: float = Field(
        default=10, gt=0, description="longest that reading the whole graph may take, in seconds"
    )
    graph_poll_seconds: float = Field(
        default=0.2, gt=0, description="how often to look whether another router has applied a commit, in seconds"
    )
    graph_wait_seconds: float = Field(
        default=2,
        ge=0,
        description="longest that a batch waits for a newer graph that a concern asks for, then it is held, in seconds",
    )
    wait_days_max: int = Field(
        default=28, ge=1, le=366, description="how long a person may let a work item wait at a time, at most, in days"
    )
    memo_bytes_max: int = Field(
        default=16_777_216, ge=0, description="remembered decisions at most, in bytes of their canonical form"
    )
