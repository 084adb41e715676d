"""The import as a person runs it: plan, send, say what comes next."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path

import click

from deploy.cli.graph_check import show
from deploy.cli.graph_import import PartRefused, Plan, Words, carry, plan_import, refused, show_change
from deploy.cli.graph_sources import NoGraph, registry_url
from deploy.client import Concordat, Credential, Refused


def run_import(folder: Path, registry: str | None, credentials: Path, asked: Mapping[str, str]) -> int:
    """Import the folder; gives the exit code. `asked`: `org`, `title`, `reason`. Raises NoGraph, Unreachable."""
    if not folder.is_dir():
        raise NoGraph(f"{folder} is not a folder.")
    client = _credential(credentials, asked["org"])
    concordat = Concordat({"registry": registry_url(registry)}, {asked["org"]: client})
    return asyncio.run(_import(folder, concordat, asked))


NOT_ALLOWED = (401, 403)
"""These are about who asks, not about the folder."""


async def _import(folder: Path, concordat: Concordat, asked: Mapping[str, str]) -> int:
    try:
        plan = await plan_import(folder, concordat)
        return await _carried(plan, concordat, asked)
    except Refused as fault:
        raise NoGraph(str(fault)) from fault
    finally:
        await concordat.close()


async def _carried(plan: Plan, concordat: Concordat, asked: Mapping[str, str]) -> int:
    if not plan.items:
        comments = f"; {len(plan.files)} files differ in comments or layout alone" if plan.files else ""
        click.echo(f"Nothing to import: version {plan.version} has every object as it is in the folder{comments}.")
        return 0
    words = Words(asked["title"], asked["reason"])
    try:
        change = await carry(plan, words, concordat, asked["org"])
    except PartRefused as fault:
        if fault.answer.status_code in NOT_ALLOWED:
            raise Refused(fault.answer) from fault
        show(refused(plan, fault.answer))
        click.echo("The registry refused it; nothing was changed.")
        return 1
    show_change(plan, change)
    return 0


def _credential(file: Path, org: str) -> Credential:
    try:
        clients = json.loads(file.read_text()).values()
    except (OSError, ValueError):
        what = f"{file} holds no credentials"
        raise NoGraph(f"{what}: start a system with `concordat up`, or name the file with --credentials.") from None
    for client in clients:
        if client.get("org") == org:
            return Credential(str(client["client_id"]), str(client["secret"]))
    raise NoGraph(f"{file} has no client of {org}; name one that it has with --as.")
