"""The jars of the embedded Kafka: fetched once, each checked against the sum in `deploy/kafka/jars.sha256`, cached."""

import asyncio
import hashlib
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from deploy.local import environment
from deploy.local.faults import JarsOutOfReach, JarWrong
from deploy.local.plan import KAFKA_VERSION
from deploy.local.progress import Progress, step

SUMS_FILE = environment.ROOT / "deploy" / "kafka" / "jars.sha256"
FETCHES_AT_ONCE = 6
FETCH_TIMEOUT_SECONDS = 30
RETRY_SECONDS = (1, 4, 10)


@dataclass(frozen=True, slots=True)
class Jar:
    """One jar by its coordinates, and the sum that it must have."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        """Its name in the cache."""
        return f"{self.artifact}-{self.version}.jar"


def listed(sums_file: Path = SUMS_FILE) -> tuple[Jar, ...]:
    """The jars that the product runs with."""
    lines = sums_file.read_text().splitlines()
    return tuple(_parsed(line) for line in lines if line and not line.startswith("#"))


def _parsed(line: str) -> Jar:
    digest, coordinates = line.split()
    group, artifact, version = coordinates.split(":")
    return Jar(group, artifact, version, digest)


@dataclass(frozen=True, slots=True)
class JarCache:
    """The folder that holds the checked jars of one Kafka version."""

    cache_dir: Path
    jars: tuple[Jar, ...]

    @classmethod
    def at(cls, cache_dir: Path) -> "JarCache":
        """The cache of the jars that the product runs with."""
        return cls(cache_dir, listed())

    @property
    def folder(self) -> Path:
        """Where the jars lie."""
        return self.cache_dir / f"kafka-{KAFKA_VERSION}"

    def path(self, jar: Jar) -> Path:
        """Where a jar lies, or would lie."""
        return self.folder / jar.file_name

    def missing(self) -> list[Jar]:
        """The jars that are not in the cache."""
        return [jar for jar in self.jars if not self.path(jar).is_file()]

    def wrong(self) -> list[Jar]:
        """The jars in the cache whose sum differs."""
        return [jar for jar in self.jars if self.path(jar).is_file() and sum_of(self.path(jar)) != jar.sha256]

    def classpath(self) -> str:
        """The class path of all jars. Raises JarWrong when one is not the jar whose sum is written down."""
        for jar in self.wrong():
            raise JarWrong(
                f"{self.path(jar)} does not have the sum written in {SUMS_FILE.name}",
                "Remove that file; the next start fetches it again.",
            )
        return ":".join(str(self.path(jar)) for jar in self.jars)

    async def fetch(self, progress: Progress) -> None:
        """Bring the missing jars; a network that fails is tried again. Raises JarsOutOfReach or JarWrong.

        What was fetched before stays, also what a runner that starts at the same time has fetched.
        """
        if not self.missing():
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        name = f"Fetch Kafka {KAFKA_VERSION}, once"
        with step(progress, name):
            for seconds in RETRY_SECONDS:
                try:
                    await asyncio.to_thread(self._fetch_missing, progress, name)
                except JarsOutOfReach as fault:
                    progress.said(f"{fault}; trying again in {seconds} s.")
                    await asyncio.sleep(seconds)
                else:
                    return
            await asyncio.to_thread(self._fetch_missing, progress, name)

    def _fetch_missing(self, progress: Progress, name: str) -> None:
        wanted = self.missing()
        with tempfile.TemporaryDirectory(dir=self.cache_dir) as scratch, ThreadPoolExecutor(FETCHES_AT_ONCE) as pool:
            fetches = [pool.submit(self._fetch_one, jar, Path(scratch)) for jar in wanted]
            try:
                for done, fetch in enumerate(as_completed(fetches), start=1):
                    fetch.result()
                    progress.advanced(name, done, len(wanted))
            except (JarsOutOfReach, JarWrong):
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _fetch_one(self, jar: Jar, scratch: Path) -> None:
        fetched = _download(jar, scratch)
        if sum_of(fetched) != jar.sha256:
            raise JarWrong(
                f"the fetched {jar.file_name} does not have the sum written in {SUMS_FILE.name}",
                "Nothing was kept. Try again; if it stays so, do not use what your repository mirror serves.",
            )
        # Moved into place whole, so that a start beside this one sees all of a jar or nothing.
        partial = Path(shutil.copyfile(fetched, scratch / f"{jar.file_name}.partial"))
        partial.replace(self.path(jar))


def sum_of(file: Path) -> str:
    """SHA-256 of a file, in hexadecimal."""
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


def _download(jar: Jar, scratch: Path) -> Path:
    """A jar found in the local Maven repository is taken from there; jgo's own settings say where else to look."""
    import requests
    from jgo.constants import default_maven_repo
    from jgo.maven import MavenContext

    context = MavenContext(repo_cache=scratch, local_repos=[default_maven_repo()], timeout=FETCH_TIMEOUT_SECONDS)
    artifact = context.project(jar.group, jar.artifact).at_version(jar.version).artifact()
    try:
        return Path(artifact.resolve())
    except (requests.RequestException, RuntimeError, OSError) as error:
        raise JarsOutOfReach(
            f"{jar.file_name} is not in the cache and could not be fetched ({type(error).__name__})",
            "Connect to the network once, or copy the cache folder of a machine that has it "
            "(`concordat doctor` names it), or point --kafka to a running Kafka.",
        ) from error
