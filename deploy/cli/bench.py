"""`concordat bench`: each budget beside its measured figure, on the whole system on this machine."""

import json
import platform
import time
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import click
import psutil
import uvloop
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from deploy.bench.endpoints import BACKLOG, BACKLOG_MAX, drain_rows, hanging_rows, stand
from deploy.bench.imports import import_rows
from deploy.bench.large import graph_rows, measured
from deploy.bench.rates import Bench, RateResult
from deploy.bench.routing import routing_rows
from deploy.bench.rows import Row, cost_rows, in_columns, rate_rows, ready_row, sustained_row
from deploy.bench.traffic import Traffic
from deploy.cli.demo import credentials_of
from deploy.client import Concordat
from deploy.demo.cases import read_cases
from deploy.demo.farm import Farm
from deploy.local.display import suited
from deploy.local.keys import NO_BODIES, SUPERUSER
from deploy.local.layout import RECEIVER_PORT_OFFSET, Layout
from deploy.local.plan import KAFKA_VERSION, PORT_BASE, POSTGRES_MAJOR
from deploy.local.ports import demand_free
from deploy.local.progress import Progress, step
from deploy.local.system import LocalSystem
from shared.clock import SystemClock
from shared.ids import new_id

RATES = (50, 200, 500, 1000)
CLIMB = (1250, 1500, 1750, 2000)
ENDPOINTS = 20
WARM_UP_SECONDS = 3.0


@click.command()
@click.option("--rates", default=",".join(map(str, RATES)), help="Concerns per second, comma separated; '' for none.")
@click.option("--seconds", default=10.0, help="How long each rate is held, in seconds.")
@click.option("--climb/--no-climb", default=True, help="Go on upwards for the highest sustained rate.")
@click.option("--data-dir", type=click.Path(path_type=Path), default=Path(".data/bench"), help="Made anew each time.")
@click.option("--endpoints/--no-endpoints", default=True, help="Also one endpoint of five that hangs, and a backlog.")
@click.option(
    "--drain",
    type=click.IntRange(1_000, BACKLOG_MAX),
    default=BACKLOG,
    help="Notices in that backlog.",
    show_default=True,
)
@click.option("--hanging/--no-hanging", default=True, help="Without: of the endpoints only the backlog.")
@click.option("--graph/--no-graph", default=True, help="Also a graph of 10,000 organisations x 100,000 agreements.")
@click.option("--router/--no-router", default=True, help="Also one router alone, with concerns lying ready.")
@click.option("--json", "as_json", is_flag=True, help="Rows as JSON, with machine and versions.")
def bench(rates: str, seconds: float, data_dir: Path, drain: int, **flags: bool) -> None:
    """Offer load to a fresh system in an open loop and print what it took. Traffic goes to loopback alone."""
    wanted = [float(rate) for rate in rates.split(",") if rate]
    climb = CLIMB if flags["climb"] else ()
    layout = Layout(data_dir, PORT_BASE + 400)
    rows = uvloop.run(_run(layout, wanted, climb, seconds=seconds, as_json=flags["as_json"])) if wanted else []
    if flags["router"]:
        rows += uvloop.run(_router_alone(layout, as_json=flags["as_json"]))
    if flags["endpoints"]:
        rows += uvloop.run(_endpoints(layout, drain, hanging=flags["hanging"], as_json=flags["as_json"]))
    if flags["graph"]:
        rows += [*graph_rows(uvloop.run(measured())), *uvloop.run(_import(layout, as_json=flags["as_json"]))]
    if flags["as_json"]:
        report = {"machine": _machine(), "versions": _versions(), "rows": [row.to_json() for row in rows]}
        print(json.dumps(report))
    else:
        print("\n".join(in_columns(rows)))


async def _run(
    layout: Layout, rates: Sequence[float], climb: Sequence[float], *, seconds: float, as_json: bool
) -> list[Row]:
    with suited(as_json=as_json) as progress:
        begun = time.monotonic()
        async with LocalSystem.afresh(layout, progress=progress) as system:
            demand_free(layout.receiver_ports(1), layout.host)
            await system.start_engines()
            await system.start_services()
            ready = ready_row(time.monotonic() - begun)
            results = await _measure(system, progress, (*rates, *climb), seconds)
            last = next((r for r in reversed(results) if r.complete), results[0])
            rows = [row for result in results if result.rate_per_second in rates for row in rate_rows(result)]
            return [ready, *rows, sustained_row(results), *cost_rows(last)]


