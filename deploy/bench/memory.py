"""Memory of processes that share most of theirs: each page counts once, divided among those that map it."""

import psutil


def proportional_bytes(pid: int) -> int:
    """The proportional set size of a process and all below it; resident size where the system tells no other."""
    process = psutil.Process(pid)
    return sum(_share(one) for one in (process, *process.children(recursive=True)))


def _share(process: psutil.Process) -> int:
    try:
        held = process.memory_full_info()
        return int(getattr(held, "pss", held.rss))
    except psutil.NoSuchProcess:
        return 0
    except psutil.AccessDenied:
        return int(process.memory_info().rss)
