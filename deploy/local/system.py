"""A whole Concordat on this machine: both engines and the services. Used by the command line, tests and benchmarks.

async with LocalSystem(Layout(folder, port_base)) as system:
    await system.start_engines()
    await system.start_services()
    await system.kill("router")
    await system.restart("router")
"""

import signal
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from deploy.local import plan, preflight, throwaway
from deploy.local.hold import Hold, note_runner
from deploy.local.kafka import KafkaEngine, KafkaOptions
from deploy.local.keys import Keyring
from deploy.local.layout import Layout
from deploy.local.migrations import migrate
from deploy.local.orphans import PidFile
from deploy.local.ports import demand_free
from deploy.local.postgres import Database, PostgresEngine
from deploy.local.process import Child
from deploy.local.progress import Progress, Silent, step
from deploy.local.seed import seed_organisations
from deploy.local.services import Instance, Services
from deploy.local.topics import create_topics, open_groups
from deploy.local.waiting import together
from deploy.local.wiring import Wiring

ALL_SERVICES = tuple(service.name for service in plan.SERVICES)


@dataclass(frozen=True, slots=True)
class External:
    """Engines that somebody else runs: Kafka's bootstrap address, and a superuser's URL of Postgres 18."""

    kafka: str | None = None
    postgres: str | None = None


