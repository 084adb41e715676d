"""`concordat graph import`: a folder of graph files becomes a change of the registry, all of it or nothing."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import httpx

from deploy.cli.graph_check import Checked, Finding, check_folder, show
from deploy.cli.graph_sources import NoGraph
from deploy.client import REQUEST_SECONDS, Concordat
from services.registry.adapters.graph_files import Item
from shared.canonical import canonical
from shared.parts import in_parts

EDITOR = "registry-editor"
PART_BYTES_MAX = 4_000_000
PART_OBJECTS_MAX = 5_000
TRIES_MAX = 9
LAST_SECONDS = 300.0
"""The last part of a change is checked with the whole graph."""


@dataclass(frozen=True, slots=True)
class Words:
    """What is said about the change: its title and its reason."""

    title: str
    reason: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would send: objects that differ and files that differ, on top of a version of the graph.

    `files` holds the text of each file that is new or differs, "" for one that is gone; `left` counts objects of the
    registry that are not in the folder: they stay, nothing is ever removed.
    """

    checked: Checked
    version: int
    items: tuple[Item, ...]
    files: Mapping[str, str]
    left: int


class PartRefused(Exception):
    """The registry takes no such part; `answer` says why."""

    def __init__(self, answer: httpx.Response) -> None:
        super().__init__(answer.status_code)
        self.answer = answer


def planned(folder: Path, graph: Mapping[str, Any], stored: Mapping[str, str]) -> Plan:
    """What to send, from the folder, the graph and the files of the registry. Raises NoGraph with every problem."""
    checked = check_folder(folder)
    if checked.findings:
        show(checked)
        raise NoGraph(f"{folder} is not a graph; nothing was done.")
    known = {(row["kind"], row["id"]): canonical(row) for row in graph["objects"]}
    items = tuple(item for item in checked.read.items if known.get((item.kind, item.id)) != canonical(dict(item.row)))
    texts = {path: data.decode() for path, data in checked.read.files.items()}
    files = {path: text for path, text in texts.items() if stored.get(path) != text}
    files |= dict.fromkeys(stored.keys() - texts.keys(), "")
    here = {(item.kind, item.id) for item in checked.read.items}
    return Plan(checked, int(graph["version"]), items, files, len(known.keys() - here))


async def plan_import(folder: Path, concordat: Concordat) -> Plan:
    """The plan against a running registry. Raises NoGraph, Unreachable."""
    graph = await _read(concordat, "/v1/graph")
    files = await _read(concordat, f"/v1/graph/documents?version={graph['version']}")
    return planned(folder, graph, files["files"])


async def _read(concordat: Concordat, path: str) -> Any:
    answer = await concordat.sent(concordat.http.get(concordat.urls["registry"] + path, timeout=LAST_SECONDS))
    if answer.is_error:
        raise NoGraph(f"{path} answers {answer.status_code}.")
    return answer.json()


async def carry(plan: Plan, words: Words, concordat: Concordat, org: str) -> dict[str, Any]:
    """Draft the change and fill it; gives it with what is missing until it can be scheduled.

    The same import again finds its change, and goes on where it was broken off. Where a part is refused the change is
    withdrawn. Raises PartRefused, Unreachable.
    """
    sender = _Sender(concordat, org)
    parts = list(in_parts(plan.items, _size, size_max=PART_BYTES_MAX, count_max=PART_OBJECTS_MAX))
    change = await _drafted(plan, words, parts, sender)
    path = f"/v1/changes/{change['change_id']}"
    try:
        change = await _filled(change, parts, path, sender)
        for files in _file_parts(plan.files):
            await sender.send("PUT", f"{path}/documents", {"files": files})
    except PartRefused:
        await sender.send("POST", f"{path}/withdrawal", {"reason": "Its import was refused."}, sender.tag(change))
        raise
    shown: dict[str, Any] = await concordat.get(org, "registry", path)
    return shown


