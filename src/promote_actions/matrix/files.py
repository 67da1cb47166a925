"""Which values files there are: services found by the configured pattern, and each cell's file. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from string import Formatter

from promote_actions.config.model import Config, Environment
from promote_actions.errors import InputError

_GLOB = re.compile(r"([*?\[\]\\])")
_SHOWN = 8


def choose_services(config: Config, paths: Iterable[str], wanted: Sequence[str] = ()) -> list[str]:
    """The services of the matrix, sorted: those ``wanted``, else configured ones and all that are found.

    ``paths`` are the repository's files. Raises :class:`InputError` when a wanted one is unknown, or
    when there is none at all.
    """
    known = sorted({*config.services, *_found(config, paths)})
    if not known:
        raise InputError(
            f"there is no values file like {config.values.path}",
            hint="set values.path in the configuration, or list the services",
        )
    missing = [name for name in wanted if name not in known]
    if missing:
        shown = ", ".join(known[:_SHOWN]) + (", ..." if len(known) > _SHOWN else "")
        raise InputError(f"there is no service '{missing[0][:60]}'", hint=f"use one of {shown}")
    return list(dict.fromkeys(wanted)) or known


def cells_of(
    config: Config, listed: Iterable[str], wanted: Sequence[str] = ()
) -> tuple[list[str], dict[tuple[str, str], str]]:
    """The services of the matrix, and the values file of each service and environment that has one."""
    paths = set(listed)
    services = choose_services(config, paths, wanted)
    files = {
        (service, environment.name): path
        for service in services
        for environment in config.environments
        if (path := file_of(config, paths, service, environment))
    }
    return services, files


def _found(config: Config, paths: Iterable[str]) -> Iterator[str]:
    if "{service}" not in config.values.path:
        return iter(())
    suffixes = {suffix for each in config.environments for suffix in each.suffixes}
    names = {each.name for each in config.environments}
    pattern = _regex(config.values.path, {"suffix": suffixes, "environment": names | suffixes})
    return (match["service"] for match in map(pattern.fullmatch, paths) if match)


def _regex(template: str, choices: dict[str, set[str]]) -> re.Pattern[str]:
    text, seen = "", set()
    for literal, name, _, _ in Formatter().parse(template):
        text += re.escape(literal)
        if not name:
            continue
        if name in seen:
            text += f"(?P={name})"
        elif name == "service":
            text += "(?P<service>[^/]+)"
        else:
            text += f"(?P<{name}>{'|'.join(map(re.escape, sorted(choices.get(name, set()))))})"
        seen.add(name)
    return re.compile(text)


def folder_of(config: Config) -> str:
    """The folder that holds every values file: the pattern's path before its first placeholder."""
    return config.values.path.partition("{")[0].rpartition("/")[0]


def pathspecs(config: Config) -> list[str]:
    """Git pathspecs that hold every values file."""
    parts = [
        _GLOB.sub(r"\\\1", literal) + ("*" if name else "")
        for literal, name, _, _ in Formatter().parse(config.values.path)
    ]
    return [":(glob)" + "".join(parts)]


def file_of(config: Config, paths: Collection[str], service: str, environment: Environment) -> str:
    """The values file of a cell, or an empty string when it has none.

    Raises :class:`InputError` that names both when a suffix and its alias both have one.
    """
    candidates = [config.values.file(service, suffix, environment.name) for suffix in environment.suffixes]
    there = [path for path in dict.fromkeys(candidates) if path in paths]
    if len(there) > 1:
        raise InputError(
            f"{environment.name} of {service} has two values files: {' and '.join(there)}",
            hint="remove one of them",
        )
    return there[0] if there else ""
