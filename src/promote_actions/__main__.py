"""``promote-actions`` and ``python -m promote_actions``.

``promote-actions action NAME`` is how an action's step calls a command: its inputs come from
``INPUT_*`` alone. Commands that need only the standard library never import click.
"""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

from promote_actions import (
    STDLIB_ONLY,
    later,  # noqa: F401 - before the first import of dataclasses
)
from promote_actions.arguments import parse
from promote_actions.catalogue import load
from promote_actions.errors import DependencyError, InputError
from promote_actions.invoke import invoke
from promote_actions.runner import Runner
from promote_actions.spec import inputs_of


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and exit with its status."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    words = list(sys.argv[1:] if arguments is None else arguments)
    status = run(words)
    if STDLIB_ONLY.intersection(words[:2]):
        leave(status)
    sys.exit(status)


def leave(status: int) -> None:
    """End the process with ``status``, now: to take the interpreter apart is a tenth of a short command.

    For the commands that are in every build; they leave nothing to an ``atexit``.
    """
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:
        status = status or 3
    os._exit(status)


def run(arguments: Sequence[str]) -> int:
    """Run the command line ``arguments``; returns the exit status."""
    words = list(arguments)
    if len(words) == 2 and words[0] == "action":
        return invoke(words[1], {}, Runner())
    if words and words[0] in STDLIB_ONLY and not {"-h", "--help"} & set(words):
        return _without_click(words[0], words[1:])
    try:
        from promote_actions.cli import main as click_main
    except ModuleNotFoundError as missing:
        hint = "run this through bin/promote-actions, or install the package with pip"
        Runner().error(DependencyError(f"{missing.name} is not installed", hint=hint))
        return 3
    return click_main(words)


def _without_click(name: str, arguments: Sequence[str]) -> int:
    runner = Runner()
    try:
        given = parse(inputs_of(load(name).inputs), arguments)
    except InputError as error:
        runner.error(error)
        return error.exit_status
    return invoke(name, given, runner)


if __name__ == "__main__":
    main()
