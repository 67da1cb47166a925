"""Which checks a gate has, and where each was asked for. Pure.

In order: ``--check`` names them for one run; else ``gates:`` of the environment that the version shall
go to; else the strategy's own ("Validações em DEVELOP", soak, approvals), as far as addresses were given.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from promote_actions.config.model import Config, Environment, GatePlaces
from promote_actions.errors import InputError, Location, one_line
from promote_actions.gates.model import CheckSpec
from promote_actions.gates.options import OptionError, Options

GATES_OF = "gates of "
RESULT_NAMES = {
    "argocd": "argocd_health",
    "http": "smoke_tests",
    "prometheus": "error_rate",
    "load": "load_test",
}
"""Keys of ``validation-results`` by kind of check: the strategy's words where it has them."""


@dataclass(frozen=True)
class Timing:
    """Times and limits that the caller gave for this run; None: not given."""

    initial_delay: float | None = None
    interval: float | None = None
    timeout: float | None = None
    success: int | None = None
    failure_limit: int | None = None


@dataclass(frozen=True)
class Wanted:
    """What the caller asked for. ``available`` are the kinds that could be run with what was given;
    ``overrides`` are options by kind that the caller's own inputs set."""

    checks: tuple[str, ...] = ()
    available: tuple[str, ...] = ()
    overrides: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    timing: Timing = Timing()


@dataclass(frozen=True)
class Asked:
    """A check as somebody wrote it, and where that stands when it is in a file."""

    values: Mapping[str, Any]
    places: GatePlaces | None = None


def target_of(config: Config, environment: Environment, to: str) -> Environment | None:
    """The environment that a version in ``environment`` goes to next: ``to``, or the first that says it
    takes versions from there; None for the last one."""
    if to:
        target = config.environment(to)
        source = config.source_of(target)
        if source is None or source.name != environment.name:
            takes = f"takes versions from {source.name}" if source else "is the first environment"
            raise InputError(f"'{target.name}' {takes}, not from '{environment.name}'", hint="check --to")
        return target
    for candidate in config.environments:
        source = config.source_of(candidate)
        if source is not None and source.name == environment.name:
            return candidate
    return None


def plan(
    config: Config, target: Environment | None, wanted: Wanted, kinds: Mapping[str, tuple[str, ...]]
) -> tuple[CheckSpec, ...]:
    """The checks. ``kinds`` maps each kind of check to its options.

    Raises :class:`InputError` for an unknown kind, and when there is no check at all.
    """
    configured = _configured(target)
    entries: Sequence[Asked]
    if wanted.checks:
        entries = [_complete(entry, configured) for text in wanted.checks for entry in parse_check(text)]
        source = "the input `check`"
    elif configured:
        entries, source = configured, f"{GATES_OF}{target.name if target else ''} in {config.source}"
    else:
        entries = [Asked({"check": kind}) for kind in wanted.available]
        source = "the strategy's checks, by the addresses given"
    if not entries:
        raise InputError(
            "the gate has no check, so it can't pass",
            hint="name checks with --check, list them under `gates:` in promotion.yaml, or give "
            "argocd-server, base-url or prometheus-url",
        )
    _refuse_ambiguous(entries, wanted.overrides)
    specs: list[CheckSpec] = []
    for entry in entries:
        with asked_in(source, entry.places):
            spec = _spec(entry.values, wanted, kinds, source, [spec.name for spec in specs])
        places = _without(entry.places, wanted.overrides.get(spec.kind, {}))
        specs.append(replace(spec, places=places))
    return tuple(specs)


@contextmanager
def asked_in(source: str, places: GatePlaces | None) -> Iterator[None]:
    """Let an error in a check that the configuration asked for say where that is."""
    try:
        yield
    except InputError as error:
        where = error.where or _place(error, source, places)
        if not source.startswith(GATES_OF):
            raise InputError(error.message, hint=error.hint, where=where) from None
        named = source.partition(" in ")[0] if where else source
        raise InputError(f"{error.message} ({named})", hint=error.hint, where=where) from None


def _place(error: InputError, source: str, places: GatePlaces | None) -> Location | None:
    """Where the mistake stands: at its option, else at the gate, unless the gate is only borrowed from."""
    if places is None:
        return None
    found = None
    if isinstance(error, OptionError):
        known = places.keys if error.of_key else places.values
        found = next((place for key, place in known.items() if key.replace("_", "-") == error.key), None)
    return found or (places.whole if source.startswith(GATES_OF) else None)