class LocalSystem:
    """One running system. Leaving the `async with` ends everything: services, then Kafka, then Postgres."""

    def __init__(
        self,
        layout: Layout,
        *,
        progress: Progress | None = None,
        external: External | None = None,
        kafka_options: KafkaOptions | None = None,
    ) -> None:
        self.layout = layout
        self.keyring = Keyring(layout.secrets_dir)
        self._progress = progress or Silent()
        self._external = external or External()
        self._kafka_options = kafka_options
        self._hold = Hold(layout.data_dir)
        self._pids = PidFile(layout.data_dir / "pids.json")
        self._migrated: set[str] = set()
        self._afresh = False

    @classmethod
    def afresh(cls, layout: Layout, *, progress: Progress | None = None) -> Self:
        """A system whose data folder is emptied once it is held; one that we did not make is refused (NotOurs)."""
        system = cls(layout, progress=progress)
        system._afresh = True
        return system

    async def __aenter__(self) -> Self:
        """Take the data folder, end what an earlier run left behind, and make the keys."""
        if self._afresh:
            throwaway.demand_ours(self.layout.data_dir)
        await self._hold.take()
        with ExitStack() as undo:
            undo.callback(self._hold.let_go)
            await self._take_over()
            if self._afresh:
                throwaway.empty(self.layout.data_dir)
            self._wire()
            undo.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End everything, in order."""
        await self.services.stop_all()
        await self.kafka.stop()
        await self.postgres.stop()
        self._hold.let_go()

    async def start_engines(self) -> None:
        """Start Postgres and Kafka, and create what the services need in them."""
        preflight.demand_room(self.layout.data_dir)
        demand_free(self._wanted_ports(), self.layout.host)
        await together(self._start_postgres(), self._start_kafka())

    async def start_services(
        self, names: Iterable[str] = ALL_SERVICES, *, extra_env: Mapping[str, str] | None = None
    ) -> None:
        """Migrate and start services: the registry first, the others together. Returns when all are ready."""
        wanted = [name for name in ALL_SERVICES if name in set(names)]
        await self.migrate(wanted)
        first = [name for name in wanted if name == plan.REGISTRY.name]
        for name in first:
            await self.start_service(name, extra_env=extra_env)
        others = wanted[len(first) :]
        await together(*(self._start(name, extra_env) for name in others))

    async def start_service(self, name: str, *, instance: int = 1, extra_env: Mapping[str, str] | None = None) -> str:
        """Start one instance of a service and wait until it is ready; gives its label."""
        await self.migrate([name])
        label = Instance(name, instance).label
        with step(self._progress, f"Start {label}"):
            await self.services.start(label, extra_env)
        return label

    async def _start(self, name: str, extra_env: Mapping[str, str] | None) -> None:
        await self.start_service(name, extra_env=extra_env)

    async def migrate(self, names: Iterable[str] = ALL_SERVICES) -> None:
        """Bring the schemas of these services to their newest version, once per run."""
        due = [name for name in names if name not in self._migrated]
        if due:
            with step(self._progress, f"Migrate {', '.join(due)}"):
                urls = {name: self.database.service_url(name, "owner") for name in due}
                await migrate(urls, self.layout.log("migrations"))
            self._migrated.update(due)

    async def restart(self, label: str, *, extra_env: Mapping[str, str] | None = None) -> None:
        """End a service or engine if it still runs, start it, and wait until it is ready."""
        match label:
            case plan.POSTGRES:
                await self.postgres.stop()
                await self.postgres.start()
            case plan.KAFKA:
                await self.kafka.stop()
                await self.kafka.start()
            case _:
                await self.services.restart(label, extra_env)
                return
        self._pids.note(label, self.child(label).pid)

    async def kill(self, label: str) -> None:
        """End a service or engine by SIGKILL."""
        await (self.postgres.kill() if label == plan.POSTGRES else self.child(label).kill())

    async def terminate(self, label: str) -> int:
        """End a service or engine gracefully; gives its exit code."""
        return await self.child(label).stop()

    def pause(self, label: str) -> None:
        """Stop the clock of a process: it keeps its connections and does nothing."""
        self.child(label).signal(signal.SIGSTOP)

    def resume(self, label: str) -> None:
        """Let a paused process go on."""
        self.child(label).signal(signal.SIGCONT)

    async def exited(self, label: str) -> int:
        """Wait until a process ends; gives its exit code, negative for a signal."""
        return await self.child(label).exited()

    def child(self, label: str) -> Child:
        """The process of that label. Raises EngineFailed when it was never started."""
        match label:
            case plan.POSTGRES:
                return self.postgres.child
            case plan.KAFKA:
                return self.kafka.child
        return self.services.child(label)

    def force(self) -> None:
        """End everything at once; for whoever asks a second time."""
        self.services.signal_all(signal.SIGKILL)
        for label in self._own_engines():
            self.child(label).signal(signal.SIGKILL)

    @property
    def labels(self) -> tuple[str, ...]:
        """Every process that was started: engines first, then services."""
        return (*self._own_engines(), *self.services.labels)

    @property
    def urls(self) -> dict[str, str]:
        """Where each service answers, by label."""
        instances = map(Instance.parse, self.services.labels)
        return {i.label: self.layout.url(i.service, i.number) for i in instances}

    @property
    def pids(self) -> dict[str, int]:
        """The process ids of what runs now, by label."""
        return {label: self.child(label).pid for label in self.labels if self.child(label).running}

    async def _take_over(self) -> None:
        note_runner(self.layout.data_dir)
        for name in await self._pids.end_all():
            self._progress.said(f"Ended {name}, which an earlier run had left behind.")

    def _wire(self) -> None:
        passwords = self.keyring.passwords()
        held = (self._hold.fd,)
        self.postgres = PostgresEngine(self.layout, passwords, held_fds=held)
        self.kafka = KafkaEngine(self.layout, options=self._kafka_options, held_fds=held)
        self.database = self._database(passwords)
        self.bootstrap = self._external.kafka or self.kafka.bootstrap
        self.credentials = self.keyring.clients(seed_organisations(), self.layout.credentials_file)
        wiring = Wiring(self.layout, self.database, self.keyring, self.bootstrap)
        self.services = Services(wiring, self._pids, held_fds=held)

    def _own_engines(self) -> list[str]:
        started = {plan.POSTGRES: self.postgres.started, plan.KAFKA: self.kafka.started}
        return [engine for engine, known in started.items() if known]

    def _database(self, passwords: dict[str, str]) -> Database:
        if self._external.postgres is None:
            return self.postgres.database
        return Database.external(self._external.postgres, passwords, self.layout)

    def _wanted_ports(self) -> dict[str, int]:
        foreign = set()
        if self._external.kafka:
            foreign |= {plan.KAFKA, plan.KAFKA_CONTROLLER}
        if self._external.postgres:
            foreign |= {plan.POSTGRES}
        return {name: port for name, port in self.layout.ports().items() if name not in foreign}

    async def _start_postgres(self) -> None:
        if self._external.postgres is None:
            with step(self._progress, "Start Postgres 18"):
                await self.postgres.start()
                self._pids.note(plan.POSTGRES, self.postgres.child.pid)
        with step(self._progress, "Create schemas and roles"):
            await self.database.create_objects()

    async def _start_kafka(self) -> None:
        if self._external.kafka is None:
            with step(self._progress, f"Start Kafka {plan.KAFKA_VERSION}"):
                await self.kafka.start(self._progress)
                self._pids.note(plan.KAFKA, self.kafka.child.pid)
        with step(self._progress, "Create topics"):
            await create_topics(self.bootstrap)
            await open_groups(self.bootstrap)
