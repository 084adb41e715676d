"""`concordat publish FILE`: publish concerns of a file to a running system, each as its originator."""

import asyncio
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from deploy.cli.demo import credentials_of
from deploy.client import Concordat, Refused
from deploy.local.faults import RunnerFault
from deploy.local.waiting import until
from services.intake.domain.model import Status
from services.registry.adapters.seed_files import SeedUnreadable, read_yaml

WAIT_SECONDS = 30.0
SETTLED: frozenset[Status] = frozenset({"held", "unroutable", "delivered", "undelivered", "recalled"})
"""What stays as it is until a person or a recipient acts; `routed` is settled when there is nobody to be told."""
RUN_FILE, CREDENTIALS_FILE = "run.json", "credentials.json"


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--data-dir", type=click.Path(path_type=Path), default=Path(".data"), help="Of the running system.")
@click.option("--wait/--no-wait", default=True, help="Wait until it is delivered, held or unroutable.")
@click.option("--json", "as_json", is_flag=True, help="One JSON line per concern.")
def publish(files: tuple[Path, ...], data_dir: Path, **flags: bool) -> None:
    """Publish the concerns in FILES (JSON or YAML; one concern, or a list of them) as their originators' clients."""
    concerns = [concern for file in files for concern in read_concerns(file)]
    for line in asyncio.run(_publish(system_of(data_dir), concerns, wait=flags["wait"])):
        click.echo(json.dumps(line) if flags["as_json"] else _in_words(line))


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
        raise RunnerFault(f"No system runs with {data_dir}.", "Start one with `concordat up`.") from None
    return Concordat(urls, credentials_of(clients))


async def _publish(
    concordat: Concordat, concerns: Sequence[Mapping[str, Any]], *, wait: bool
) -> Sequence[Mapping[str, Any]]:
    try:
        return [await _one(concordat, concern, wait=wait) for concern in concerns]
    except (Refused, KeyError) as refused:
        reason = f"No client acts for {refused}." if isinstance(refused, KeyError) else str(refused)
        raise click.ClickException(reason) from None
    finally:
        await concordat.close()


async def _one(concordat: Concordat, concern: Mapping[str, Any], *, wait: bool) -> Mapping[str, Any]:
    org = str(concern["originator"])
    accepted: dict[str, Any] = await concordat.post(org, "intake", "/v1/concerns", concern)
    if not wait:
        return accepted
    found = dict(accepted)

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


def _in_words(line: Mapping[str, Any]) -> str:
    told = "".join(f"\n  told {row['org']} ({row['reason']}): {row['state']}" for row in line.get("told", ()))
    available = "".join(f"\n  may be told: {org}" for org in line.get("available", ()))
    return f"{line['concern_id']}  {line['status']}{told}{available}"
