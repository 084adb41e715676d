"""`concordat publish FILE`: publish concerns of a file to a running system, each as its originator."""

import asyncio
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from deploy.cli.demo import credentials_of
from deploy.client import Concordat, Refused
from deploy.local.faults import RunnerFault
from deploy.local.waiting import until
from services.intake.domain.model import Status
from services.registry.adapters.seed_files import SeedUnreadable, read_yaml
from shared.agreements.reasons import sentence

WAIT_SECONDS = 30.0
SETTLED: frozenset[Status] = frozenset({"held", "unroutable", "delivered", "undelivered", "recalled"})
"""What stays as it is until a person or a recipient acts; `routed` is settled when there is nobody to be told."""
STATES = {
    "registered": "in its inbox, not at its endpoint yet",
    "attempt-failed": "its endpoint did not take it, it is tried again",
}
"""States of a notice that need words."""
_START = "Start one with `concordat up --data-dir {}`, or name the folder of the one that runs with --data-dir."
RUN_FILE, CREDENTIALS_FILE = "run.json", "credentials.json"


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--data-dir", type=click.Path(path_type=Path), default=Path(".data"), help="Of the running system.")
@click.option("--wait/--no-wait", default=True, help="Wait until it is delivered, held or unroutable.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line per concern.")
def publish(files: tuple[Path, ...], data_dir: Path, **flags: bool) -> None:
    """Publish the concerns in FILES (JSON or YAML; one concern, or a list of them) as their originators' clients.

    Waits up to 30 s for each. To publish the same again is safe, and shows how far it has come.

    Exit codes: 0 all taken, 1 one refused (those before it were taken), 2 wrong use.
    """
    concerns = [concern for file in files for concern in read_concerns(file)]
    asyncio.run(_publish(system_of(data_dir), concerns, **flags))


def read_concerns(file: Path) -> Sequence[Mapping[str, Any]]:
    """The concerns of a file. Raises ClickException when it is neither one concern nor a list of them."""
    try:
        content = read_yaml(file)
    except SeedUnreadable as error:
        raise click.ClickException(f"Neither JSON nor YAML: {error}") from None
    found = content if isinstance(content, list) else [content]
    if not found or not all(isinstance(row, dict) and "originator" in row for row in found):
        raise click.ClickException(f"{file} holds no concern: an object with an `originator`, or a list of such.")
    return found


def system_of(data_dir: Path) -> Concordat:
    """The running system of a data folder. Raises RunnerFault where none runs."""
    try:
        urls = json.loads((data_dir / RUN_FILE).read_text())["urls"]
        clients = json.loads((data_dir / CREDENTIALS_FILE).read_text())
    except FileNotFoundError:
        raise RunnerFault(f"No system runs with {data_dir}.", _START.format(data_dir)) from None
    return Concordat(urls, credentials_of(clients))


async def _publish(concordat: Concordat, concerns: Sequence[Mapping[str, Any]], *, wait: bool, as_json: bool) -> None:
    try:
        for concern in concerns:
            line = await _one(concordat, concern, wait=wait)
            click.echo(json.dumps(line) if as_json else "\n".join(in_words(line)))
    except Refused as refused:
        raise click.ClickException(str(refused)) from None
    finally:
        await concordat.close()


async def _one(concordat: Concordat, concern: Mapping[str, Any], *, wait: bool) -> Mapping[str, Any]:
    org = str(concern["originator"])
    accepted: dict[str, Any] = await concordat.post(org, "intake", "/v1/concerns", concern)
    if not wait:
        return accepted
    found = dict(accepted)
    click.echo(f"{accepted['concern_id']} is taken; waiting up to {WAIT_SECONDS:.0f} s for what comes of it.", err=True)

    async def settled() -> bool:
        found.update(await concordat.get(org, "intake", f"/v1/concerns/{accepted['concern_id']}"))
        return is_settled(found)

    try:
        await until(settled, seconds=WAIT_SECONDS)
    except TimeoutError:
        return found  # its state says how far it came
    return found


def is_settled(concern: Mapping[str, Any]) -> bool:
    """Whether nothing more is going to come of a concern, as intake shows it, without somebody's doing."""
    return concern["status"] in SETTLED or (concern["status"] == "routed" and not concern["told"])


def in_words(line: Mapping[str, Any]) -> Iterator[str]:
    """What came of a concern, line by line; with what to do where somebody must act."""
    yield f"{line['concern_id']}  {line['status']}"
    yield from (f"  {sentence(code)} ({code})" for code in line.get("hold", ()))
    for row in line.get("told", ()):
        yield f"  told {row['org']} ({row['reason']}): {STATES.get(row['state'], row['state'])}"
    yield from (f"  may be told: {org}" for org in line.get("available", ()))
    if line["status"] == "routed" and line.get("told"):
        yield "  Not everywhere yet: it goes on without this command. Publish the file again to see how far it is."