async def _router_alone(layout: Layout, *, as_json: bool) -> list[Row]:
    """On a system of its own, whose notifier does not run: all of the notices stay where they are."""
    with suited(as_json=as_json) as progress:
        async with LocalSystem.afresh(layout, progress=progress) as system:
            await system.start_engines()
            await system.start_services(("registry", "intake", "router"))
            concordat = Concordat(system.urls, credentials_of(system.credentials))
            superuser = _superuser(system)
            try:
                with step(progress, "One router, concerns lying ready"):
                    return await routing_rows(system, concordat, superuser)
            finally:
                await concordat.close()
                await superuser.dispose()


def _superuser(system: LocalSystem) -> AsyncEngine:
    return create_async_engine(system.database.url(SUPERUSER).replace("postgresql://", "postgresql+asyncpg://"))


async def _import(layout: Layout, *, as_json: bool) -> list[Row]:
    """On a system of its own, which the graph would slow down."""
    with suited(as_json=as_json) as progress:
        async with LocalSystem.afresh(layout, progress=progress) as system:
            await system.start_engines()
            await system.start_services(("registry", "router"))
            concordat = Concordat(system.urls, credentials_of(system.credentials))
            try:
                with step(progress, "A graph of 10,000 organisations x 100,000 agreements"):
                    return await import_rows(system, concordat)
            finally:
                await concordat.close()


async def _endpoints(layout: Layout, backlog: int, *, hanging: bool, as_json: bool) -> list[Row]:
    """On a system of its own, whose ledger is as small as the first rate found it."""
    with suited(as_json=as_json) as progress:
        async with LocalSystem.afresh(layout, progress=progress) as system:
            demand_free(layout.receiver_ports(2), layout.host)
            await system.start_engines()
            await system.start_services()
            concordat = Concordat(system.urls, credentials_of(system.credentials))
            try:
                async with stand(system, concordat) as at:
                    first = await hanging_rows(at, progress) if hanging else []
                    return [*first, *await drain_rows(at, progress, backlog=backlog)]
            finally:
                await concordat.close()


async def _measure(system: LocalSystem, progress: Progress, rates: Sequence[float], seconds: float) -> list[RateResult]:
    concordat = Concordat(system.urls, credentials_of(system.credentials))
    folder = system.layout.data_dir / "receivers"
    port = system.layout.port_base + RECEIVER_PORT_OFFSET
    farm = Farm(folder, port, concordat)
    superuser = _superuser(system)
    cases = read_cases()
    traffic = Traffic(cases, new_id("run"))
    try:
        await farm.start([_recipients(traffic, system)])
        run = Bench(system, concordat, superuser, traffic, SystemClock(), folder / f"{port}.jsonl")
        with step(progress, "Warm up"):
            await run.at(rates[0], WARM_UP_SECONDS)
        return await _climb(run, progress, rates, seconds)
    finally:
        await farm.stop()
        await concordat.close()
        await superuser.dispose()


async def _climb(run: Bench, progress: Progress, rates: Sequence[float], seconds: float) -> list[RateResult]:
    """Rate after rate; beyond the first that was not sustained there is nothing to learn."""
    results: list[RateResult] = []
    for rate in rates:
        with step(progress, f"{rate:.0f} concerns/s for {seconds:.0f} s"):
            results.append(await run.at(rate, seconds))
        if not results[-1].complete:
            break
    return results


def _recipients(traffic: Traffic, system: LocalSystem) -> list[str]:
    """Everyone who is told, and others up to the number of endpoints."""
    others = (str(client["org"]) for client in system.credentials.values() if client["org"] not in NO_BODIES)
    told = sorted(traffic.recipients)
    return [*told, *(org for org in others if org not in traffic.recipients)][:ENDPOINTS]


def _machine() -> dict[str, Any]:
    return {
        "cpu_count": psutil.cpu_count(),
        "memory_gb": round(psutil.virtual_memory().total / 2**30),
        "system": platform.platform(),
    }


def _versions() -> dict[str, str]:
    packages = ("concordat", "fastapi", "aiokafka", "sqlalchemy", "asyncpg", "aiohttp", "pydantic", "uvloop")
    engines = {"python": platform.python_version(), "kafka": KAFKA_VERSION, "postgres": str(POSTGRES_MAJOR)}
    return {**engines, **{name: version(name) for name in packages}}
