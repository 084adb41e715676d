"""A client of HTTP/1.1 that costs little: the load shares the machine with what it measures.

Connections are kept and used again; a request has one answer, which is read whole.
"""

import asyncio
from collections.abc import Mapping

import httptools

_Answer = tuple[int, bytes]


class Wire:
    """Posts to one address over as many connections as there are requests under way, `connections_max` at most."""

    def __init__(self, host: str, port: int, *, connections_max: int) -> None:
        self._host, self._port = host, port
        self._room = asyncio.Semaphore(connections_max)
        self._idle: list[_Connection] = []

    async def post(self, path: str, headers: Mapping[str, str], body: bytes) -> _Answer:
        """Status and body of the answer. Raises OSError where the connection cannot be had or ends before it."""
        async with self._room:
            connection = await self._connected()
            answer = await connection.ask(_request(f"{self._host}:{self._port}", path, headers, body))
            self._idle.append(connection)
            return answer

    def close(self) -> None:
        """Let go of the connections."""
        for connection in self._idle:
            connection.close()

    async def _connected(self) -> "_Connection":
        while self._idle:
            connection = self._idle.pop()
            if connection.is_open:
                return connection
        running = asyncio.get_running_loop()
        _, connection = await running.create_connection(_Connection, self._host, self._port)
        return connection


class _Connection(asyncio.Protocol):
    def __init__(self) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._parts: list[bytes] = []
        self._answer: asyncio.Future[_Answer] | None = None
        self._transport: asyncio.WriteTransport | None = None

    @property
    def is_open(self) -> bool:
        """Whether it can be used again, as far as is known."""
        return self._transport is not None and not self._transport.is_closing()

    async def ask(self, request: bytes) -> _Answer:
        """The answer to a request; one at a time."""
        if self._transport is None:
            raise ConnectionResetError("the connection is closed")
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def close(self) -> None:
        """Let go of it."""
        if self._transport is not None:
            self._transport.close()

    def connection_made(self, transport: asyncio.WriteTransport) -> None:  # type: ignore[override] # TCP's can write
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(ConnectionError(f"no HTTP: {error}"))
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        self._transport = None
        self._fail(error or ConnectionResetError("the connection was closed"))

    def on_body(self, part: bytes) -> None:
        self._parts.append(part)

    def on_message_complete(self) -> None:
        status, body = self._parser.get_status_code(), b"".join(self._parts)
        self._parts.clear()
        if not self._parser.should_keep_alive():
            self.close()
        if self._answer is not None and not self._answer.done():
            self._answer.set_result((status, body))

    def _fail(self, error: Exception) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_exception(error)


def _request(host: str, path: str, headers: Mapping[str, str], body: bytes) -> bytes:
    named = {"Host": host, **headers, "Content-Length": str(len(body))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in named.items())
    return f"POST {path} HTTP/1.1\r\n{lines}\r\n".encode() + body
