"""A child process under a warden: started, signalled, awaited. Nothing here belongs to one event loop."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from deploy.local import environment
from deploy.local.faults import EngineFailed, RunnerFault

START_SECONDS = 20
LOG_TAIL_LINES = 15
LOG_TAIL_BYTES = 64 * 1024
_WARDEN = Path(__file__).with_name("warden.py")


@dataclass(frozen=True, slots=True)
class User:
    """The operating system's user that a child runs as."""

    uid: int = -1
    gid: int = -1


@dataclass(frozen=True, slots=True)
class Command:
    """What to run, and how it is ended."""

    name: str
    argv: tuple[str, ...]
    log: Path
    env: Mapping[str, str] = field(default_factory=environment.inherited)
    user: User = User()
    stop_signal: signal.Signals = signal.SIGTERM
    grace_seconds: float = 15


class Child:
    """A running command. `exited()` may be awaited from any event loop and any number of times."""

    def __init__(self, command: Command, *, held_fds: tuple[int, ...] = ()) -> None:
        self.command = command
        self._log_start = command.log.stat().st_size if command.log.exists() else 0
        self._pid: Future[int] = _running_future()
        self._exit: Future[int] = _running_future()
        self._channel, theirs = socket.socketpair()
        with theirs:
            self._warden = _start_warden(command, theirs, held_fds)
        threading.Thread(target=self._listen, name=f"warden-{command.name}", daemon=True).start()

    @classmethod
    async def start(cls, command: Command, *, held_fds: tuple[int, ...] = ()) -> "Child":
        """Start the command. Raises EngineFailed when it cannot be run at all."""
        child = cls(command, held_fds=held_fds)
        try:
            async with asyncio.timeout(START_SECONDS):
                await asyncio.wrap_future(child._pid)
        except TimeoutError:
            raise _not_startable(command, f"no word from its warden within {START_SECONDS} s") from None
        finally:
            if not child._pid.done():
                child.abandon()
        return child

    @property
    def pid(self) -> int:
        """The process id of the command itself, not of its warden."""
        return self._pid.result(timeout=0)

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return not self._exit.done()

    async def exited(self) -> int:
        """Wait for the end; gives the exit code, negative for a signal."""
        return await asyncio.wrap_future(self._exit)

    def signal(self, number: signal.Signals) -> None:
        """Send a signal; one that comes too late does nothing."""
        with contextlib.suppress(OSError):
            self._channel.sendall(f"signal {int(number)}\n".encode())

    async def kill(self) -> int:
        """End it by SIGKILL and wait."""
        self.signal(signal.SIGKILL)
        return await self.exited()

    async def stop(self) -> int:
        """End it by its stop signal and, after its grace, by SIGKILL."""
        self.signal(self.command.stop_signal)
        self.signal(signal.SIGCONT)
        try:
            async with asyncio.timeout(self.command.grace_seconds):
                return await self.exited()
        except TimeoutError:
            return await self.kill()

    def abandon(self) -> None:
        """Let the warden end it, as if we had died; nobody waits for that."""
        with contextlib.suppress(OSError):
            self._channel.shutdown(socket.SHUT_RDWR)

    def log_tail(self) -> str:
        """The last lines that it wrote to its log, for the one who has to find out why it ended."""
        return log_tail(self.command.log, since=self._log_start)

    def _listen(self) -> None:
        """A signal that comes as the warden ends lies there unread: its end is then a reset, after all that it said."""
        with self._channel, self._channel.makefile("r") as lines, contextlib.suppress(ConnectionResetError):
            for line in lines:
                self._hear(*line.rstrip("\n").split(" ", 1))
        self._close(self._warden.wait())

    def _hear(self, word: str, rest: str) -> None:
        match word:
            case "pid":
                self._pid.set_result(int(rest))
            case "exit":
                self._warden.wait()
                self._exit.set_result(int(rest))
            case _:
                self._pid.set_exception(_not_startable(self.command, rest))

    def _close(self, code: int) -> None:
        if not self._pid.done():
            self._pid.set_exception(_not_startable(self.command, f"its warden ended with {code}"))
        if not self._exit.done():
            self._exit.set_result(-signal.SIGKILL)


async def run(command: Command, *, seconds: float) -> None:
    """Run a command to its end. Raises EngineFailed when it fails or takes longer than `seconds`."""
    child = await Child.start(command)
    try:
        async with asyncio.timeout(seconds):
            code = await child.exited()
    except TimeoutError:
        code = await child.kill()
    finally:
        if child.running:
            child.abandon()
    if code != 0:
        raise EngineFailed(f"{command.name} failed with {code}:\n{child.log_tail()}", f"See {command.log}.")


def log_tail(log: Path, *, since: int = 0) -> str:
    """The last lines of a log file from an offset on; empty when there is none."""
    if not log.is_file():
        return ""
    with log.open("rb") as lines:
        lines.seek(max(since, log.stat().st_size - LOG_TAIL_BYTES))
        return "\n".join(lines.read().decode(errors="replace").splitlines()[-LOG_TAIL_LINES:])


def _running_future() -> Future[int]:
    """A future that cancelling a waiter cannot cancel."""
    future: Future[int] = Future()
    future.set_running_or_notify_cancel()
    return future


def _start_warden(command: Command, theirs: socket.socket, held_fds: tuple[int, ...]) -> subprocess.Popen[bytes]:
    """`-I -S`: nothing of the user's Python set-up is loaded, so a warden is up in a few hundredths of a second."""
    orders = (theirs.fileno(), command.user.uid, command.user.gid, int(command.stop_signal), command.grace_seconds)
    command.log.parent.mkdir(parents=True, exist_ok=True)
    with command.log.open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(_WARDEN), *map(str, orders), "--", *command.argv],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env=dict(command.env),
            cwd="/",
            pass_fds=(theirs.fileno(), *held_fds),
            start_new_session=True,
        )


def _not_startable(command: Command, why: str) -> RunnerFault:
    return EngineFailed(f"{command.name} could not be started: {why}", f"See {command.log}.")
