"""The click group ``promote-actions``: every command's options, made from its specification.

Only this module imports click. A command's own room is imported when that command is called.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any

import click

from promote_actions import __version__
from promote_actions.catalogue import ROOMS, load
from promote_actions.invoke import invoke
from promote_actions.runner import Runner
from promote_actions.spec import Command, Input, inputs_of


class _Commands(click.Group):
    """A group that knows its commands by name and loads one when it is needed."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(ROOMS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return click_command(load(cmd_name)) if cmd_name in ROOMS else None


def click_command(command: Command) -> click.Command:
    """The click command of ``command``; its callback goes the way that the actions go."""

    def callback(**raw: Any) -> None:
        given = {spec.name: value for spec in specs if (value := _given(spec, raw)) is not None}
        sys.exit(invoke(command.name, given, Runner()))

    specs = inputs_of(command.inputs)
    return click.Command(
        command.name,
        params=[_parameter(spec) for spec in specs],
        callback=callback,
        help=command.description or command.summary,
        short_help=command.summary,
    )


def _given(spec: Input, raw: dict[str, Any]) -> str | list[str] | None:
    value = raw[spec.name.replace("-", "_")]
    if value is None or value == ():
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    return list(value) if isinstance(value, tuple) else str(value)


def _parameter(spec: Input) -> click.Parameter:
    dest = spec.name.replace("-", "_")
    if spec.positional:
        return click.Argument(
            [dest], required=False, nargs=-1 if spec.multiple else 1, metavar=spec.name.upper()
        )
    names = [dest, f"--{spec.name}", *(f"--{alias}" for alias in spec.aliases)]
    if spec.kind == "flag":
        return click.Option([dest, f"--{spec.name}/--no-{spec.name}"], default=None, help=help_text(spec))
    return click.Option(
        names, multiple=spec.multiple, metavar=_metavar(spec), help=help_text(spec), default=None
    )


def _metavar(spec: Input) -> str:
    return "|".join(spec.choices) if spec.choices else spec.kind.upper().removesuffix("S")


def help_text(spec: Input) -> str:
    """The help of an option, with its default and its variables."""
    notes = []
    if spec.required:
        notes.append("required")
    if spec.default and not spec.secret:
        notes.append(f"default: {spec.default}")
    if spec.env:
        notes.append("also " + ", ".join(spec.env))
    return spec.help + (f"  [{'; '.join(notes)}]" if notes else "")


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="promote-actions")
def group() -> None:
    """Promote artifacts, not code: versions, promotions, gates, audit and rollback.

    Exit status: 0 done or nothing to do, 1 a gate or a policy says no, 2 bad input, 3 a dependency
    failed.
    """


def main(arguments: Sequence[str]) -> int:
    """Run the command line ``arguments`` and return the exit status; usage errors are one line."""
    try:
        group.main(list(arguments), prog_name="promote-actions", standalone_mode=False)
    except click.exceptions.NoArgsIsHelpError as error:
        print(error.ctx.get_help() if error.ctx else "", file=sys.stderr)  # noqa: T201
        return 2
    except click.ClickException as error:
        from promote_actions.errors import InputError

        Runner().error(InputError(error.format_message(), hint="see --help"))
        return 2
    except click.Abort:
        return 130
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0
