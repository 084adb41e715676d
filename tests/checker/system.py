"""The system under test: one that runs already, or one of its own that `concordat up` starts and `down` ends."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.checker.face import Client

COMMAND = (sys.executable, "-m", "deploy.cli.main")
UP_SECONDS, DOWN_SECONDS = 320, 90
PORTS = tuple(range(30_080, 32_000, 80))
PORT_OFFSETS = (1, 2, 3, 4, 10, 11, 12)


class NotUp(Exception):
    """The system cannot be started, or none runs there."""


@dataclass(frozen=True, slots=True)
class Running:
    """Where a running system answers, and who may speak to it."""

    data_dir: Path
    urls: Mapping[str, str]
    clients: Mapping[str, Client]


def running(data_dir: Path) -> Running:
    """The system that runs with a data folder, from the files that its runner keeps there. Raises NotUp."""
    try:
        summary = json.loads((data_dir / "run.json").read_text())
        credentials = json.loads((data_dir / "credentials.json").read_text())
    except FileNotFoundError as missing:
        raise NotUp(f"nothing runs with {data_dir} ({missing.filename} is missing): `concordat up` starts it") from None
    return _running({**summary, "credentials": credentials})


@contextmanager
def throwaway() -> Iterator[Running]:
    """A system of its own in a temporary folder, ended and removed afterwards. Raises NotUp."""
    folder = Path(tempfile.mkdtemp(prefix="concordat-checker-"))
    folder.chmod(0o711)  # the unprivileged user of Postgres passes through it
    data_dir = folder / "data"
    where = ("--data-dir", str(data_dir))
    try:
        ports = ("--port-base", str(_free_ports()))
        yield _running(json.loads(_said("up", "--detach", "--json", *where, *ports, seconds=UP_SECONDS)))
    finally:
        if data_dir.exists():
            _said("down", *where, seconds=DOWN_SECONDS)
        shutil.rmtree(folder)


def _running(said: Mapping[str, Any]) -> Running:
    if "error" in said:
        raise NotUp(f"{said['error']} {said['remedy']}")
    clients = {row["org"]: Client(row["client_id"], row["secret"]) for row in said["credentials"].values()}
    return Running(Path(said["data_dir"]), said["urls"], clients)


def _said(*arguments: str, seconds: int) -> str:
    # The command line of the system, as anybody calls it; its own interpreter, fixed arguments.
    done = subprocess.run((*COMMAND, *arguments), capture_output=True, text=True, timeout=seconds, check=False)  # noqa: S603 - see above
    if done.returncode and not done.stdout.startswith("{"):
        raise NotUp(f"`concordat {arguments[0]}` ended with {done.returncode}: {done.stderr[-2000:]}")
    return done.stdout


def _free_ports() -> int:
    start = os.getpid() % len(PORTS)
    for base in (*PORTS[start:], *PORTS[:start]):
        if all(_is_free(base + offset) for offset in PORT_OFFSETS):
            return base
    raise NotUp(f"no free row of ports above {PORTS[0]}: end what listens there")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        return probe.connect_ex(("127.0.0.1", port)) != 0 and _binds(probe, port)


def _binds(probe: socket.socket, port: int) -> bool:
    try:
        probe.bind(("127.0.0.1", port))
    except OSError:
        return False
    return True
