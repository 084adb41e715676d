"""`concordat demo`: the whole system on this machine, every worked case, judged; ends non-zero on any difference."""

import asyncio
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from deploy.client import Concordat, Credential
from deploy.demo.cases import SCENARIOS, Case, read_cases
from deploy.demo.farm import Farm, one_each
from deploy.demo.report import Told, show
from deploy.demo.run import Demo
from deploy.local.display import suited
from deploy.local.layout import Layout
from deploy.local.plan import PORT_BASE
from deploy.local.progress import Progress, step
from deploy.local.system import LocalSystem
from shared.clock import SystemClock

RECEIVER_PORT_OFFSET = 100
FACTS_WITHOUT_DELIVERY = 2


@click.command()
@click.option(
    "--data-dir", type=click.Path(path_type=Path), default=Path(".data/demo"), help="Everything is kept here."
)
@click.option("--port-base", type=click.IntRange(1024, 65_000), default=PORT_BASE + 200, help="Ports count from here.")
@click.option("--scenarios", type=click.Path(path_type=Path, exists=True), default=SCENARIOS, help="The worked cases.")
@click.option("--keep", is_flag=True, help="Use the data folder as it is: a second run delivers nothing new.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object at the end instead of tables.")
def demo(data_dir: Path, port_base: int, scenarios: Path, **flags: bool) -> None:
    """Publish every worked case, tell whom the agreements allow, and prove from the receivers' files what arrived."""
    layout = Layout(data_dir, port_base)
    told, faults, records = asyncio.run(_run(layout, read_cases(scenarios), **flags))
    if flags["as_json"]:
        print(json.dumps({"cases": [t.to_json() for t in told], "faults": faults, "audit": records}))
    else:
        _print(told, faults, records)
    sys.exit(1 if faults or any(t.faults for t in told) else 0)


async def _run(
    layout: Layout, cases: Sequence[Case], *, keep: bool, as_json: bool
) -> tuple[list[Told], list[str], list[Any]]:
    make = LocalSystem if keep else LocalSystem.afresh
    with suited(as_json=as_json) as progress:
        async with make(layout, progress=progress) as system:
            await system.start_engines()
            await system.start_services()
            concordat = Concordat(system.urls, credentials_of(system.credentials))
            folder = layout.data_dir / "receivers"
            farm = Farm(folder, layout.port_base + RECEIVER_PORT_OFFSET, concordat)
            try:
                return await _play(Demo(concordat, farm, SystemClock()), cases, progress)
            finally:
                await farm.stop()
                await concordat.close()


async def _play(demo: Demo, cases: Sequence[Case], progress: Progress) -> tuple[list[Told], list[str], list[Any]]:
    told = {org for case in cases for org in case.told}
    named = {org for case in cases for org in case.bodies}
    with step(progress, f"Start a receiver for each of {len(told)} bodies"):
        await demo.farm.start(one_each(told, named))
    with step(progress, f"Publish {len(cases)} concerns, each as its originator"):
        await demo.publish_all(cases)
    with step(progress, "Wait for the deliveries and judge them"):
        judged = await demo.judged()
    with step(progress, "Publish everything again"):
        faults = await demo.publish_again()
    most = max(judged, key=lambda t: len(t.receipt_ms))
    records = await demo.audit_records(most.concern_id, FACTS_WITHOUT_DELIVERY + len(most.receipt_ms))
    return judged, faults, records


def credentials_of(clients: dict[str, dict[str, Any]]) -> dict[str, Credential]:
    """The credentials of each organisation's client, from what the runner made."""
    return {str(c["org"]): Credential(str(c["client_id"]), str(c["secret"])) for c in clients.values()}


def _print(told: Sequence[Told], faults: Sequence[str], records: Sequence[dict[str, Any]]) -> None:
    console = Console()
    for case in told:
        show(console, case)
    console.rule("[bold]Audit records of one concern[/]", align="left")
    for record in records:
        console.print(
            f"  {record['at']}  {record['kind']:<18} {record['actor']:<28} {record['fact_id']}", highlight=False
        )
    for fault in faults:
        console.print(f"[bold red]differs[/] {fault}", highlight=False)
    received = sum(len(t.receipt_ms) for t in told)
    wrong = len(faults) + sum(len(t.faults) for t in told)
    console.rule(align="left")
    console.print(f"{len(told)} concerns, {received} notices received and verified, {wrong} differences")
