"""`concordat up` and `concordat down`: the whole system on this machine."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
import psutil

from deploy.local import environment
from deploy.local.display import suited
from deploy.local.faults import AlreadyRunning, RunnerFault, ServiceFailed
from deploy.local.files import write_private
from deploy.local.hold import runner_of
from deploy.local.layout import Layout
from deploy.local.plan import PORT_BASE
from deploy.local.process import log_tail
from deploy.local.progress import Progress
from deploy.local.supervisor import keep_running
from deploy.local.system import External, LocalSystem
from deploy.local.waiting import eventually

READY_SECONDS = 300
DOWN_SECONDS = 60
INTERRUPTED = 130
DATA_DIR = Path(".data")


@dataclass(frozen=True, slots=True)
class Options:
    """What the user asked for."""

    layout: Layout
    external: External
    as_json: bool
    detach: bool


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path), default=DATA_DIR, help="Everything is kept here.")
@click.option("--port-base", type=click.IntRange(1024, 65_000), default=PORT_BASE, help="Ports are counted from here.")
@click.option("--kafka", metavar="HOST:PORT", help="Use this running Kafka.")
@click.option("--postgres", metavar="URL", help="Use this running Postgres 18; the URL is its superuser's.")
@click.option("--detach", is_flag=True, help="Return when ready and leave it running; `concordat down` ends it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object when ready; progress as JSON lines on stderr.")
def up(data_dir: Path, port_base: int, kafka: str | None, postgres: str | None, **flags: bool) -> None:
    """Start the whole system: Postgres, Kafka and the services. Ctrl-C ends it; what it holds stays."""
    options = Options(Layout(data_dir, port_base), External(kafka, postgres), **flags)
    try:
        sys.exit(_detached(options) if options.detach else asyncio.run(_attached(options)))
    except RunnerFault as fault:
        if not options.as_json:
            raise
        click.echo(json.dumps({"error": str(fault), "remedy": fault.remedy}))
        sys.exit(1)


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path), default=DATA_DIR, help="As given to `up`.")
def down(data_dir: Path) -> None:
    """End the system that `concordat up` runs with this data folder."""
    pid = runner_of(data_dir)
    if pid is None:
        click.echo(f"Nothing runs with {data_dir}.")
        return
    runner = psutil.Process(pid)
    runner.terminate()
    try:
        runner.wait(DOWN_SECONDS)
    except psutil.TimeoutExpired:
        raise ServiceFailed(f"process {pid} did not end within {DOWN_SECONDS} s", "Look into its logs.") from None
    click.echo("Ended. What it held is kept.")


async def _attached(options: Options) -> int:
    """Run until told to stop; gives the exit code."""
    with suited(as_json=options.as_json) as progress:
        system = LocalSystem(options.layout, progress=progress, external=options.external)
        running = _stoppable(_run(system, progress, options), system)
        try:
            await running
        except asyncio.CancelledError:
            return INTERRUPTED
    return 0


def _stoppable(work: Coroutine[None, None, None], system: LocalSystem) -> asyncio.Task[None]:
    """The first Ctrl-C ends the work cleanly, the second by force."""
    task = asyncio.create_task(work)
    asked: list[signal.Signals] = []

    def stop(number: signal.Signals) -> None:
        if asked:
            system.force()
        asked.append(number)
        task.cancel()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop, number)
    return task


async def _run(system: LocalSystem, progress: Progress, options: Options) -> None:
    begun = time.monotonic()
    async with system:
        options.layout.run_file.unlink(missing_ok=True)
        await system.start_engines()
        await system.start_services()
        summary = json.dumps(_summary(system, time.monotonic() - begun))
        write_private(options.layout.run_file, summary.encode())
        _tell(options)
        try:
            await keep_running(system, progress)
        finally:
            options.layout.run_file.unlink()
            progress.said("Ending.")


def _summary(system: LocalSystem, seconds: float) -> dict[str, object]:
    return {
        "pid": psutil.Process().pid,
        "ready_seconds": round(seconds, 2),
        "urls": system.urls,
        "ports": system.layout.ports(),
        "kafka": system.bootstrap,
        "data_dir": str(system.layout.data_dir),
        "logs": str(system.layout.log("up").parent),
        "credentials_file": str(system.layout.credentials_file),
    }


def _tell(options: Options) -> None:
    summary = json.loads(options.layout.run_file.read_text())
    if options.as_json:
        credentials = json.loads(options.layout.credentials_file.read_text())
        click.echo(json.dumps({**summary, "credentials": credentials}))
        return
    click.echo(f"Ready in {summary['ready_seconds']:.1f} s.")
    for name, url in summary["urls"].items():
        click.echo(f"  {name:<10}{url}")
    click.echo(f"Clients and their secrets: {summary['credentials_file']}")
    click.echo(f"Logs: {summary['logs']}")
    if options.detach:
        click.echo(f"It goes on as process {summary['pid']}; `{_down(options.layout.data_dir)}` ends it.")


def _down(data_dir: Path) -> str:
    return "concordat down" if data_dir == DATA_DIR else f"concordat down --data-dir {data_dir}"


def _detached(options: Options) -> int:
    """Start the runner as a process of its own and wait until it says that it is ready; gives the exit code."""
    layout = options.layout
    if (pid := runner_of(layout.data_dir)) is not None:
        remedy = f"End it with `{_down(layout.data_dir)}`, or choose another folder with --data-dir."
        raise AlreadyRunning(f"{layout.data_dir} is in use by process {pid}", remedy)
    log = layout.log("up")
    log.parent.mkdir(parents=True, exist_ok=True)
    layout.run_file.unlink(missing_ok=True)
    with log.open("wb") as out:
        runner = subprocess.Popen(
            _command_line(options),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=out,
            env={**environment.python_environment(), **environment.own_settings()},
            start_new_session=True,
        )
    asyncio.run(_ready(runner, layout))
    runner.returncode = 0  # it is to outlive us: nothing is left to wait for
    _tell(options)
    return 0


async def _ready(runner: "subprocess.Popen[bytes]", layout: Layout) -> None:
    ready = partial(_is_ready, runner, layout)
    await eventually(ready, seconds=READY_SECONDS, what="the system is ready", log=layout.log("up"))


async def _is_ready(runner: "subprocess.Popen[bytes]", layout: Layout) -> bool:
    if runner.poll() is not None:
        raise RunnerFault(f"The system did not start:\n{log_tail(layout.log('up'))}", f"See {layout.log('up').parent}.")
    return layout.run_file.exists()


def _command_line(options: Options) -> list[str]:
    layout, external = options.layout, options.external
    named = {"--kafka": external.kafka, "--postgres": external.postgres}
    given = [part for name, value in named.items() if value for part in (name, value)]
    where = ["--data-dir", str(layout.data_dir), "--port-base", str(layout.port_base)]
    return [sys.executable, "-m", "deploy.cli.main", "up", *where, *given]
