"""A graph as it is sent and packed: each object on one line, the lines in pieces of deflate that open by themselves."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from sys import intern

from shared.canonical import canonical

ObjectKey = tuple[str, str]
"""Kind and id of a graph object."""
_LINE = re.compile(rb'\{"id":"([A-Za-z0-9_-]+)","kind":"([a-z_]+)","object":(\{.*\})\}')
_LINES = re.compile(_LINE.pattern + rb"\n")
_FRAME_BYTES = len(b'{"id":"","kind":"","object":}\n')
_FLUSHED = b"\x00\x00\xff\xff"  # RFC 1951: how a stored block of nothing ends, which a flush leaves behind


class LineUnreadable(ValueError):
    """A line is not one object of a graph as it is sent."""


def line_of(key: ObjectKey, body: bytes) -> bytes:
    """An object as it is sent: its id, its kind and its canonical bytes, on one line without its newline."""
    return b'{"id":%b,"kind":%b,"object":%b}' % (canonical(key[1]), canonical(key[0]), body)


def read_line(line: bytes) -> tuple[ObjectKey, bytes]:
    """Key and canonical bytes of an object from its line, unread. Raises LineUnreadable."""
    found = _LINE.fullmatch(line)
    if found is None:
        raise LineUnreadable("a line that is no object of a graph")
    return (found[2].decode(), found[1].decode()), found[3]


def pieces_of(deflated: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Each piece of a raw deflate stream that a flush has ended at the end of a line, with its text.

    The mark of a flush may stand elsewhere by chance: there it ends no line. Raises zlib.error where a piece cannot be
    opened by itself, LineUnreadable where no flush has ended the last one.
    """
    start = 0
    end = deflated.find(_FLUSHED)
    while end >= 0:
        packed = deflated[start : end + len(_FLUSHED)]
        text = unpacked(packed)
        if text.endswith(b"\n"):
            yield packed, text
            start = end + len(_FLUSHED)
        end = deflated.find(_FLUSHED, end + len(_FLUSHED))
    if start != len(deflated):
        raise LineUnreadable("a piece that no flush has ended")


def read_lines(text: bytes) -> tuple[list[ObjectKey], list[bytes]]:
    """Keys and canonical bytes of the objects of some lines. Raises LineUnreadable."""
    found = _LINES.findall(text)
    if not found or sum(len(name) + len(kind) + len(body) + _FRAME_BYTES for name, kind, body in found) != len(text):
        raise LineUnreadable("a line that is no object of a graph")
    return [(intern(kind.decode()), name.decode()) for name, kind, _ in found], [body for _, _, body in found]


def unpacked(packed: bytes) -> bytes:
    """The text of such a piece. Raises zlib.error."""
    return zlib.decompressobj(-zlib.MAX_WBITS).decompress(packed)
