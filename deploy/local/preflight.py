"""What must be true of the machine before anything is started."""

import shutil
from pathlib import Path

import psutil

from deploy.local.faults import TooLittleRoom

MEMORY_MB_MIN = 1500
DISK_MB_MIN = 1000
_MB = 1024 * 1024


def memory_mb() -> int:
    """Memory that could be had now, in MiB."""
    return int(psutil.virtual_memory().available) // _MB


def disk_mb(folder: Path) -> int:
    """Free disk where a folder lies or would lie, in MiB."""
    return shutil.disk_usage(next(p for p in (folder, *folder.parents) if p.exists())).free // _MB


def demand_room(data_dir: Path) -> None:
    """Raise TooLittleRoom when there is not enough memory or disk."""
    if (memory := memory_mb()) < MEMORY_MB_MIN:
        raise TooLittleRoom(
            f"{memory} MB of memory are free, {MEMORY_MB_MIN} MB are needed",
            "Close something large, or point --kafka and --postgres to ones that run elsewhere.",
        )
    if (disk := disk_mb(data_dir)) < DISK_MB_MIN:
        raise TooLittleRoom(
            f"{disk} MB of disk are free for {data_dir}, {DISK_MB_MIN} MB are needed",
            "Make room, or choose another disk with --data-dir.",
        )
