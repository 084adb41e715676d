"""The repository speaks of the product alone, and nothing in it leads nowhere."""

import re
from collections.abc import Iterator

import pytest

from deploy.cli.main import main as command_line
from tests.architecture.sources import ROOT, Source, files, prose, sources

TEXT = (".py", ".md", ".txt", ".in", ".toml", ".yml", ".yaml", ".json", ".sh", ".sql", ".ini", ".mako", ".example")
# Put together here, so that this file is not its own first finding.
HOSTS = [
    ".".join(parts)
    for parts in [("pypi", "org"), ("pythonhosted", "org"), ("maven", "org"), ("npmjs", "org"), ("npmjs", "com")]
]
MACHINES = re.compile(r"(?<![\w.])/(?:work|root|home|Users)/\w")
LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)")
MAKE = re.compile(r"\bmake ([a-z][a-z-]*)")
CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
TESTED = re.compile(r"`((?:tests|deploy)/[\w/.-]+)`")
ADRS = tuple(s for s in prose() if s.path.parts[:2] == ("docs", "adr"))
EACH_ADR = pytest.mark.parametrize("adr", ADRS, ids=lambda s: s.path.stem)


def test_no_file_names_the_host_of_a_registry() -> None:
    found = [(str(s.path), host) for s in sources(*TEXT) for host in HOSTS if host in s.text]
    assert found == []


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    assert [str(s.path) for s in sources(*TEXT) if MACHINES.search(s.text)] == []


def test_nothing_that_is_made_by_running_is_kept() -> None:
    made = re.compile(r"(^|/)(__pycache__|\.venv|\.data|node_modules|[^/]+\.egg-info)(/|$)|\.(pyc|log|pem|key)$")
    assert [str(path) for path in files() if made.search(str(path))] == []


def test_every_link_leads_to_a_file() -> None:
    broken = [(str(s.path), link) for s in prose() for link in LINK.findall(s.text) if not _target(s, link)]
    assert broken == []


def _target(source: Source, link: str) -> bool:
    return ((ROOT / source.path).parent / link.strip()).exists()


def _code(source: Source) -> Iterator[str]:
    yield from CODE.findall(source.text)


def test_every_make_command_that_is_told_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    told = {(str(s.path), name) for s in prose() for code in _code(s) for name in MAKE.findall(code)}
    assert [each for each in sorted(told) if each[1] not in targets] == []


def test_every_command_that_is_told_exists() -> None:
    known = set(command_line.list_commands(None))  # type: ignore[arg-type]  # the group looks at no context
    told = {
        (str(s.path), name)
        for s in prose()
        for code in _code(s)
        for name in re.findall(r"(?:^|[`\n$/ ])concordat ([a-z]+)", code)
    }
    assert [each for each in sorted(told) if each[1] not in known] == []


def test_the_records_of_decisions_are_numbered_without_a_gap() -> None:
    numbers = [int(adr.path.name[:4]) for adr in ADRS]
    assert numbers == list(range(1, len(numbers) + 1))


@EACH_ADR
def test_each_decision_names_checks_that_exist(adr: Source) -> None:
    named = TESTED.findall(adr.text.partition("## Checks")[2])
    assert named, "a decision without a check is a wish"
    assert [path for path in named if not (ROOT / path).exists()] == []


@EACH_ADR
def test_each_decision_fits_on_a_page(adr: Source) -> None:
    assert re.match(rf"# {int(adr.path.name[:4])}\. \S", adr.text)
    assert "Status: " in adr.text
    assert adr.line_count <= 60
