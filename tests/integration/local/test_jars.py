"""Only the jars whose sums are written down are run."""

import re
from pathlib import Path

import pytest

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


def test_every_listed_jar_has_a_sum_and_a_fixed_version() -> None:
    jars = listed()
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) and re.match(r"\d", jar.version) for jar in jars)
    assert len({jar.file_name for jar in jars}) == len(jars) > 40


def test_a_fetched_jar_with_another_sum_is_refused_and_not_kept(tmp_path: Path, maven_repository: Path) -> None:
    cache = JarCache(tmp_path / "cache", (JAR,))
    with pytest.raises(JarWrong, match=r"part-1\.0\.jar"):
        cache.fetch(Silent())
    assert cache.missing() == [JAR]
    assert maven_repository.exists()


def test_a_fetched_jar_with_its_sum_is_kept(tmp_path: Path, maven_repository: Path) -> None:
    cache = JarCache(tmp_path / "cache", (Jar("uk.example", "part", "1.0", sum_of(maven_repository)),))
    cache.fetch(Silent())
    assert cache.classpath() == str(cache.folder / "part-1.0.jar")


def test_a_cached_jar_that_was_changed_is_refused_by_name(tmp_path: Path, maven_repository: Path) -> None:
    cache = JarCache(tmp_path / "cache", (Jar("uk.example", "part", "1.0", sum_of(maven_repository)),))
    cache.fetch(Silent())
    (cache.folder / "part-1.0.jar").write_bytes(b"another jar")
    with pytest.raises(JarWrong, match=r"part-1\.0\.jar"):
        cache.classpath()


def test_without_a_network_the_way_out_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("M2_REPO", str(tmp_path / "empty"))
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with pytest.raises(JarsOutOfReach) as fault:
        JarCache(tmp_path / "cache", (JAR,)).fetch(Silent())
    assert "--kafka" in fault.value.remedy
