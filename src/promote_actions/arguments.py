"""Reading a command line with the standard library alone.

``calver`` and ``docker-tags`` start on runners where nothing is installed, so their options cannot
be read by click. This reads the same options from the same specifications; ``--help`` and all other
commands go to :mod:`promote_actions.cli`.
"""

from __future__ import annotations

from collections.abc import Sequence

from promote_actions.errors import InputError
from promote_actions.spec import Input


def parse(specs: Sequence[Input], arguments: Sequence[str]) -> dict[str, str | list[str]]:
    """The raw inputs in ``arguments``, by input name.

    Understands ``--name value``, ``--name=value``, ``--flag``, ``--no-flag``, repeated list options
    and ``--`` before positional arguments. Raises :class:`InputError` for anything else.
    """
    options = {f"--{name}": spec for spec in specs for name in (spec.name, *spec.aliases)}
    options |= {f"--no-{spec.name}": spec for spec in specs if spec.kind == "flag"}
    given: dict[str, str | list[str]] = {}
    rest = list(arguments)
    loose: list[str] = []
    while rest:
        word = rest.pop(0)
        if word == "--":
            loose += rest
            break
        if word == "-" or not word.startswith("-"):
            loose.append(word)
            continue
        name, equals, value = word.partition("=")
        spec = options.get(name)
        if spec is None:
            raise InputError(f"there is no option '{name[:60]}'", hint="see --help")
        if spec.kind == "flag":
            if equals:
                hint = f"write --{spec.name} or --no-{spec.name}"
                raise InputError(f"option '{name}' takes no value", hint=hint)
            value = "false" if name == f"--no-{spec.name}" else "true"
        elif not equals:
            if not rest:
                raise InputError(f"option '{name}' needs a value", hint=f"write {name} VALUE")
            value = rest.pop(0)
        _add(given, spec, value)
    _place(given, specs, loose)
    return given


def _add(given: dict[str, str | list[str]], spec: Input, value: str) -> None:
    if spec.multiple:
        given[spec.name] = [*given.get(spec.name, ()), value]
    else:
        given[spec.name] = value


def _place(given: dict[str, str | list[str]], specs: Sequence[Input], loose: Sequence[str]) -> None:
    words = list(loose)
    for spec in specs:
        if not spec.positional or not words:
            continue
        taken = words if spec.multiple else words[:1]
        words = words[len(taken) :]
        for word in taken:
            _add(given, spec, word)
    if words:
        raise InputError(f"unexpected argument '{words[0][:60]}'", hint="see --help")
