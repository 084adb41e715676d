"""`concordat graph check`: every problem of a folder of graph files, with its file, line, column and remedy."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from deploy.cli.graph_places import place_of
from deploy.cli.graph_remedies import Adviser
from services.registry.adapters.graph_files import AGREEMENTS, VOCABULARIES, Folder, Item, read_folder
from services.registry.adapters.yaml_nodes import Node, Place
from services.registry.domain.proposed import is_instant, problems_of_life
from shared.agreements import GraphInvalid, Problem, load
from shared.agreements.load.form import Book
from shared.agreements.load.objects import Shelf
from shared.agreements.load.references import cross_check
from shared.agreements.vocabulary import LISTS

SHOWN_COLUMNS_MAX = 110
_LISTED = re.compile(r" is not known in (.+)$")
_ID_LISTS = {
    "organisations.yaml": ("organisation ids", "party"),
    "statute.yaml": ("duty ids", "bar ids", "sharing ids"),
    "sources.yaml": ("source ids",),
    "forums.yaml": ("forum ids",),
    AGREEMENTS: ("agreement ids", "sharing ids"),
    VOCABULARIES: (*LISTS, "any category", "vocabulary"),
}


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One problem as it is shown. `where` is the object and the path in it, "" for what is wrong with a file."""

    path: str
    place: Place
    what: str
    remedy: str
    where: str = ""
    note: str = ""

    def to_json(self) -> dict[str, Any]:
        """The same for programs."""
        found = {"file": self.path, "line": self.place.line, "column": self.place.column, "what": self.what}
        return {**found, "remedy": self.remedy, "where": self.where, "note": self.note}


@dataclass(frozen=True, slots=True)
class Checked:
    """A folder, what was read of it, and everything that is wrong with it."""

    folder: Path
    read: Folder
    findings: tuple[Finding, ...]


def check_folder(folder: Path) -> Checked:
    """Read and check one folder. Never raises for what is in it."""
    read = read_folder(folder)
    found = [Finding(f.path, f.fault.place, f.fault.what, f.fault.remedy) for f in read.faults]
    if not folder.is_dir():
        return Checked(folder, read, tuple(found))
    found += _placed([*_problems(read), *(problem for row in read.rows() for problem in problems_of_life(row))], read)
    found += _instants(read.items)
    return Checked(folder, read, tuple(sorted(set(found))))


def _problems(read: Folder) -> list[Problem]:
    """What the one reader of graphs finds; what hangs on a file that could not be read is left out."""
    rows = read.rows()
    unread = {path for path in {fault.path for fault in read.faults} if not any(i.path == path for i in read.items)}
    try:
        load(rows)
    except GraphInvalid as invalid:
        problems = list(invalid.problems)
    else:
        return []
    hidden = {name for path in unread for name in _ID_LISTS.get(path.split("/")[0], ())}
    told = [problem for problem in problems if not _hangs_on(problem, hidden, unread)]
    return told + _compared(rows, told) if all(path.startswith(AGREEMENTS) for path in unread) else told


def _hangs_on(problem: Problem, hidden: set[str], unread: set[str]) -> bool:
    listed = _LISTED.search(problem.what)
    return bool(listed and listed[1] in hidden) or (problem.where == "policy" and "policy.yaml" in unread)


def _compared(rows: list[Mapping[str, Any]], told: list[Problem]) -> list[Problem]:
    """The reader compares objects only where each has its form; here the sound ones are compared all the same.

    What names an object that is not sound is left out: it may be an echo.
    """
    broken = {tuple(re.split(r"[. ]", problem.where)[:2]) for problem in told}
    sound = [row for row in rows if (row["kind"], row["id"]) not in broken]
    if len(sound) == len(rows) or not any(row["kind"] == "policy" for row in sound):
        return []
    shelf = Shelf(sound)
    book = Book(shelf.known_terms())
    cross_check(shelf, book)
    names = {name for _, *rest in broken for name in rest}
    return [p for p in book.problems if p not in told and not names & set(re.findall(r"[\w-]+", f"{p.where} {p.what}"))]


