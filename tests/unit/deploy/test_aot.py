"""The cache of Kafka's classes is made once, whole, and never stands in the way of a start."""

import asyncio
import os
from pathlib import Path

import pytest

from deploy.local.aot import AotCache
from deploy.local.faults import EngineFailed
from deploy.local.progress import Silent


class _Trainer:
    """Writes what a JVM would at its end, or fails as an engine does."""

    def __init__(self, *, fails: bool = False) -> None:
        self.count = 0
        self._fails = fails

    async def __call__(self, folder: Path, options: tuple[str, ...]) -> None:
        self.count += 1
        await asyncio.sleep(0)
        if self._fails:
            raise EngineFailed("Kafka ended", "See its log.")
        _write(Path(options[0].partition("=")[2]), within=folder)


def _write(cache: Path, *, within: Path) -> None:
    assert cache.parent == within
    cache.write_bytes(b"classes")


class _Said(Silent):
    def __init__(self) -> None:
        self.texts: list[str] = []

    def said(self, text: str) -> None:
        self.texts.append(text)


@pytest.fixture
def jar(tmp_path: Path) -> Path:
    java = tmp_path / "java" / "bin" / "java"
    java.parent.mkdir(parents=True)
    (tmp_path / "java" / "release").write_text('JAVA_VERSION="25"')
    jar = tmp_path / "jars" / "kafka.jar"
    jar.parent.mkdir()
    jar.write_bytes(b"jar")
    return jar


def _cache(jar: Path, *options: str) -> AotCache:
    return AotCache.of([jar], java=jar.parent.parent / "java" / "bin" / "java", options=options)


async def test_starts_at_the_same_time_make_one_cache(jar: Path) -> None:
    trainer = _Trainer()
    await asyncio.gather(*(_cache(jar).make(trainer, Silent()) for _ in range(3)))
    assert trainer.count == 1
    assert _cache(jar).options[0] == f"-XX:AOTCache={_cache(jar).file}"


async def test_a_cache_that_could_not_be_made_is_said_and_used_by_no_start(jar: Path) -> None:
    said = _Said()
    await _cache(jar).make(_Trainer(fails=True), said)
    assert len(said.texts) == 1
    assert _cache(jar).options == ()
    assert {path.suffix for path in jar.parent.iterdir()} == {".jar", ".making"}


async def test_another_jar_java_or_option_has_a_cache_of_its_own(jar: Path) -> None:
    names = {_cache(jar).file, _cache(jar, "-XX:+UseSerialGC").file}
    os.utime(jar, ns=(0, 0))
    names.add(_cache(jar).file)
    (jar.parent.parent / "java" / "release").write_text('JAVA_VERSION="26"')
    names.add(_cache(jar).file)
    assert len(names) == 4
