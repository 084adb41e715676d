"""A small guardian process: it runs one command and never lets it outlive the runner.

It holds one end of a socket whose other end only the runner has. When the runner dies, by whatever means, the socket
closes and the warden ends its child: first by the child's stop signal, then by force. When the warden itself is killed,
the kernel sends the child the stop signal (Linux). Standard library only, so that it starts fast and stays small.

    warden.py FD UID GID STOP_SIGNAL GRACE_SECONDS -- COMMAND…      (UID -1: do not change the user)

On the socket it says `pid N`, `exit CODE` or `failed TEXT`, and takes `signal N`.
"""

import ctypes
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

_PR_SET_PDEATHSIG = 1
_CHUNK_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Orders:
    """What the runner asked for on the command line."""

    fd: int
    uid: int
    gid: int
    stop_signal: int
    grace_seconds: float
    command: tuple[str, ...]

    @classmethod
    def parse(cls, argv: list[str]) -> "Orders":
        """Read the arguments. Raises ValueError when they are not of the form above."""
        fd, uid, gid, stop_signal, grace_seconds, dashes, *command = argv
        if dashes != "--" or not command:
            raise ValueError("usage: warden.py FD UID GID STOP_SIGNAL GRACE_SECONDS -- COMMAND…")
        return cls(int(fd), int(uid), int(gid), int(stop_signal), float(grace_seconds), tuple(command))


class Warden:
    """One child and the line to the runner."""

    def __init__(self, orders: Orders) -> None:
        self._orders = orders
        self._channel = socket.socket(fileno=orders.fd)
        self._wake, self._waker = socket.socketpair()
        self._deadline: float | None = None

    def run(self) -> int:
        """Start the child, guard it, and give its exit code."""
        self._hear_signals()
        try:
            child = self._start()
        except OSError as error:
            self._say(f"failed {error}")
            return 127
        self._say(f"pid {child.pid}")
        code = self._guard(child)
        self._say(f"exit {code}")
        return code

    def _hear_signals(self) -> None:
        self._waker.settimeout(0)
        signal.set_wakeup_fd(self._waker.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, lambda *_: None)

    def _start(self) -> subprocess.Popen[bytes]:
        orders = self._orders
        other = orders.uid >= 0
        return subprocess.Popen(
            orders.command,
            stdin=subprocess.DEVNULL,
            user=orders.uid if other else None,
            group=orders.gid if other else None,
            extra_groups=[] if other else None,
            umask=0o077,
            preexec_fn=_die_with_parent(orders.stop_signal),  # noqa: PLW1509 - the warden has one thread
        )

    def _guard(self, child: subprocess.Popen[bytes]) -> int:
        while (code := child.poll()) is None:
            readable, _, _ = select.select(self._listened(), [], [], self._seconds_left())
            if self._wake in readable and self._told_to_stop():
                self._end(child)
            if self._channel in readable:
                self._obey(child)
            if self._deadline is not None and time.monotonic() >= self._deadline:
                child.kill()
        return code

    def _listened(self) -> list[socket.socket]:
        """The runner's line is listened to until it is closed: from then on there is only the deadline."""
        return [self._wake] if self._deadline is not None else [self._wake, self._channel]

    def _seconds_left(self) -> float | None:
        return None if self._deadline is None else max(0.0, self._deadline - time.monotonic())

    def _told_to_stop(self) -> bool:
        return any(number != signal.SIGCHLD for number in self._wake.recv(_CHUNK_BYTES))

    def _obey(self, child: subprocess.Popen[bytes]) -> None:
        heard = self._channel.recv(_CHUNK_BYTES)
        if not heard:
            self._end(child)
        for line in heard.decode().splitlines():
            child.send_signal(int(line.removeprefix("signal ")))

    def _end(self, child: subprocess.Popen[bytes]) -> None:
        """End the child gracefully; a child that was stopped is woken, or it could not hear."""
        child.send_signal(self._orders.stop_signal)
        child.send_signal(signal.SIGCONT)
        self._deadline = time.monotonic() + self._orders.grace_seconds

    def _say(self, text: str) -> None:
        try:
            self._channel.sendall(f"{text}\n".encode())
        except OSError:
            return  # the runner is gone: nobody is left to tell


def _die_with_parent(stop_signal: int) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, stop_signal, 0, 0, 0)


if __name__ == "__main__":
    sys.exit(Warden(Orders.parse(sys.argv[1:])).run() & 0xFF)
