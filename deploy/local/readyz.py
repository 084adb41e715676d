"""Ask a service whether it is ready: `python -m deploy.local.readyz URL`, for health checks; the exit code answers."""

import asyncio
import sys

ASK_SECONDS = 2


async def answers_ready(url: str) -> bool:
    """Whether the service at `url` says that it is ready."""
    import httpx

    async with httpx.AsyncClient(trust_env=False, timeout=ASK_SECONDS) as client:
        try:
            return (await client.get(f"{url}/readyz")).status_code == httpx.codes.OK
        except httpx.TransportError:
            return False


if __name__ == "__main__":
    sys.exit(0 if asyncio.run(answers_ready(sys.argv[1])) else 1)
