"""`concordat graph`: check, compare, draw and exchange graphs of agreements."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from deploy.cli.graph_cases import run_cases
from services.registry.adapters.seed_files import SEED_DIR

FOLDER = click.Path(path_type=Path)


@click.group()
def graph() -> None:
    """Look into a graph of agreements, compare two, draw one, and carry files to and from a registry."""


@graph.command("check")
@click.argument("folders", nargs=-1, required=True, type=FOLDER)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def check(folders: tuple[Path, ...], *, as_json: bool) -> None:
    """Read each of the FOLDERS as a graph and name every problem with file, line, column and remedy.

    Each folder is laid out like services/registry/seed and is a graph of its own. At most 10,000 files of 4 MiB each,
    32 MiB in all. Needs no running system.

    \b
    Exit codes: 0 no problem, 1 problems, 2 wrong use.
    """
    from deploy.cli.graph_check import check_folder, show, to_json

    checked = [check_folder(folder) for folder in folders]
    if as_json:
        click.echo(to_json(checked))
    else:
        for one in checked:
            show(one)
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
