"""The embedded PostgreSQL 18: the wheel's own `initdb` and `postgres`, called by us."""

import asyncio
import os
import signal
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

import asyncpg

from deploy.local import environment
from deploy.local.faults import EngineFailed
from deploy.local.keys import SUPERUSER
from deploy.local.layout import Layout
from deploy.local.orphans import kill_tree
from deploy.local.plan import DATABASE, POSTGRES, POSTGRES_INITDB, POSTGRES_SETTINGS
from deploy.local.postgres_home import PostgresHome
from deploy.local.process import Child, Command, User, run
from deploy.local.waiting import until

INITDB_SECONDS = 60
START_SECONDS = 60
INIT_SQL_SECONDS = 30
DEFAULT_PORT = 5432
INIT_SQL = environment.ROOT / "deploy" / "postgres" / "init.sql"
# The server is there but not yet, or no longer, ready for us.
_NOT_YET = (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError)


class Database:
    """A Postgres that runs somewhere, with the superuser's rights that `init.sql` needs."""

    def __init__(self, address: str, passwords: dict[str, str], layout: Layout, *, superuser: str = SUPERUSER) -> None:
        self.address = address
        self._passwords = passwords
        self._layout = layout
        self._superuser = superuser

    @classmethod
    def external(cls, superuser_url: str, passwords: dict[str, str], layout: Layout) -> "Database":
        """A Postgres that somebody else runs, reached by its superuser's URL."""
        parts = urlsplit(superuser_url)
        user = unquote(parts.username or SUPERUSER)
        known = {**passwords, user: unquote(parts.password or "")}
        return cls(f"{parts.hostname}:{parts.port or DEFAULT_PORT}", known, layout, superuser=user)

    def url(self, role: str, *, database: str = DATABASE, driver: str = "postgresql") -> str:
        """Where a role reaches the database."""
        return f"{driver}://{quote(role, safe='')}:{quote(self._passwords[role], safe='')}@{self.address}/{database}"

    @property
    def superuser_url(self) -> str:
        """The superuser's way to Concordat's database."""
        return self.url(self._superuser)

    def service_url(self, service: str, role: str = "service") -> str:
        """What a service (or, with role "owner", its migrations) is given."""
        return self.url(f"{service}_{role}", driver="postgresql+asyncpg")

    async def create_objects(self) -> None:
        """Create the database, schemas, roles and extensions; running it again changes nothing."""
        passwords = {f"{role.upper()}_PASSWORD": value for role, value in self._passwords.items()}
        url = self.url(self._superuser, database="postgres")
        psql = PostgresHome.of(self._layout.data_dir).program("psql")
        await run(
            Command(
                name="init.sql",
                argv=(psql, "--no-psqlrc", "--quiet", "--file", str(INIT_SQL)),
                log=self._layout.log("init-sql"),
                # Nothing secret on a command line: every user of the machine can read those.
                env={**environment.inherited(), **passwords, **_libpq(url)},
            ),
            seconds=INIT_SQL_SECONDS,
        )


class PostgresEngine:
    """The Postgres of one system. Stopped, killed and started again as often as a test likes."""

    def __init__(self, layout: Layout, passwords: dict[str, str], *, held_fds: tuple[int, ...] = ()) -> None:
        self._layout = layout
        self._superuser_password = passwords[SUPERUSER]
        self._held_fds = held_fds
        self._child: Child | None = None
        self.database = Database(f"{layout.host}:{layout.port(POSTGRES)}", passwords, layout)

    @property
    def child(self) -> Child:
        """The postmaster. Raises EngineFailed before the first start."""
        if self._child is None:
            raise EngineFailed("Postgres was not started", "Start it first.")
        return self._child

    @property
    def started(self) -> bool:
        """Whether it was ever started."""
        return self._child is not None

    async def start(self) -> None:
        """Start it and wait until it answers; the first start creates the data folder."""
        home = await asyncio.to_thread(PostgresHome.of, self._layout.data_dir)
        if not (home.data / "PG_VERSION").exists():
            await self._initdb(home)
        self._child = await Child.start(self._server(home), held_fds=self._held_fds)
        await self._answering(self._child)

    async def stop(self) -> None:
        """End it: open transactions are rolled back, the data folder is closed cleanly."""
        if self._child is not None:
            await self._child.stop()

    async def kill(self) -> None:
        """End it as a power cut would: the postmaster and every process of its own, at once."""
        await kill_tree(self.child.pid)
        await self.child.exited()

    async def _initdb(self, home: PostgresHome) -> None:
        """Made beside its place and moved there when complete: a half-made folder would never start."""
        unfinished = home.fresh_folder("postgres.unfinished")
        password_file = home.data.with_name("initdb-password")
        _lend(password_file, self._superuser_password, home.user)
        options = (f"--username={SUPERUSER}", "--auth=scram-sha-256", f"--pwfile={password_file}")
        command = Command(
            name="initdb",
            argv=(home.program("initdb"), f"--pgdata={unfinished}", *options, *POSTGRES_INITDB),
            log=self._layout.log("initdb"),
            user=home.user,
        )
        try:
            await run(command, seconds=INITDB_SECONDS)
        finally:
            password_file.unlink()
        unfinished.replace(home.data)

    def _server(self, home: PostgresHome) -> Command:
        listening = {
            "listen_addresses": self._layout.host,
            "port": str(self._layout.port(POSTGRES)),
            "unix_socket_directories": "",
        }
        settings = [f"--{name}={value}" for name, value in {**POSTGRES_SETTINGS, **listening}.items()]
        command = Command(
            name=POSTGRES,
            argv=(home.program("postgres"), "-D", str(home.data), *settings),
            log=self._layout.log(POSTGRES),
            user=home.user,
        )
        # SIGINT is Postgres's fast shutdown: it does not wait for clients to leave.
        return replace(command, stop_signal=signal.SIGINT)

    async def _answering(self, child: Child) -> None:
        try:
            await until(partial(self._answers, child), seconds=START_SECONDS)
        except TimeoutError:
            raise _failed(child, f"did not answer within {START_SECONDS} s") from None

    async def _answers(self, child: Child) -> bool:
        if not child.running:
            raise _failed(child, "ended")
        try:
            connection = await asyncpg.connect(self.database.url(SUPERUSER, database="postgres"))
        except _NOT_YET:
            return False
        await connection.close()
        return True


def _libpq(url: str) -> dict[str, str]:
    """A URL as libpq's environment variables."""
    parts = urlsplit(url)
    return {
        "PGHOST": parts.hostname or "127.0.0.1",
        "PGPORT": str(parts.port or DEFAULT_PORT),
        "PGUSER": unquote(parts.username or SUPERUSER),
        "PGPASSWORD": unquote(parts.password or ""),
        "PGDATABASE": parts.path.lstrip("/"),
    }


def _lend(file: Path, content: str, user: User) -> None:
    """A file for the eyes of `user` alone."""
    file.unlink(missing_ok=True)
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
        out.write(content)
    if user.uid >= 0:
        os.chown(file, user.uid, user.gid)


def _failed(child: Child, what: str) -> EngineFailed:
    return EngineFailed(f"Postgres {what}:\n{child.log_tail()}", f"See {child.command.log}.")
