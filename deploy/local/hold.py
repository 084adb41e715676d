"""The hold on a data folder: one run at a time.

The lock is shared with every warden, so it is let go only when the runner and all that it started are gone. A start
right after a `kill -9` therefore waits for the wardens to finish, and can never meet processes of the run before.
"""

import fcntl
import json
import os
from functools import partial
from pathlib import Path

import psutil

from deploy.local.faults import AlreadyRunning
from deploy.local.files import write_private
from deploy.local.waiting import until

WAIT_SECONDS = 45


class Hold:
    """An exclusive lock on a data folder."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir = data_dir
        self.fd = -1

    async def take(self) -> None:
        """Take the lock. Raises AlreadyRunning at once when a live runner has it, or when it is not let go in time."""
        self._data_dir.mkdir(parents=True, exist_ok=True)
        self.fd = os.open(self._data_dir / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            await until(partial(self._taken), seconds=WAIT_SECONDS)
        except (AlreadyRunning, TimeoutError) as fault:
            self.let_go()
            raise self._already_running() from fault

    def let_go(self) -> None:
        """Let go of our own part of the lock."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    async def _taken(self) -> bool:
        try:
            fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if runner_of(self._data_dir) is not None:
                raise self._already_running() from None
            return False
        return True

    def _already_running(self) -> AlreadyRunning:
        pid = runner_of(self._data_dir)
        who = f"process {pid}" if pid else "processes of an earlier run that do not end"
        return AlreadyRunning(
            f"{self._data_dir} is in use by {who}",
            "End it with `concordat down`, or choose another folder with --data-dir.",
        )


def note_runner(data_dir: Path) -> None:
    """Write down that this process runs the system of a data folder."""
    me = psutil.Process()
    noted = json.dumps({"pid": me.pid, "started": me.create_time()})
    write_private(data_dir / "runner.json", noted.encode())


def runner_of(data_dir: Path) -> int | None:
    """The process that runs the system of a data folder now, if one does."""
    try:
        noted = json.loads((data_dir / "runner.json").read_text())
        return int(noted["pid"]) if psutil.Process(noted["pid"]).create_time() == noted["started"] else None
    except (FileNotFoundError, ValueError, psutil.NoSuchProcess):
        return None