def _placed(problems: Iterable[Problem], read: Folder) -> Iterator[Finding]:
    found = list(problems)
    if not found:
        return
    known = {name: terms for name, terms in Shelf(read.rows()).known_terms().items() if isinstance(terms, frozenset)}
    adviser = Adviser(known, frozenset(key for item in read.items for key in _keys(item.node)))
    for problem in found:
        at = place_of(problem, read)
        what, remedy = adviser.split(problem.what)
        note = f"the first is in {at.first[0]}:{at.first[1].line}:{at.first[1].column}" if at.first else ""
        yield Finding(at.path, at.place, what, remedy or adviser.remedy(problem, at), problem.where, note)


def _keys(node: Node) -> Iterator[str]:
    if isinstance(node.value, dict):
        yield from node.value
        for entry in node.value.values():
            yield from _keys(entry.node)
    elif isinstance(node.value, list):
        for child in node.value:
            yield from _keys(child)


def _instants(items: Iterable[Item]) -> Iterator[Finding]:
    """Examples are decided as of an instant: one that is none, or that a clock change makes two, decides nothing."""
    for item in items:
        for number, stated in enumerate(_received(item.node), 1):
            if isinstance(stated.value, str) and not is_instant(stated.value):
                what = f"{stated.value!r} is not an instant"
                remedy = "Write it as '2025-03-03T10:00:00Z', in quotes and with its offset."
                yield Finding(item.path, stated.place, what, remedy, f"{item.kind} {item.id} example {number}")


def _received(node: Node) -> Iterator[Node]:
    examples = node.value.get("examples") if isinstance(node.value, dict) else None
    for example in examples.node.value if examples and isinstance(examples.node.value, list) else ():
        concern = example.value.get("concern") if isinstance(example.value, dict) else None
        stated = concern.node.value.get("received_at") if concern and isinstance(concern.node.value, dict) else None
        if stated:
            yield stated.node


def show(checked: Checked) -> None:
    """Print each problem as a compiler would: place, line, what to do."""
    for finding in checked.findings:
        _show(finding, checked)
    count, files = len(checked.findings), len({finding.path for finding in checked.findings})
    if count:
        click.echo(f"{checked.folder}: {count} problem{_s(count)} in {files} file{_s(files)}")
    else:
        objects, files = len(checked.read.items), len(checked.read.files)
        click.echo(f"{checked.folder}: {objects} objects in {files} files, no problem")


def _show(finding: Finding, checked: Checked) -> None:
    place = finding.place
    path = checked.folder / finding.path if finding.path in checked.read.files else Path(finding.path)
    click.echo(f"{click.style(f'{path}:{place.line}:{place.column}:', bold=True)} {finding.what}")
    if line := _line(checked.read.files.get(finding.path, b""), place.line):
        start = max(0, place.column - 1 - SHOWN_COLUMNS_MAX // 2) if len(line) > SHOWN_COLUMNS_MAX else 0
        click.echo(f"{place.line:>6} | {line[start : start + SHOWN_COLUMNS_MAX]}")
        click.echo(f"       | {' ' * (place.column - 1 - start)}{click.style('^', fg='red')}")
    for text in filter(None, (finding.where and f"in {finding.where}", finding.note)):
        click.echo(f"       = {text}")
    click.echo(f"       = {finding.remedy}\n")


def _line(data: bytes, number: int) -> str:
    lines = re.split(r"\r\n|\r|\n", data.decode("utf-8", "replace"))
    return lines[number - 1].replace("\t", " ") if number <= len(lines) else ""


def _s(count: int) -> str:
    return "" if count == 1 else "s"


def to_json(checked: Iterable[Checked]) -> str:
    """All folders as one JSON object."""
    folders = [
        {"folder": str(c.folder), "objects": len(c.read.items), "problems": [f.to_json() for f in c.findings]}
        for c in checked
    ]
    return json.dumps({"folders": folders}, indent=2, ensure_ascii=False)
