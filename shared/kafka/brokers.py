"""Which brokers, and how they keep count of a consumer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Brokers:
    """Where Kafka answers, and after how long a silent member of a consumer group counts as gone.

    The session is the greater part of what a killed process costs: its partitions wait that long for another.
    """

    bootstrap_servers: str
    session_seconds: float = 6.0
