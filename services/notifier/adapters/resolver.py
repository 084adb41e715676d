"""Names to addresses: every answer checked, no cache, and a slow name server in nobody's way."""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor

from aiohttp.abc import AbstractResolver, ResolveResult

from services.notifier.domain.destination import Guard, address_fault

ADDRESSES_MAX = 32
THREADS_MAX = 64
_Key = tuple[str, int, socket.AddressFamily]


class AddressRefused(OSError):
    """A name resolved to an address that no delivery may go to; the text is the rule."""


class SystemResolver(AbstractResolver):
    """The system's resolver on threads of its own; look-ups of one name at the same time are one look-up."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(THREADS_MAX, thread_name_prefix="resolver")
        self._under_way: dict[_Key, asyncio.Task[list[ResolveResult]]] = {}

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """All addresses of a name. Raises OSError."""
        key = (host, port, family)
        if key not in self._under_way:
            task = asyncio.create_task(self._look_up(key))
            self._under_way[key] = task
            task.add_done_callback(lambda _: self._under_way.pop(key, None))
        return await asyncio.shield(self._under_way[key])

    async def close(self) -> None:
        """Let go of the threads; a look-up under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _look_up(self, key: _Key) -> list[ResolveResult]:
        host, port, family = key
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(
            self._threads, lambda: socket.getaddrinfo(host, port, family=family, type=socket.SOCK_STREAM)
        )
        return [
            ResolveResult(
                hostname=host,
                host=str(address[0]),
                port=int(address[1]),
                family=kind,
                proto=proto,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, _, proto, _, address in found
        ]


class CheckedResolver(AbstractResolver):
    """Checks every answer of another resolver; one bad address refuses the name as a whole."""

    def __init__(self, inner: AbstractResolver, guard: Guard) -> None:
        self._inner = inner
        self._guard = guard

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """The checked addresses. Raises AddressRefused, OSError."""
        found = await self._inner.resolve(host, port, family)
        if not found:
            raise OSError("the name resolves to no address")  # the HTTP client takes none for a mistake of its own
        if len(found) > ADDRESSES_MAX:
            raise AddressRefused("the name resolves to too many addresses")
        for answer in found:
            if fault := address_fault(answer["host"], self._guard):
                raise AddressRefused(fault)
        return found

    async def close(self) -> None:
        """Let go of the resolver inside."""
        await self._inner.close()
