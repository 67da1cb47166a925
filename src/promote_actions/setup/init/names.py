"""Putting a team's own names into the examples. Pure: text in, text out."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from promote_actions.errors import InputError, one_line

_SLUG = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_TEAM = re.compile(r"@?([A-Za-z0-9][A-Za-z0-9-]{0,38}/)?[A-Za-z0-9_-]{1,100}")
_SERVICE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_REGISTRY = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:-]*(/[a-z0-9][a-z0-9._-]*)*")
_ADDRESS = re.compile(r"https?://[A-Za-z0-9{}._:/-]{3,200}")
_REF = re.compile(r"v[0-9]+|[0-9a-f]{40}|[A-Za-z0-9][A-Za-z0-9._-]{0,99}")

_MARK = "\0"
"""Stands for a service's name while the other names are put in."""

_SERVICES = re.compile(r"(?<=^services:\n)(?:  .*\n)+", re.MULTILINE)
_MARKED = re.compile(rf"(?:^  .*{_MARK}.*\n)(?:^    .*\n)*", re.MULTILINE)
_USES = r"nexo-org/promote-actions(?P<action>/[\w./-]+)@v1"


@dataclass(frozen=True)
class Names:
    """What a team calls its things; the defaults of ``init`` are those of the examples.

    ``gitops`` is ``owner/name``, ``registry`` a host with a folder, ``base_url`` an address that may hold
    ``{service}`` and ``{environment}``, teams are ``organization/slug``, ``suite`` is where the actions
    come from and ``ref`` at which version.
    """

    gitops: str
    services: tuple[str, ...]
    registry: str
    base_url: str
    sre_team: str
    platform_team: str
    leads_team: str
    suite: str
    ref: str

    @property
    def owner(self) -> str:
        return self.gitops.partition("/")[0]


def checked(names: Names) -> Names:
    """``names`` with teams in the form ``organization/slug``; raises :class:`InputError` that says which
    input is wrong. What passes can stand in YAML, CODEOWNERS and JSON as it is."""
    for field, pattern, example in (
        ("gitops", _SLUG, "nexo-org/nexo-gitops"),
        ("registry", _REGISTRY, "ghcr.io/nexo-org"),
        ("base_url", _ADDRESS, "https://{service}-{environment}.example.com"),
        ("suite", _SLUG, "nexo-org/promote-actions"),
        ("ref", _REF, "v1"),
    ):
        _check(field, getattr(names, field), pattern, example)
    if not names.services:
        raise InputError("input 'service' is required and empty", hint="pass --service")
    for service in names.services:
        _check("service", service, _SERVICE, "nexo-be")
    teams = {
        field: _team(field, getattr(names, field), names.owner)
        for field in ("sre_team", "platform_team", "leads_team")
    }
    return Names(
        names.gitops, names.services, names.registry.rstrip("/"), names.base_url.rstrip("/"),
        **teams, suite=names.suite, ref=names.ref,
    )  # fmt: skip


def _check(field: str, value: str, pattern: re.Pattern[str], example: str) -> None:
    if not pattern.fullmatch(value):
        name = field.replace("_", "-")
        raise InputError(f"input '{name}' is '{one_line(value[:80])}'", hint=f"give one such as {example}")


def _team(field: str, value: str, owner: str) -> str:
    _check(field, value, _TEAM, "nexo-org/sre")
    value = value.removeprefix("@")
    return value if "/" in value else f"{owner}/{value}"


def adapt(text: str, names: Names) -> str:
    """An example's text with the team's names in it: all in one pass, so that no name is replaced twice."""
    text = _SERVICES.sub(lambda found: _first(found[0]), text)
    swaps = _swaps(names)
    literals = "|".join(re.escape(old) for old in sorted(swaps, key=len, reverse=True))
    text = re.sub(f"{_USES}|{literals}", lambda found: _swapped(found, swaps, names), text)
    return _MARKED.sub(lambda found: _each(found[0], names.services), text)


def _swapped(found: re.Match[str], swaps: Mapping[str, str], names: Names) -> str:
    if found["action"]:
        return f"{names.suite}{found['action']}@{names.ref}"
    return swaps[found[0]]


def _first(block: str) -> str:
    """The first service of a list of services, marked."""
    entry = str(re.findall(r"^  \S.*\n(?:    .*\n)*", block, re.MULTILINE)[0])
    return entry.replace(entry.strip().partition(":")[0], _MARK)


def _each(entry: str, services: Sequence[str]) -> str:
    return "".join(entry.replace(_MARK, service) for service in services)


def _swaps(names: Names) -> Mapping[str, str]:
    return {
        "nexo-org/promote-actions": names.suite,
        "nexo-org/nexo-gitops": names.gitops,
        "@nexo-org/sre": f"@{names.sre_team}",
        "@nexo-org/platform-leads": f"@{names.leads_team}",
        "@nexo-org/platform": f"@{names.platform_team}",
        "ghcr.io/nexo-org": names.registry,
        "ghcr.io/${{ github.repository_owner }}": names.registry,
        "ghcr.io/${{ github.repository }}": f"{names.registry}/${{{{ github.event.repository.name }}}}",
        "https://{service}-{environment}.example.com": names.base_url,
        "[nexo-be, nexo-web]": "[" + ", ".join(map(json.dumps, names.services)) + "]",
        "'nexo-be'": f"'{names.services[0]}'",
        "nexo-org/": f"{names.owner}/",
    }
