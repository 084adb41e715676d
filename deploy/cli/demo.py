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
from deploy.demo.report import Told, show, show_fault, show_legend, show_records, show_summary, summary
from deploy.demo.run import Demo
from deploy.local.display import suited
from deploy.local.layout import RECEIVER_PORT_OFFSET, Layout
from deploy.local.plan import PORT_BASE
from deploy.local.ports import demand_free
from deploy.local.progress import Progress, step
from deploy.local.system import LocalSystem
from shared.clock import SystemClock

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
        cases = [case.to_json() for case in told]
        print(json.dumps({"cases": cases, "summary": summary(told), "faults": faults, "audit": records}))
    else:
        _print(told, faults, records)
    sys.exit(1 if faults or any(t.faults for t in told) else 0)


async def _run(
    layout: Layout, cases: Sequence[Case], *, keep: bool, as_json: bool
) -> tuple[list[Told], list[str], list[Any]]:
    make = LocalSystem if keep else LocalSystem.afresh
    with suited(as_json=as_json) as progress:
        async with make(layout, progress=progress) as system:
            groups = _groups(cases)
            demand_free(layout.receiver_ports(len(groups)), layout.host)
            await system.start_engines()
            await system.start_services()
            concordat = Concordat(system.urls, credentials_of(system.credentials))
            farm = Farm(layout.data_dir / "receivers", layout.port_base + RECEIVER_PORT_OFFSET, concordat)
            demo = Demo(concordat, farm, SystemClock(), layout)
            try:
                with step(progress, f"Start {len(groups)} receivers"):
                    await farm.start(groups)
                return await _play(demo, cases, progress)
            finally:
                await farm.stop()
                await concordat.close()


async def _play(demo: Demo, cases: Sequence[Case], progress: Progress) -> tuple[list[Told], list[str], list[Any]]:
    with step(progress, f"Publish {len(cases)} concerns, each as its originator"):
        await demo.publish_all(cases)
    with step(progress, "Wait for the deliveries and judge them"):
        judged = await demo.judged()
    with step(progress, "Publish everything again"):
        faults = await demo.publish_again()
    most = max(judged, key=lambda t: len(t.receipt_ms))
    records = await demo.audit_records(most.concern_id, FACTS_WITHOUT_DELIVERY + len(most.receipt_ms))
    return judged, faults, records


def _groups(cases: Sequence[Case]) -> list[list[str]]:
    """A receiver for each body that is to be told, and one for all the others that a case names."""
    return one_each((org for case in cases for org in case.told), (org for case in cases for org in case.bodies))


def credentials_of(clients: dict[str, dict[str, Any]]) -> dict[str, Credential]:
    """The credentials of each organisation's client, from what the runner made."""
    return {str(c["org"]): Credential(str(c["client_id"]), str(c["secret"])) for c in clients.values()}


def _print(told: Sequence[Told], faults: Sequence[str], records: Sequence[dict[str, Any]]) -> None:
    console = Console()
    show_legend(console)
    console.print()
    for case in told:
        show(console, case)
    show_records(console, records)
    console.print()
    figures = summary(told)
    show_summary(console, {**figures, "differences": figures["differences"] + len(faults)})
    for fault in faults:
        show_fault(console, fault)
