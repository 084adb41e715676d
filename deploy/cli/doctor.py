"""`concordat doctor`: what this machine lacks, and what to do about it."""

import asyncio
import json
import sys
from dataclasses import asdict
from pathlib import Path

import click

from deploy.local.diagnosis import Finding, diagnose
from deploy.local.layout import Layout
from deploy.local.plan import PORT_BASE


@click.command()
@click.option("--data-dir", type=click.Path(path_type=Path), default=Path(".data"), help="As given to `up`.")
@click.option("--port-base", type=click.IntRange(1024, 65_000), default=PORT_BASE, help="As given to `up`.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
def doctor(data_dir: Path, port_base: int, *, as_json: bool) -> None:
    """Check everything that a system on this machine needs. Exit code 1 when something is wrong."""
    findings = asyncio.run(diagnose(Layout(data_dir, port_base)))
    healthy = all(finding.ok for finding in findings)
    if as_json:
        click.echo(json.dumps({"ok": healthy, "findings": [{**asdict(f), "ok": f.ok} for f in findings]}))
    else:
        _show(findings)
    sys.exit(0 if healthy else 1)


def _show(findings: list[Finding]) -> None:
    for finding in findings:
        click.echo(f"{'ok   ' if finding.ok else 'wrong'}  {finding.name}: {finding.found}")
        if not finding.ok:
            click.echo(f"       {finding.remedy}")
