"""Where everything of one running system lies: its folders, files and ports."""

from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import environment
from deploy.local.plan import KAFKA, KAFKA_CONTROLLER, PORT_BASE, POSTGRES, SERVICES, port_of

INSTANCE_PORT_STEP = 20
RECEIVER_PORT_OFFSET = 100


@dataclass(frozen=True, slots=True)
class Layout:
    """The folders and ports of one system. Two systems with different data folders and port bases never meet."""

    data_dir: Path
    port_base: int = PORT_BASE
    cache_dir: Path = field(default_factory=environment.cache_dir)
    host: str = "127.0.0.1"

    def __post_init__(self) -> None:
        object.__setattr__(self, "data_dir", self.data_dir.resolve())

    def port(self, name: str, instance: int = 1) -> int:
        """The port of a service or engine; further instances of a service lie 20 ports apart."""
        return port_of(name, self.port_base) + INSTANCE_PORT_STEP * (instance - 1)

    def url(self, service: str, instance: int = 1) -> str:
        """Where a service answers."""
        return f"http://{self.host}:{self.port(service, instance)}"

    def ports(self) -> dict[str, int]:
        """Every port of the plan by the name of who listens there."""
        names = (*(service.name for service in SERVICES), KAFKA, KAFKA_CONTROLLER, POSTGRES)
        return {name: self.port(name) for name in names}

    def receiver_ports(self, count: int) -> dict[str, int]:
        """The ports of the demo's and the benchmark's receivers."""
        return {f"receiver {n + 1}": self.port_base + RECEIVER_PORT_OFFSET + n for n in range(count)}

    def log(self, name: str) -> Path:
        """The log of one process."""
        return self.data_dir / "logs" / f"{name}.log"

    @property
    def kafka_bootstrap(self) -> str:
        """Where Kafka answers."""
        return f"{self.host}:{self.port(KAFKA)}"

    @property
    def secrets_dir(self) -> Path:
        """Keys and passwords; only the owner may read."""
        return self.data_dir / "secrets"

    @property
    def kafka_dir(self) -> Path:
        """Kafka's log and settings."""
        return self.data_dir / "kafka"

    @property
    def credentials_file(self) -> Path:
        """The clients of the system with their secrets, shown nowhere else."""
        return self.data_dir / "credentials.json"

    @property
    def run_file(self) -> Path:
        """Who runs the system now, and where it answers."""
        return self.data_dir / "run.json"
