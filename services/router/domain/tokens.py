"""The token that names a graph: `version.root8`. A concern may ask for the graph of one, or a later one. Pure."""

from __future__ import annotations

from services.router.domain.model import Head

VERSION_DIGITS_MAX = 18


def is_newer(token: str | None, head: Head) -> bool:
    """Whether a graph token (`version.root8`, see `token_of`) asks for another graph than a version up to `head`.

    What follows a further point is not read. A token that is not understood asks for one: no constraint is dropped
    unread.
    """
    if token is None:
        return False
    version, _, rest = token.partition(".")
    if not (version.isascii() and version.isdigit()):
        return True
    if int(version) == head.version:
        return rest.partition(".")[0] != head.root[:8]
    return int(version) > head.version


def token_of(head: Head) -> str:
    """The token that names a graph: its version and the first eight characters of its root."""
    return f"{head.version}.{head.root[:8]}"


def awaited_version(token: str | None) -> int:
    """The version that a token asks for; 0 where it asks for none or cannot be read."""
    version = (token or "").partition(".")[0]
    return int(version) if version.isascii() and version.isdigit() and len(version) <= VERSION_DIGITS_MAX else 0
