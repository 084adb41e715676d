"""`concordat explain CONCERN` and `concordat replay`: why it was decided so, and whether it would be again."""

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from deploy.cli.publish import system_of
from deploy.client import Concordat, Refused

OPERATOR = "operator"
SHOWN_MAX = 12
NOT_FOUND = 404
DATA_DIR = click.option(
    "--data-dir", type=click.Path(path_type=Path), default=Path(".data"), help="Of the running system."
)
Json = Mapping[str, Any]


@click.command()
@click.argument("concern")
@click.option("--version", type=int, help="A version of the concern; the newest without it.")
@click.option("--as-of", help="The law of this instant, such as 2022-05-03T10:00:00Z, in place of the day of receipt.")
@click.option("--known-at", help="The agreements as they were known at this instant.")
@click.option("--json", "as_json", is_flag=True, help="The answer as it comes.")
@DATA_DIR
def explain(concern: str, data_dir: Path, *, as_json: bool, **asked: str | int | None) -> None:
    """Say why each body was told of CONCERN, or was not; with --as-of or --known-at, what would be decided then."""
    query = {name: value for name, value in asked.items() if value is not None}
    again = "/again" if {"as_of", "known_at"} & query.keys() else ""

    async def ask(concordat: Concordat) -> Json:
        found: Json = await concordat.get(OPERATOR, "router", f"/v1/decisions/{concern}{again}", **query)
        return found

    decision = _asked(data_dir, ask)
    click.echo(json.dumps(decision) if as_json else "\n".join(in_words(decision)))


@click.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON line per difference, and one with the count.")
@DATA_DIR
def replay(data_dir: Path, *, as_json: bool) -> None:
    """Decide all of history again on its recorded agreements; exits 1 where a byte differs."""
    count, differences = _asked(data_dir, replay_all)
    for row in differences:
        click.echo(json.dumps(row) if as_json else _difference(row))
    summary = {"decisions": count, "differences": len(differences)}
    click.echo(json.dumps(summary) if as_json else f"{count} decisions, {len(differences)} that differ.")
    if differences:
        raise SystemExit(1)


async def replay_all(concordat: Concordat) -> tuple[int, list[Json]]:
    """How many decisions there are, and each that does not come out again."""
    count, differences, after = 0, list[Json](), ""
    while True:
        page = await concordat.get(OPERATOR, "router", "/v1/replay", after=after)
        count += page["count"]
        differences += page["differences"]
        if page["next"] is None:
            return count, differences
        after = page["next"]


def in_words(decision: Json) -> Iterator[str]:
    """A decision, line by line."""
    graph = decision["graph"]
    yield f"Concern {decision['concern_id']}, version {decision['version']}, as of {decision['as_of']}"
    yield f"Agreements: version {graph['version']}, root {graph['root'][:8]}"
    for hold in decision["hold"]:
        yield f"Held: {hold['code']}. {hold['sentence']}"
    if decision["unroutable"]:
        yield "It reached nobody."
    for klass in ("told", "available"):
        for row in decision[klass]:
            cites = ", ".join(f"{one['agreement']}/{one['clause']}" for one in row["because"])
            yield f"{klass}: {row['org']} ({row['reason']}; {cites}). {row['sentence']}"
    for klass, groups in decision["not_told"].items():
        for group in groups:
            yield f"{klass}: {_names(group['organisations'])} ({group['reason']}). {group['sentence']}"


def _names(orgs: list[str]) -> str:
    more = len(orgs) - SHOWN_MAX
    return ", ".join(orgs[:SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")


def _difference(row: Json) -> str:
    place = f"{row['concern_id']} version {row['version']} round {row['round']}"
    return f"{place}: {row['finding']} differ: stored {row['stored']}, again {row['again']}"


def _asked(data_dir: Path, ask: Callable[[Concordat], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        concordat = system_of(data_dir)
        try:
            return await ask(concordat)
        finally:
            await concordat.close()

    try:
        return asyncio.run(run())
    except Refused as refused:
        hint = "\nCONCERN is the id (con_…) that `concordat publish` printed; --version one that was decided."
        raise click.ClickException(f"{refused}{hint if refused.status == NOT_FOUND else ''}") from None