async def _drafted(plan: Plan, words: Words, parts: Sequence[Sequence[Item]], sender: _Sender) -> dict[str, Any]:
    """A change that is not withdrawn: one that was is not opened again."""
    said = {"title": words.title, "reason": words.reason, "parent_version": plan.version}
    body = {**said, "objects": [dict(item.row) for item in parts[0]], "more": len(parts) > 1}
    whole = canonical([said, [dict(item.row) for item in plan.items], dict(plan.files)])
    for attempt in range(TRIES_MAX):
        key = hashlib.sha256(whole + str(attempt).encode()).hexdigest()
        change = await sender.send("POST", "/v1/changes", body, {"Idempotency-Key": key})
        if change["state"] != "withdrawn":
            return change
    raise NoGraph(f"The same import was withdrawn {TRIES_MAX} times; give it another --title.")


async def _filled(
    change: dict[str, Any], parts: Sequence[Sequence[Item]], path: str, sender: _Sender
) -> dict[str, Any]:  # fmt: skip
    total = sum(map(len, parts))
    with click.progressbar(length=total, label=f"{total} objects", file=sys.stderr) as bar:
        sent = 0
        for number, part in enumerate(parts, 1):
            if sent >= change["objects"]:
                body = {"objects": [dict(item.row) for item in part], "more": number < len(parts)}
                change = await sender.send("POST", f"{path}/objects", body, sender.tag(change))
            sent += len(part)
            bar.update(len(part))
    return change


@dataclass(slots=True)
class _Sender:
    """Sends steps as a client of one organisation, each on top of the state that the one before it left."""

    concordat: Concordat
    org: str
    etag: str = ""

    async def send(
        self, method: str, path: str, body: Mapping[str, Any], headers: Mapping[str, str] | None = None
    ) -> dict[str, Any]:
        concordat = self.concordat
        given = {**await concordat.authorization(self.org), "Content-Type": "application/json", **(headers or {})}
        url = concordat.urls["registry"] + path
        timeout = LAST_SECONDS if method == "POST" else REQUEST_SECONDS
        sending = concordat.http.request(method, url, content=json.dumps(body), headers=given, timeout=timeout)
        answer = await concordat.sent(sending)
        if answer.is_error:
            raise PartRefused(answer)
        self.etag = answer.headers.get("etag", self.etag)
        found: dict[str, Any] = answer.json()
        return found

    def tag(self, _change: Mapping[str, Any]) -> dict[str, str]:
        return {"If-Match": self.etag}


def _size(item: Item) -> int:
    return len(canonical(dict(item.row)))


def _file_parts(files: Mapping[str, str]) -> Iterator[dict[str, str]]:
    parts = in_parts(files.items(), lambda file: len(file[1]), size_max=PART_BYTES_MAX)
    return (dict(part) for part in parts if part)


def refused(plan: Plan, answer: httpx.Response) -> Checked:
    """What the registry said, as problems of the folder, each with its place."""
    body = answer.json() if "json" in answer.headers.get("content-type", "") else {}
    errors = body.get("errors") or [{"pointer": "", "detail": body.get("title", f"answered {answer.status_code}")}]
    remedy = body.get("detail") or "Change the folder accordingly, and import it again."
    found = [_finding(plan, error, remedy) for error in errors]
    return Checked(plan.checked.folder, plan.checked.read, tuple(sorted(found)))


def _finding(plan: Plan, error: Mapping[str, str], remedy: str) -> Finding:
    _, _, number = error["pointer"].partition("/objects/")
    named = next((item for item in plan.items if f"{item.kind} {item.id}" in error["detail"]), None)
    item = named or (plan.items[int(number)] if number.isdigit() and int(number) < len(plan.items) else plan.items[0])
    where = f"{item.kind} {item.id}" if named or number else ""
    return Finding(item.path, item.node.place, error["detail"], remedy, where)


def show_change(plan: Plan, change: Mapping[str, Any]) -> None:
    """Say what was made and what comes next, by whom."""
    files = f"{len(plan.files)} file{'' if len(plan.files) == 1 else 's'}"
    click.echo(f"{change['change_id']}: {change['objects']} objects and {files} on top of version {plan.version}")
    if plan.left:
        click.echo(f"{plan.left} objects of the registry are not in the folder and stay: nothing is ever removed")
    click.echo("Still missing:")
    for need in change["needs"]:
        click.echo(f"  {need['step']:<12} {need['role']:<20} {need['detail']}")
