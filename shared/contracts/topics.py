"""The Kafka topics, named once. Partition counts are part of the contract: a key's partition never changes."""

import zlib
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Topic:
    """A topic and how many partitions it has.

    `gathered`: nobody waits for a record of it, so records are written and read some at a time (ADR 10).
    """

    name: str
    partitions: int
    gathered: bool = False

    def partition_of(self, key: str) -> int:
        """The partition of a key: CRC-32 of its UTF-8 bytes, modulo the number of partitions."""
        return zlib.crc32(key.encode()) % self.partitions


CONCERNS = Topic("concordat.concerns.v1", 12)
NOTICES = Topic("concordat.notices.v1", 12)
DECISIONS = Topic("concordat.decisions.v1", 12, gathered=True)
OUTCOMES = Topic("concordat.outcomes.v1", 12, gathered=True)
AUDIT = Topic("concordat.audit.v1", 12, gathered=True)
GRAPH = Topic("concordat.graph.v1", 1)

ALL = (CONCERNS, NOTICES, DECISIONS, OUTCOMES, AUDIT, GRAPH)


def lane_of(recipient: str) -> int:
    """The lane of a recipient: the partition that carries its notices, stored with each of them."""
    return NOTICES.partition_of(recipient)
