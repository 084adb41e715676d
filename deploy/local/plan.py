"""What a Concordat system consists of, said once: the runner starts it, docker-compose.yml is held equal to it."""

from dataclasses import dataclass

PORT_BASE = 8400
KAFKA, KAFKA_CONTROLLER, POSTGRES = "kafka", "kafka_controller", "postgres"
KAFKA_VERSION = "4.1.2"
POSTGRES_MAJOR = 18
DATABASE = "concordat"
RETENTION_MS = 7 * 24 * 3600 * 1000


@dataclass(frozen=True, slots=True)
class ServicePlan:
    """One service: its name, its place among the ports, and the settings that it is given (without its prefix)."""

    name: str
    port_offset: int
    own_settings: tuple[str, ...]

    @property
    def settings(self) -> tuple[str, ...]:
        """Full names of the settings, in order."""
        return tuple(f"{self.name.upper()}_{setting}" for setting in (*COMMON_SETTINGS, *self.own_settings))

    @property
    def module(self) -> str:
        """What `python -m` runs."""
        return f"services.{self.name}"


COMMON_SETTINGS = ("DATABASE_URL", "KAFKA_BOOTSTRAP_SERVERS", "HTTP_HOST", "HTTP_PORT", "TOKEN_ISSUERS")

INTAKE = ServicePlan("intake", 1, ("SEALING_KEY_FILE", "SUBJECT_KEY_FILE", "ALLOW_HISTORIC"))
REGISTRY = ServicePlan("registry", 2, ("ISSUER", "SIGNING_KEY_FILE", "CLIENTS_FILE", "ROUTER_URL"))
ROUTER = ServicePlan("router", 3, ("REGISTRY_URL",))
NOTIFIER = ServicePlan(
    "notifier", 4, ("SEALING_KEY_FILE", "SECRETS_KEY_FILE", "ROUTER_URL", "ALLOWED_NETWORKS", "ALLOW_HTTP")
)

# In the order in which they become ready: the registry's keys are what the others judge tokens by.
SERVICES = (REGISTRY, INTAKE, ROUTER, NOTIFIER)
ENGINE_PORT_OFFSETS = {KAFKA: 10, KAFKA_CONTROLLER: 11, POSTGRES: 12}

POSTGRES_SETTINGS = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "shared_preload_libraries": "pg_stat_statements",
    "fsync": "on",
    "synchronous_commit": "on",
    "jit": "off",
    "random_page_cost": "1.1",
    "max_wal_size": "2GB",
    "log_line_prefix": "%m [%p] %u ",
}
# The builtin provider sorts alike on every machine, whatever locales are installed there.
POSTGRES_INITDB = ("--encoding=UTF8", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "--locale=C")

KAFKA_SETTINGS = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    "auto.create.topics.enable": "false",
    # After a kill the only broker may register again once its own former session has ended: 9 s by default.
    "broker.session.timeout.ms": "2000",
    "broker.heartbeat.interval.ms": "400",
    "log.retention.ms": str(RETENTION_MS),
    "log.message.timestamp.type": "LogAppendTime",
}
KAFKA_HEAP = ("-Xms256m", "-Xmx512m")


def service(name: str) -> ServicePlan:
    """The plan of one service. Raises KeyError when there is none of that name."""
    return {plan.name: plan for plan in SERVICES}[name]


def port_of(name: str, base: int) -> int:
    """The port of a service or engine above `base`."""
    offset = ENGINE_PORT_OFFSETS.get(name)
    return base + (service(name).port_offset if offset is None else offset)
