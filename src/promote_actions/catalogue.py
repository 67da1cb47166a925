"""The commands there are, by name, and where each one lives. Nothing is imported until it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Iterator

from promote_actions.errors import InputError
from promote_actions.spec import Command

ROOMS = {
    "calver": "promote_actions.versions.command",
    "docker-tags": "promote_actions.images.command",
    "promote": "promote_actions.promotion.command",
    "health-gate": "promote_actions.gates.command",
    "audit-log": "promote_actions.audit.command",
    "rollback": "promote_actions.rollback.command",
    "version-matrix": "promote_actions.matrix.command",
    "owners": "promote_actions.owners.command",
    "guard": "promote_actions.guard.command",
    "rehearse": "promote_actions.rehearsal.command",
    "init": "promote_actions.setup.init.command",
    "doctor": "promote_actions.setup.doctor.command",
}
"""Name of each command, in the order in which people meet them, and the module that declares it."""


def load(name: str) -> Command:
    """The command called ``name``; raises :class:`InputError` when there is none."""
    if name not in ROOMS:
        raise InputError(f"there is no command '{name[:40]}'", hint="use one of " + ", ".join(ROOMS))
    command: Command = importlib.import_module(ROOMS[name]).COMMAND
    return command


def commands() -> Iterator[Command]:
    """Every command, in order."""
    for name in ROOMS:
        yield load(name)


def actions() -> Iterator[Command]:
    """Every command that is also an action."""
    return (command for command in commands() if command.action)
