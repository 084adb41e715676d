"""Ports: which are taken, by whom, and where a free row of them lies."""

import itertools
import socket
from collections.abc import Mapping
from functools import cache

import psutil

from deploy.local.faults import PortTaken

LOCALHOST = "127.0.0.1"
_ROW = 80
_ROWS = 7
TEST_PORTS = range(12_000, 29_000, _ROW * _ROWS)
_turns = itertools.count()


def is_free(port: int, host: str = LOCALHOST) -> bool:
    """Whether somebody could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def holder(port: int) -> str:
    """Who listens on a port, as far as we may know."""
    try:
        pids = [c.pid for c in psutil.net_connections("tcp") if c.status == psutil.CONN_LISTEN and _port(c) == port]
        return ", ".join(f"{psutil.Process(pid).name()} (process {pid})" for pid in pids if pid) or "another process"
    except psutil.Error:
        return "another process"


def demand_free(ports: Mapping[str, int], host: str = LOCALHOST) -> None:
    """Raise PortTaken, naming each port that is taken and who has it."""
    taken = {name: port for name, port in ports.items() if not is_free(port, host)}
    if taken:
        said = "; ".join(f"port {port} for {name} is held by {holder(port)}" for name, port in taken.items())
        raise PortTaken(said, "Choose other ports with --port-base N, or end that process.")


def free_port_base() -> int:
    """The base of a free row of ports. No other process is given it from here while this one lives."""
    first = _own_rows()
    for base in (first + next(_turns) % _ROWS * _ROW for _ in range(_ROWS)):
        if all(map(is_free, range(base, base + _ROW - 1))):
            return base
    raise PortTaken("no free row of ports was found", f"Free {_ROW} ports in a row from {first} on.")


@cache
def _own_rows() -> int:
    """The first port of rows that are this process's own: it holds the last port of them, bound, to its end."""
    for first in TEST_PORTS:
        holding = socket.socket()
        try:
            holding.bind((LOCALHOST, first + _ROWS * _ROW - 1))
        except OSError:
            holding.close()
        else:
            holding.detach()
            return first
    raise PortTaken("all rows of ports are taken", f"End what uses the ports from {TEST_PORTS[0]} on.")


def _port(connection: object) -> int | None:
    address = getattr(connection, "laddr", None)
    return address.port if address else None
