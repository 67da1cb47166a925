"""Which checks a gate has, and where each was asked for. Pure.

In order: ``--check`` names them for one run; else ``gates:`` of the environment that the version shall
go to; else the strategy's own ("Validações em DEVELOP", soak, approvals), as far as addresses were given.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from promote_actions.config.model import Config, Environment
from promote_actions.errors import InputError, one_line
from promote_actions.gates.model import CheckSpec
from promote_actions.gates.options import Options

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
    entries: Sequence[Mapping[str, Any]]
    if wanted.checks:
        entries = [_complete(entry, configured) for text in wanted.checks for entry in parse_check(text)]
        source = "the input `check`"
    elif configured:
        entries, source = configured, f"{GATES_OF}{target.name if target else ''} in {config.source}"
    else:
        entries = [{"check": kind} for kind in wanted.available]
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
        with asked_in(source):
            specs.append(_spec(entry, wanted, kinds, source, [spec.name for spec in specs]))
    return tuple(specs)


@contextmanager
def asked_in(source: str) -> Iterator[None]:
    """Let an error in a check that the configuration asked for say where that is."""
    try:
        yield
    except InputError as error:
        if not source.startswith(GATES_OF):
            raise
        raise InputError(f"{error.message} ({source})", hint=error.hint, where=error.where) from None


def _configured(target: Environment | None) -> Sequence[Mapping[str, Any]]:
    """The gates of ``target``; its soak is one of them even when the list forgets it."""
    gates = list(target.gates if target is not None else ())
    if (
        gates
        and target is not None
        and target.soak
        and not any(gate.get("check") == "soak" for gate in gates)
    ):
        gates.append({"check": "soak"})
    return gates


def _complete(entry: Mapping[str, Any], configured: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """A check asked for by its kind or name alone has the options that the configuration gives it."""
    for found in configured:
        names = {str(found.get("check", "")), str(found.get("name", ""))}
        if entry["check"] in names:
            return {**found, **{key: value for key, value in entry.items() if key != "check"}}
    return entry


def _refuse_ambiguous(
    entries: Sequence[Mapping[str, Any]], overrides: Mapping[str, Mapping[str, Any]]
) -> None:
    several = [str(entry.get("check")) for entry in entries]
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
        raise InputError(f"there is no check '{shown}'", hint="use one of " + ", ".join(kinds))
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
