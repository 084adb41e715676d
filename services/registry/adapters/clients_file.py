"""The clients of this deployment, from a JSON file that is read again when it changes."""

import os
from collections.abc import Callable
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from services.registry.domain.model import Client

FILE_BYTES_MAX = 1_000_000
_Stamp = tuple[int, int, int]


class ClientsUnreadable(ValueError):
    """The clients file is missing or malformed; the text says where, and never shows a value."""


class _ClientRow(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    client_id: str = Field(pattern=r"^[A-Za-z0-9._-]{1,64}$")
    secret_sha256: str = Field(pattern=r"^[0-9a-f]{64}$")
    org: str = Field(pattern=r"^[a-z0-9-]{1,64}$")
    scopes: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    person: str = Field(default="", pattern=r"^[A-Za-z0-9._-]{0,64}$")


_Rows = TypeAdapter(list[_ClientRow])


class ClientsFile:
    """The clients as the file states them. A change that cannot be read is said, and the clients stay as they were."""

    def __init__(self, file: Path, *, alarm: Callable[[str], None]) -> None:
        """Reads the file for the first time. Raises ClientsUnreadable."""
        self._file = file
        self._alarm = alarm
        self._stamp = _stamp_of(file)
        self._clients = _read(file)

    def find(self, client_id: str) -> Client | None:
        """The client of that id."""
        try:
            self._refresh()
        except ClientsUnreadable as fault:
            self._alarm(str(fault))
        return self._clients.get(client_id)

    def _refresh(self) -> None:
        stamp = _stamp_of(self._file)
        if stamp != self._stamp:
            self._stamp = stamp  # before reading: a file that cannot be read is said once
            self._clients = _read(self._file)


def _stamp_of(file: Path) -> _Stamp | None:
    try:
        found = os.stat(file)
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino


def _read(file: Path) -> dict[str, Client]:
    try:
        raw = file.read_bytes()[: FILE_BYTES_MAX + 1]
        rows = _Rows.validate_json(raw)
    except OSError as fault:
        raise ClientsUnreadable(f"the clients file cannot be read: {type(fault).__name__}") from fault
    except ValidationError as fault:
        raise ClientsUnreadable(f"the clients file: {_places(fault)}") from None
    clients = {r.client_id: Client(r.client_id, r.secret_sha256, r.org, r.scopes, r.roles, r.person) for r in rows}
    if len(clients) != len(rows):
        raise ClientsUnreadable("the clients file names a client twice")
    return clients


def _places(fault: ValidationError) -> str:
    found = fault.errors(include_input=False, include_context=False, include_url=False)
    return "; ".join(f"{'/'.join(map(str, e['loc']))}: {e['msg']}" for e in found)
