"""`concordat graph`: check, compare, draw and exchange graphs of agreements."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from typing import Any

import click

from deploy.cli.graph_cases import run_cases
from services.registry.adapters.seed_files import SEED_DIR
from shared.agreements.days import civil_day
from shared.clock import SystemClock

REGISTRY = click.option("--registry", metavar="URL", help="Of the registry; else that of the system that runs here.")
FOLDER = click.Path(path_type=Path)
AS_OF = click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day that is looked at; else today.")


def day_of(as_of: datetime | None) -> date:
    """The day that was asked for, or today in London."""
    return as_of.date() if as_of else civil_day(SystemClock().now())


@click.group()
def graph() -> None:
    """Look into a graph of agreements, compare two, draw one, and carry files to and from a registry."""


@graph.command("check")
@click.argument("folders", nargs=-1, required=True, type=FOLDER)
@click.option("--analyses", is_flag=True, help="Also what each graph shows: gaps, conflicts, idle clauses, reviews.")
@AS_OF
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(folders: tuple[Path, ...], *, analyses: bool, as_of: datetime | None, as_json: bool) -> None:
    """Read each of the FOLDERS as a graph and name every problem with file, line, column and remedy.

    Each folder is laid out like services/registry/seed and is a graph of its own. At most 10,000 files of 4 MiB each,
    32 MiB in all. Needs no running system. What --analyses finds is no problem of the files.

    \b
    Exit codes: 0 no problem, 1 problems, 2 wrong use.
    """
    from deploy.cli.graph_check import check_folder, show, to_json

    checked = [check_folder(folder) for folder in folders]
    if as_json and not analyses:
        click.echo(to_json(checked))
    elif not as_json:
        for one in checked:
            show(one)
    if analyses:
        from deploy.cli.analyses import analyse

        analyse(checked, day_of(as_of), as_json=as_json)
    sys.exit(1 if any(one.findings for one in checked) else 0)


@graph.command("test")
@click.argument("files", nargs=-1, required=True, type=FOLDER)
@click.option("--graph", "folder", type=FOLDER, default=SEED_DIR, help="Folder of graph files.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def test(files: tuple[Path, ...], folder: Path, *, as_json: bool) -> None:
    """Decide every case of the scenario FILES and name each difference.

    \b
    Exit codes: 0 all as expected, 1 differences, 2 a file that is no graph or no scenario.
    """
    sys.exit(0 if run_cases(files, folder, as_json=as_json) else 1)


@graph.command("diff")
@click.argument("before")
@click.argument("after")
@REGISTRY
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def diff(before: str, after: str, registry: str | None, *, as_json: bool) -> None:
    """Compare two graphs, object by object and field by field.

    BEFORE and AFTER are each a folder of graph files, or of a registry a version (`17`), the newest (`head`), what was
    known at the end of a day (`2022-05-03`) or at an instant (`2022-05-03T10:00:00Z`).

    \b
    Exit codes: 0 no difference, 1 differences, 2 one of the two is no graph.
    """
    from deploy.cli.graph_diff import compared, show, to_json
    from deploy.cli.graph_sources import source_of

    sides = source_of(before, registry), source_of(after, registry)
    found = compared(*sides)
    if as_json:
        click.echo(to_json(*sides, found))
    else:
        show(*sides, found)
    sys.exit(0 if found.is_empty else 1)


@graph.command("draw")
@click.option("--graph", "folder", type=FOLDER, help="Folder of graph files; else the packaged graph.")
@REGISTRY
@click.option("--body", metavar="ORG", help="Only this body and those that agreements join to it.")
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day that is drawn; else today.")
@click.option("--known-at", metavar="WHEN", help="As known to the registry at the end of a day, or at an instant.")
@click.option("-o", "--output", default="-", show_default="standard output", help="The SVG file to write.")
@click.option("--json", "as_json", is_flag=True, help="What the picture shows, as one JSON object.")
def draw(*, as_json: bool, **asked: Any) -> None:
    """Draw the agreement graph, or one body's neighbourhood, as it stands on a day, as SVG.

    Bodies are those that act on the day, with the names of those for whose signatures they act; agreements of several
    bodies are drawn once. Line styles tell the instruments, arrows who may tell whom, and a mark says what should be
    looked at: a review that is overdue, an agreement that a successor inherited.

    \b
    Exit codes: 0 drawn, 2 no graph, or nobody to draw.
    """
    from deploy.cli.graph_draw import Asked, picture, shown, written
    from deploy.cli.graph_sources import drawn_source

    source = drawn_source(asked["folder"], asked["registry"], asked["known_at"])
    day = day_of(asked["as_of"])
    what = Asked(day, asked["body"], asked["known_at"] or "")
    written(f"{shown(source.rows, what)}\n" if as_json else picture(source.rows, what), asked["output"])


@graph.command("report")
@click.argument("name", type=click.Choice(["recommendation-153"]))
@click.option(
    "--graph", "folder", type=FOLDER, default=SEED_DIR, help="Folder of graph files; else the packaged graph."
)
@click.option("--as-of", type=click.DateTime(["%Y-%m-%d"]), help="The day; else the day the sources were read up to.")
@click.option(
    "-o", "--output", type=FOLDER, default=Path("docs/reports"), show_default=True, help="Folder to write to."
)
def report(name: str, folder: Path, as_of: datetime | None, output: Path) -> None:
    """Write a document that is generated from a graph: the answer to Francis recommendation 153, with its picture.

    \b
    Exit codes: 0 written, 2 a folder that is no graph, or wrong use.
    """
    from deploy.cli.analyses import write_report

    for path in write_report(folder, as_of.date() if as_of else None, output / name):
        click.echo(path)


@graph.command("import")
@click.argument("folder", type=FOLDER)
@REGISTRY
@click.option("--credentials", type=FOLDER, default=Path(".data/credentials.json"), help="File with the client.")
@click.option("--as", "org", default="registry-editor", show_default=True, help="Whose client of that file drafts it.")
@click.option("--title", help="Of the change; else the folder's name.")
@click.option("--reason", required=True, help="Why the graph should change.")
def import_(folder: Path, registry: str | None, credentials: Path, **asked: str) -> None:
    """Make the graph files in FOLDER a change of a registry: all of it, or nothing where anything is wrong.

    Only objects that differ are sent, with the files that hold them. The change takes effect when somebody has
    reviewed it, two others have approved what it does and its parties have signed: who is told at the end. The same
    import again finds the same change.

    At most 10,000 files of 4 MiB each, 32 MiB in all. A larger graph is sent in chunks of objects, without files
    (POST /v1/changes/{id}/objects).

    \b
    Exit codes: 0 drafted, or nothing to import; 1 refused, with every problem; 2 no graph, or wrong use.
    """
    from deploy.cli.graph_exchange import run_import

    asked["title"] = asked["title"] or folder.resolve().name
    sys.exit(run_import(folder, registry, credentials, asked))


@graph.command("export")
@click.argument("folder", type=FOLDER)
@REGISTRY
@click.option("--version", type=click.IntRange(1), help="The graph at this version; else the newest.")
@click.option("--known-at", metavar="WHEN", help="As known at the end of a day, or at an instant.")
@click.option("--replace", is_flag=True, help="Overwrite graph files that differ, and take away those that are gone.")
def export(folder: Path, registry: str | None, **asked: Any) -> None:
    """Write the graph of a registry as files into FOLDER.

    A file in which nothing changed since it was imported has the same bytes. Where an object changed, its lines are
    written and all else stays, comments too. New agreements get a file of their own, or stand beside their lineage.

    \b
    Exit codes: 0 written, 2 no graph, or the folder holds other texts.
    """
    from deploy.cli.graph_export import exported, write_files
    from deploy.cli.graph_sources import known_at, registry_source

    if asked["version"] and asked["known_at"]:
        raise click.UsageError("Name a version or a moment, not both.")
    query = {"version": str(asked["version"])} if asked["version"] else {}
    source = registry_source(known_at(asked["known_at"]) if asked["known_at"] else query, "", registry)
    written, gone = write_files(exported(source, registry), folder, replace=asked["replace"])
    click.echo(f"{folder}: {source.label}, {written} files written, {gone} taken away")
