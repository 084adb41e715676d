"""What every Kafka client of ours has in common: it is let go under a deadline, and left behind if it does not end."""

import asyncio
from typing import Any

from aiokafka.errors import KafkaError


async def let_go(client: Any, *, seconds: float) -> None:
    """Stop a client; one that does not stop in time is left behind, which the broker sees by its session."""
    try:
        async with asyncio.timeout(seconds):
            await client.stop()
    except (KafkaError, TimeoutError, OSError, asyncio.CancelledError):
        return  # it is thrown away either way
