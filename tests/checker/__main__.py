"""`python -m tests.checker`: load, random kills and the equation, on a running system or on one of its own.

Exit code 0 when everything adds up, 1 for any unexplained difference or a part that does not come back, 2 when it could
not be tried.
"""

import asyncio
import json
import random  # noqa: TID251 - a seeded Random is made here and handed on: nothing else decides what is broken when
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import aiohttp
import click

from tests.checker import machinery, report, system
from tests.checker.concerns import RECIPIENTS
from tests.checker.face import Face
from tests.checker.ledger import Ledger
from tests.checker.model import now
from tests.checker.receivers import RESET, TAKEN, Receivers
from tests.checker.results import Document, Results, code_digest
from tests.checker.run import Plan, Planned, Runner
from tests.checker.signature import Proof

KILLS = "kill-notifier,kill-router,kill-intake"
UNRULY = ("503", RESET, "slow 204")
CONNECTIONS_MAX = 400


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line."""

    runs: int
    seed: int
    rate: float
    seconds: float
    faults: Sequence[str]
    faults_max: int
    unruly: float
    pause_seconds: float
    as_json: bool

    def asked(self) -> dict[str, object]:
        """What a run is, but for its number: only a run of the same, on the same code, proves the same."""
        said = asdict(self)
        return {**{name: said[name] for name in said.keys() - {"runs", "as_json"}}, "code": code_digest()}


def plan_of(wanted: Wanted, run: int, prefix: str) -> Plan:
    """The faults of a run, from the seed and its number alone."""
    dice = random.Random(f"{wanted.seed}/{run}")  # noqa: S311 - repeatable, not secret
    names = dice.sample(wanted.faults, dice.randint(1, min(wanted.faults_max, len(wanted.faults))))
    faults = [Planned(name, dice.uniform(0.1, 0.9) * wanted.seconds) for name in _one_each(names)]
    return Plan(run, prefix, wanted.rate, wanted.seconds, sorted(faults, key=lambda one: one.after_seconds))


def _one_each(names: Sequence[str]) -> list[str]:
    """At most one fault for each process: what is down cannot be broken again."""
    return list({name.partition("-")[2]: name for name in names}.values())


async def check(wanted: Wanted, under_test: system.Running, ledger: Ledger, results: Results) -> None:
    """All runs that are not proven yet, one after the other; each is told and kept as soon as it is over."""
    dice = random.Random(wanted.seed)  # noqa: S311 - repeatable, not secret
    receivers = Receivers(ledger, lambda: dice.choice(UNRULY) if dice.random() < wanted.unruly else TAKEN)
    connector = aiohttp.TCPConnector(limit=CONNECTIONS_MAX)
    async with aiohttp.ClientSession(connector=connector) as session:
        face = Face(under_test.urls, under_test.clients, session)
        processes = machinery.Processes(under_test.data_dir, under_test.urls, session, wanted.pause_seconds)
        await receivers.start()
        try:
            await register(face, receivers)
            prefix = f"checker-{int(now()):x}"
            for run in _left(wanted, results):
                await _one(Runner(face, ledger, processes, plan_of(wanted, run, prefix)), wanted, results)
        finally:
            await receivers.stop()


def _left(wanted: Wanted, results: Results) -> list[int]:
    """The runs that are to be done still."""
    return [run for run in range(1, wanted.runs + 1) if run not in results.documents]


async def register(face: Face, receivers: Receivers) -> None:
    """Each body that a concern may reach has its endpoint here."""
    for org in RECIPIENTS:
        made = await face.register(org, receivers.url(org))
        receivers.proofs[org] = Proof(made["secret"], made["public_key"])


async def _one(runner: Runner, wanted: Wanted, results: Results) -> None:
    began = now()
    outcome = await runner.run()
    found = report.document(outcome)
    results.keep(found)
    if wanted.as_json:
        click.echo(json.dumps(found))
        return
    click.echo("\n".join(report.lines(outcome)))
    done = list(results.documents.values())
    click.echo(f"  took {now() - began:.1f} s; {len(done)} of {wanted.runs} runs done")
    click.echo("\n".join(report.so_far(done)))


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path), help="Of a running system; without it, one is started.")
@click.option("--ledger", "file", type=click.Path(path_type=Path), help="Keep the checker's ledger in this new file.")
@click.option("--results", "kept", type=click.Path(path_type=Path), help="Keep each run here; what is proven stays so.")
@click.option("--runs", type=click.IntRange(1, 10_000), default=1, show_default=True)
@click.option("--seed", type=int, default=1, show_default=True, help="The same seed breaks the same at the same time.")
@click.option("--rate", type=click.FloatRange(0.1, 5_000), default=20, show_default=True, help="Concerns a second.")
@click.option("--seconds", type=click.FloatRange(0.5, 3_600), default=10, show_default=True, help="Load of each run.")
@click.option("--faults", default=KILLS, show_default=True, help=f"Out of {', '.join(machinery.NAMES)}.")
@click.option("--faults-max", type=click.IntRange(1, 10), default=3, show_default=True, help="In one run.")
@click.option("--unruly", type=click.FloatRange(0, 0.2), default=0.0, help="Share answered by 503, reset or late.")
@click.option("--pause-seconds", type=click.FloatRange(0.1, 600), default=10, show_default=True)
@click.option("--json", "as_json", is_flag=True, help="A JSON object for each run, and one for all.")
def main(data_dir: Path | None, file: Path | None, kept: Path | None, faults: str, **options: object) -> None:
    """Break the system at random under load, and hold what it accepted against what was received."""
    names = tuple(faults.split(","))
    if unknown := set(names) - set(machinery.NAMES):
        raise click.BadParameter(f"{', '.join(sorted(unknown))}: not one of {', '.join(machinery.NAMES)}")
    wanted = Wanted(faults=names, **options)  # type: ignore[arg-type]  # click gives each option its declared type
    results = Results.of(wanted.asked(), kept, runs_max=wanted.runs)
    if results.documents and not wanted.as_json:
        click.echo(f"{len(results.documents)} of {wanted.runs} runs are proven in {kept}")
    if _left(wanted, results):
        _do(wanted, results, data_dir, file)
    _end(wanted, list(results.documents.values()))


def _do(wanted: Wanted, results: Results, data_dir: Path | None, file: Path | None) -> None:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        ledger = Ledger(file or folder / "ledger.sqlite")
        stack.callback(ledger.close)
        try:
            under_test = system.running(data_dir) if data_dir else stack.enter_context(system.throwaway())
        except system.NotUp as fault:
            click.echo(str(fault), err=True)
            sys.exit(2)
        if stuck := _stuck(wanted, under_test, ledger, results):
            click.echo(f"seed {wanted.seed}, run {ledger.run}: it does not recover by itself: {stuck}", err=True)
            sys.exit(1)


def _stuck(wanted: Wanted, under_test: system.Running, ledger: Ledger, results: Results) -> str:
    """Do the runs; gives what did not come back within its deadline."""
    found: list[str] = []
    try:
        asyncio.run(check(wanted, under_test, ledger, results))
    except* (AssertionError, machinery.NotRunning) as group:
        found = [str(one) for one in _leaves(group)]
    return "; ".join(found)


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for one in group.exceptions:
        yield from _leaves(one) if isinstance(one, BaseExceptionGroup) else (one,)


def _end(wanted: Wanted, documents: Sequence[Document]) -> None:
    found = report.summary(documents)
    if wanted.as_json:
        click.echo(json.dumps({"seed": wanted.seed, **found}))
    else:
        click.echo(f"seed {wanted.seed}: " + "; ".join(f"{name} {value}" for name, value in found.items()))
    sys.exit(1 if found["differences"] else 0)


if __name__ == "__main__":
    main()
