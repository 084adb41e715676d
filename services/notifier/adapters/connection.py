"""One connection to an endpoint: a request, then its answer, of which no more is read than is kept (ADR 30)."""

import asyncio
from dataclasses import dataclass, field

import httptools

from services.notifier.domain.consent import CONSENT_HEADERS

ANSWER_BYTES_MAX = 16 * 1024
HEAD_BYTES_MAX = 32 * 1024
"""Everything before the body, interim answers (1xx) included; no more than one read of the socket beyond it."""
FRAMES_BYTES_MAX = 128 * 1024
"""That and all else that is no body: trailers, and the sizes of chunks, be they of one byte each."""
FINAL = 200
_LENGTHS = frozenset({b"content-length", b"transfer-encoding"})
_READ = {name.lower().encode(): name for name in ("Retry-After", *CONSENT_HEADERS)}


class AnswerMalformed(OSError):
    """What came is no HTTP/1.1."""


class AnswerCutOff(OSError):
    """The connection ended before the answer did."""


class HeadTooLong(OSError):
    """The answer has more headers than anybody needs."""


@dataclass(slots=True)
class Reply:
    """An answer: its status, those of its headers that are read, by their usual names, and the start of its body."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytearray = field(default_factory=bytearray)


class Connection(asyncio.Protocol):
    """One connection, one request at a time; `opened` and `since`, when it has been resting, in the loop's seconds."""

    def __init__(self) -> None:
        self.opened = self.since = asyncio.get_running_loop().time()
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._waiting: asyncio.Future[Reply] | None = None
        self._reply = Reply()
        self._frame_bytes = 0
        self._has_length = self._is_final = self._is_done = self._may_stay = False

    @property
    def rests(self) -> bool:
        """Whether the next request may go over it: all that was asked is answered, and nothing came beside it."""
        transport = self._transport
        if transport is None or not self._may_stay or transport.is_closing():
            return False
        return transport.get_write_buffer_size() == 0

    def ask(self, request: bytes) -> asyncio.Future[Reply]:
        """The answer to a request; one at a time. Raises ConnectionResetError where it is closed already."""
        if self._transport is None:
            raise ConnectionResetError
        self._waiting = asyncio.get_running_loop().create_future()
        self._reply, self._frame_bytes = Reply(), 0
        self._has_length = self._is_final = self._is_done = self._may_stay = False
        self._transport.write(request)
        return self._waiting

    def close(self) -> None:
        """Let go of it at once, whatever is under way."""
        self._may_stay = False
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """See asyncio."""
        self._transport = transport  # type: ignore[assignment] # TCP's and TLS's read and write

    def data_received(self, data: bytes) -> None:
        """See asyncio. What nobody asked for ends the connection."""
        if self._waiting is None or self._is_done:
            self.close()
            return
        self._frame_bytes += len(data)
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._fail(AnswerMalformed())
        if not self._is_done and self._frame_bytes > (FRAMES_BYTES_MAX if self._is_final else HEAD_BYTES_MAX):
            self._fail(HeadTooLong())
        if self._is_done and not self._may_stay:
            self.close()

    def connection_lost(self, error: Exception | None) -> None:
        """See asyncio. An answer without a length ends with its connection."""
        self._transport = None
        self._may_stay = False
        if error is None and self._is_final and not self._has_length:
            self._end()
        self._fail(error or AnswerCutOff())

    def on_message_begin(self) -> None:
        """See httptools. A second answer is nobody's."""
        if self._is_done:
            self._may_stay = False

    def on_header(self, name: bytes, value: bytes) -> None:
        """See httptools. The first of a name is the one."""
        if self._is_done:
            return
        lower = name.lower()
        if lower in _LENGTHS:
            self._has_length = True
        elif lower in _READ:
            self._reply.headers.setdefault(_READ[lower], value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        """See httptools."""
        if self._is_done:
            return
        self._reply.status = self._parser.get_status_code()
        self._is_final = self._reply.status >= FINAL
        if not self._is_final:
            self._reply, self._has_length = Reply(), False

    def on_body(self, part: bytes) -> None:
        """See httptools. What is beyond the limit is left unread, and the connection with it."""
        if self._is_done:
            return
        self._frame_bytes -= len(part)
        body = self._reply.body
        body += part[: ANSWER_BYTES_MAX + 1 - len(body)]
        if len(body) > ANSWER_BYTES_MAX:
            del body[ANSWER_BYTES_MAX:]
            self._end()

    def on_message_complete(self) -> None:
        """See httptools."""
        if self._is_final and not self._is_done:
            self._may_stay = self._parser.should_keep_alive()
            self._end()

    def _end(self) -> None:
        self._is_done = True
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(self._reply)

    def _fail(self, error: Exception) -> None:
        self._is_done, self._may_stay = True, False
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(error)
