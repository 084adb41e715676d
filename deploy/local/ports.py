"""Ports: which are taken, by whom, and where a free row of them lies."""

import os
import socket
from collections.abc import Iterable, Mapping

import psutil

from deploy.local.faults import PortTaken
from deploy.local.plan import ENGINE_PORT_OFFSETS

TEST_PORT_BASES = range(12_000, 30_000, 80)
_ROW = 80


def is_free(port: int, host: str = "127.0.0.1") -> bool:
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


def demand_free(ports: Mapping[str, int], host: str = "127.0.0.1") -> None:
    """Raise PortTaken, naming each port that is taken and who has it."""
    taken = {name: port for name, port in ports.items() if not is_free(port, host)}
    if taken:
        said = "; ".join(f"port {port} for {name} is held by {holder(port)}" for name, port in taken.items())
        raise PortTaken(said, "Choose other ports with --port-base N, or end that process.")


def free_port_base(bases: Iterable[int] = TEST_PORT_BASES) -> int:
    """The first base of a free row of ports. Each process starts to look elsewhere, so that two seldom meet."""
    rows = list(bases)
    start = os.getpid() * 7 % len(rows)
    for base in rows[start:] + rows[:start]:
        if all(is_free(base + offset) for offset in (*range(1, 6), *ENGINE_PORT_OFFSETS.values(), *range(21, 26))):
            return base
    raise PortTaken("no free row of ports was found", f"Free {_ROW} ports in a row above {rows[0]}.")


def _port(connection: object) -> int | None:
    address = getattr(connection, "laddr", None)
    return address.port if address else None
