"""Where a graph comes from: a folder of files, or a running registry at a version or as it was known on a day."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import httpx

from deploy.cli.graph_check import check_folder, show
from deploy.client import Unreachable
from services.registry.adapters.seed_files import SEED_DIR
from shared.agreements.days import instant_of, start_of

READ_SECONDS = 60.0
NO_SYSTEM = "No system runs with .data: start one with `concordat up`, or name a registry with --registry URL."
RUN_FILE = Path(".data") / "run.json"
Row = Mapping[str, Any]


class NoGraph(click.ClickException):
    """What was named is no graph; the text says what to do."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Source:
    """A graph, and how it is called where it is shown. `version` and `root` are 0 and "" for files."""

    label: str
    rows: Sequence[Row]
    version: int = 0
    root: str = ""


def registry_url(given: str | None) -> str:
    """The address of the registry: as given, or that of the system that runs here. Raises NoGraph."""
    if given:
        return given.rstrip("/")
    try:
        return str(json.loads(RUN_FILE.read_text())["urls"]["registry"])
    except (OSError, ValueError, KeyError):
        raise NoGraph(NO_SYSTEM) from None


def folder_source(folder: Path) -> Source:
    """The graph of a folder; every problem is shown first. Raises NoGraph."""
    checked = check_folder(folder)
    if checked.findings:
        show(checked)
        raise NoGraph(f"{folder} is not a graph; nothing was done.")
    return Source(str(folder), checked.read.rows())


def drawn_source(folder: Path | None, registry: str | None, known: str | None) -> Source:
    """What to draw: the registry where one is named or its past is asked for, else a folder. Raises NoGraph."""
    if known or (registry and folder is None):
        return registry_source(known_at(known) if known else {}, known or "", registry)
    return folder_source(folder or SEED_DIR)


def source_of(name: str, registry: str | None) -> Source:
    """A folder, or else a version, a day, an instant or `head` of the registry. Raises NoGraph, Unreachable."""
    if Path(name).is_dir():
        return folder_source(Path(name))
    return registry_source(_query_of(name), name, registry)


def registry_source(query: Mapping[str, str], label: str, registry: str | None) -> Source:
    """The graph of a registry. Raises NoGraph, Unreachable."""
    found = get_json(f"{registry_url(registry)}/v1/graph", query)
    if "known_at" in query and instant_of(found["committed_at"]) > instant_of(query["known_at"]):
        raise NoGraph("This registry does not look back by date; name a version.")
    version = int(found["version"])
    named = f"version {version}" if label in ("", "head", str(version)) else f"version {version}, known at {label}"
    return Source(named, found["objects"], version, str(found["root"]))


def known_at(text: str) -> dict[str, str]:
    """What to ask a registry for: what was known at an instant, or at the end of a day in London. Raises NoGraph."""
    try:
        if len(text) == len("2000-01-31"):
            moment = start_of(date.fromisoformat(text) + timedelta(days=1)) - timedelta(microseconds=1)
        else:
            moment = instant_of(text)
    except (ValueError, OverflowError):
        raise NoGraph(f"{text!r} is no day like 2022-05-03 and no instant like 2022-05-03T10:00:00Z.") from None
    return {"known_at": _utc(moment)}


def _utc(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def _query_of(name: str) -> dict[str, str]:
    if name == "head":
        return {}
    if name.isdigit():
        return {"version": name}
    if len(name) >= len("2000-01-31") and name[:4].isdigit():
        return known_at(name)
    raise NoGraph(f"{name!r} is no folder, and no version, day, instant or `head` of a registry.")


def get_json(url: str, query: Mapping[str, str] | None = None) -> Any:
    """GET without a token: reading the graph is open. Raises NoGraph, Unreachable."""
    try:
        answer = httpx.get(url, params=query or {}, timeout=READ_SECONDS, trust_env=False)
    except httpx.TransportError as error:
        raise Unreachable(error) from error
    if answer.is_error:
        detail = answer.json().get("title", "") if "json" in answer.headers.get("content-type", "") else ""
        raise NoGraph(f"{answer.request.url} answers {answer.status_code} {detail}".rstrip())
    return answer.json()
