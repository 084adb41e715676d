"""Only the jars whose sums are written down are run."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.local import jars
from deploy.local.faults import JarsOutOfReach, JarWrong
from deploy.local.jars import Jar, JarCache, listed, sum_of
from deploy.local.progress import Silent

JAR = Jar("uk.example", "part", "1.0", "0" * 64)


@pytest.fixture
def maven_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A local Maven repository that has the jar."""
    jar = tmp_path / "repository/uk/example/part/1.0/part-1.0.jar"
    jar.parent.mkdir(parents=True)
    jar.write_bytes(b"a jar")
    monkeypatch.setenv("M2_REPO", str(tmp_path / "repository"))
    return jar


class Heard(Silent):
    """Keeps what is said, and does something when it is."""

    def __init__(self, then: Callable[[], object]) -> None:
        self.texts: list[str] = []
        self._then = then

    def said(self, text: str) -> None:
        self.texts.append(text)
        self._then()


@pytest.fixture
def unreachable(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing comes over the network, and nobody waits before trying again."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setattr(jars, "RETRY_SECONDS", (0, 0))


def test_every_listed_jar_has_a_sum_and_a_fixed_version() -> None:
    jars = listed()
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) and re.match(r"\d", jar.version) for jar in jars)
    assert len({jar.file_name for jar in jars}) == len(jars) > 40


async def test_a_fetched_jar_with_another_sum_is_refused_and_not_kept(tmp_path: Path, maven_repository: Path) -> None:
    cache = JarCache(tmp_path / "cache", (JAR,))
    with pytest.raises(JarWrong, match=r"part-1\.0\.jar"):
        await cache.fetch(Silent())
    assert cache.missing() == [JAR]
    assert sum_of(maven_repository) != JAR.sha256, "the repository keeps its own"


async def test_a_fetched_jar_with_its_sum_is_kept(tmp_path: Path, maven_repository: Path) -> None:
    cache = JarCache(tmp_path / "cache", (Jar("uk.example", "part", "1.0", sum_of(maven_repository)),))
    await cache.fetch(Silent())
    assert cache.classpath() == str(cache.folder / "part-1.0.jar")


async def test_a_cached_jar_that_was_changed_is_refused_by_name(tmp_path: Path, maven_repository: Path) -> None:
    cache = JarCache(tmp_path / "cache", (Jar("uk.example", "part", "1.0", sum_of(maven_repository)),))
    await cache.fetch(Silent())
    (cache.folder / "part-1.0.jar").write_bytes(b"another jar")
    with pytest.raises(JarWrong, match=r"part-1\.0\.jar"):
        cache.classpath()


@pytest.mark.usefixtures("unreachable")
async def test_without_a_network_it_is_tried_again_and_then_the_way_out_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("M2_REPO", str(tmp_path / "empty"))
    heard = Heard(lambda: None)
    with pytest.raises(JarsOutOfReach) as fault:
        await JarCache(tmp_path / "cache", (JAR,)).fetch(heard)
    assert "--kafka" in fault.value.remedy
    assert [text.split(" is ")[0] for text in heard.texts] == ["part-1.0.jar"] * 2


@pytest.mark.usefixtures("unreachable")
async def test_a_network_that_fails_for_a_moment_is_tried_again_for_what_is_still_missing(
    tmp_path: Path, maven_repository: Path
) -> None:
    there = Jar("uk.example", "part", "1.0", sum_of(maven_repository))
    late = Jar("uk.example", "late", "1.0", there.sha256)
    arriving = maven_repository.parents[2] / "late/1.0/late-1.0.jar"
    arriving.parent.mkdir(parents=True)
    heard = Heard(lambda: shutil.copyfile(maven_repository, arriving))
    cache = JarCache(tmp_path / "cache", (there, late))
    await cache.fetch(heard)
    assert cache.missing() == []
    assert [text.split(" is ")[0] for text in heard.texts] == ["late-1.0.jar"]