def _configured(target: Environment | None) -> Sequence[Asked]:
    """The gates of ``target``; its soak is one of them even when the list forgets it."""
    if target is None or not target.gates:
        return []
    gates = list(map(Asked, target.gates))
    if len(target.gate_places) == len(gates):
        gates = list(map(Asked, target.gates, target.gate_places))
    if target.soak and not any(gate.get("check") == "soak" for gate in target.gates):
        gates.append(Asked({"check": "soak"}))
    return gates


def _complete(entry: Mapping[str, Any], configured: Sequence[Asked]) -> Asked:
    """A check asked for by its kind or name alone has the options that the configuration gives it."""
    own = {key: value for key, value in entry.items() if key != "check"}
    for found in configured:
        if entry["check"] in [name for key in ("check", "name") if (name := found.values.get(key))]:
            return Asked({**found.values, **own}, _without(found.places, own))
    return Asked(entry)


def _without(places: GatePlaces | None, own: Mapping[str, Any]) -> GatePlaces | None:
    """The places of what is still the file's when ``own`` options take the place of some."""
    if places is None:
        return None
    keys, values = (
        {key: place for key, place in found.items() if key not in own}
        for found in (places.keys, places.values)
    )
    return GatePlaces(places.whole, keys, values)


def _refuse_ambiguous(entries: Sequence[Asked], overrides: Mapping[str, Mapping[str, Any]]) -> None:
    several = [str(entry.values.get("check")) for entry in entries]
    for key in ("query", "threshold"):
        if several.count("prometheus") > 1 and key in overrides.get("prometheus", {}):
            raise InputError(
                f"there are {several.count('prometheus')} prometheus checks, and one {key} for all of them",
                hint=f"give each its own, as 'prometheus:name=…;{key}=…'",
            )


def _spec(
    entry: Mapping[str, Any],
    wanted: Wanted,
    kinds: Mapping[str, tuple[str, ...]],
    source: str,
    taken: Sequence[str],
) -> CheckSpec:
    kind = entry.get("check")
    if not isinstance(kind, str) or kind not in kinds:
        shown = one_line(str(kind)[:60])
        hint = "use one of " + ", ".join(kinds)
        raise OptionError(f"there is no check '{shown}'", key="check", hint=hint)
    values = {**entry, **wanted.overrides.get(kind, {})}
    del values["check"]
    options = Options(str(values.get("name") or kind), values, kinds[kind])
    name = _unique(options.text("name", kind), taken)
    own = options.text("name") if kind not in ("argocd", "http", "soak", "approvals", "policy") else ""
    return CheckSpec(
        kind=kind,
        name=name,
        options=values,
        initial_delay=_first(wanted.timing.initial_delay, options.seconds("initial-delay", 0.0)),
        interval=max(_first(wanted.timing.interval, options.seconds("interval", 10.0)), 0.01),
        timeout=_first(wanted.timing.timeout, options.seconds("timeout", 600.0)),
        success=int(_first(wanted.timing.success, options.whole("success", 1, 1))),
        failure_limit=int(_first(wanted.timing.failure_limit, options.whole("failure-limit", 0))),
        error_limit=options.whole("error-limit", 4),
        result_name=options.text("result") or own.replace("-", "_") or RESULT_NAMES.get(kind, ""),
        source=source,
    )


def _first(given: float | None, otherwise: float) -> float:
    return otherwise if given is None else given


def _unique(name: str, taken: Sequence[str]) -> str:
    number = 2
    found = name
    while found in taken:
        found = f"{name}-{number}"
        number += 1
    return found


def parse_check(text: str) -> list[dict[str, Any]]:
    """The checks in one line of the input ``check``.

    Three ways to write it: names with commas (``argocd, http``), a name with options
    (``prometheus:threshold=<= 0.02;window=10m``), or a mapping in JSON
    (``{"check": "prometheus", "threshold": "<= 0.02"}``).
    """
    text = text.strip()
    if text.startswith("{"):
        return [_mapping(text)]
    kind, colon, rest = text.partition(":")
    if not colon:
        return [{"check": name.strip()} for name in text.split(",") if name.strip()]
    found: dict[str, Any] = {"check": kind.strip()}
    for pair in rest.split(";"):
        key, sign, value = pair.partition("=")
        if not pair.strip():
            continue
        if not sign:
            hint = "write it like 'prometheus:threshold=<= 0.02;window=10m'"
            raise InputError(f"'{one_line(pair[:60])}' in a check has no '='", hint=hint)
        found[key.strip()] = value.strip()
    return [found]


def _mapping(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict) or "check" not in found:
        shown = one_line(text[:80])
        hint = 'write it like {"check": "prometheus", "threshold": "<= 0.02"}'
        raise InputError(f"the check '{shown}' is no JSON object with the key 'check'", hint=hint)
    return found
