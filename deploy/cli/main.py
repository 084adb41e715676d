"""The `concordat` command. A sub-command is looked up when it is asked for, so that each loads only what it needs."""

from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import click

from deploy.local.faults import RunnerFault

# Where each sub-command lives; one whose module is not installed is not offered.
SUB_COMMANDS = {
    "up": "deploy.cli.up",
    "down": "deploy.cli.up",
    "doctor": "deploy.cli.doctor",
    "demo": "deploy.cli.demo",
    "publish": "deploy.cli.publish",
    "explain": "deploy.cli.explain",
    "replay": "deploy.cli.explain",
    "receiver": "deploy.cli.receiver",
    "listen": "deploy.cli.listen",
    "bench": "deploy.cli.bench",
    "graph": "deploy.cli.graph",
}


class LazyGroup(click.Group):
    """A group that imports a sub-command when it is used, or when its help is shown."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The sub-commands at hand, in the order of the table."""
        lazy = [name for name, module in SUB_COMMANDS.items() if find_spec(module)]
        return [*lazy, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The sub-command of that name, if it is at hand."""
        if cmd_name not in self.list_commands(ctx):
            return None
        command: click.Command = getattr(import_module(SUB_COMMANDS[cmd_name]), cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The sub-command that is asked for; one that does not exist is answered with the nearest."""
        near = get_close_matches(args[0], SUB_COMMANDS, 1)
        if near and args[0] not in self.list_commands(ctx):
            ctx.fail(f"No such command {args[0]!r}. Did you mean {near[0]!r}?")
        return super().resolve_command(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """Run the sub-command; what can be remedied is said with its remedy and without a trace."""
        try:
            return super().invoke(ctx)
        except RunnerFault as fault:
            raise Remediable(fault) from fault


class Remediable(click.ClickException):
    """A fault of this machine, shown as what is wrong and what to do."""

    def __init__(self, fault: RunnerFault) -> None:
        super().__init__(f"{fault}\n{fault.remedy}")


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="concordat")
def main() -> None:
    """Concordat carries concerns between regulators: who must, may and may not be told."""


def run(arguments: Sequence[str]) -> None:
    """Run a command line given as a list; for programs."""
    main(list(arguments))


if __name__ == "__main__":
    main()
