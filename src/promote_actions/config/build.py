"""From a checked document to the configuration: defaults and cross-checks. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from promote_actions.config import cron
from promote_actions.config.check import choose, dotted, shown
from promote_actions.config.freeze import zone
from promote_actions.config.model import (
    STRATEGY_ENVIRONMENTS,
    Config,
    Environment,
    Freeze,
    GatePlaces,
    Service,
    Values,
)
from promote_actions.config.tree import Path, Tree
from promote_actions.errors import InputError
from promote_actions.images.reference import parse as parse_image
from promote_actions.promotion import keypath
from promote_actions.spec import parse_duration

LONGEST = 366 * 86400.0
"""Seconds of the longest time that a configuration may ask for."""

_PLACEHOLDER = re.compile(r"\{[^{}]*\}|[{}]")
DURATIONS = {"target-time": "target_time", "soak": "soak"}
WORDS = {"aliases": "aliases", "labels": "labels"}
PLAIN = {
    "trigger": "trigger",
    "approvals": "approvals",
    "each-team": "each_team",
    "strategy": "strategy",
    "rollback": "rollback",
    "success-rate": "success_rate",
    "rollback-rate": "rollback_rate",
    "suffix": "suffix",
    "from": "source",
    "provenance": "provenance",
}


def build(tree: Tree) -> Config:
    """The configuration in ``tree``, which must satisfy the schema; raises InputError with its place."""
    raw = tree.value
    drift, audit = raw.get("drift", {}), raw.get("audit", {})
    default = Config()
    config = Config(
        services={
            name: _service(tree, name, each or {}) for name, each in (raw.get("services") or {}).items()
        },
        values=_values(tree, raw.get("values", {})),
        environments=_environments(tree, raw),
        drift_warn=drift.get("warn", default.drift_warn),
        drift_fail=drift.get("fail", default.drift_fail),
        slack=raw.get("notify", {}).get("slack", default.slack),
        audit_folder=audit.get("folder", default.audit_folder).rstrip("/"),
        identity=audit.get("identity", default.identity),
        source=tree.source,
    )
    if "folder" in audit:
        _inside(tree, ("audit", "folder"), audit["folder"])
    _check_drift(tree, config)
    _check_services(tree, config)
    return config


def _service(tree: Tree, name: str, raw: Mapping[str, Any]) -> Service:
    path: Path = ("services", name)
    if re.search(r"://[^/]*:[^/]*@", raw.get("repository", "")):
        hint = "remove them; the token is an input of the command"
        tree.fail((*path, "repository"), f"{dotted((*path, 'repository'))} holds credentials", hint)
    if raw.get("image"):
        _check_image(tree, (*path, "image"), raw["image"])
    application = raw.get("argocd-app", Service.argocd_app)
    _check_placeholders(tree, (*path, "argocd-app"), application, ("service", "environment"))
    return Service(name, raw.get("repository", ""), raw.get("image", ""), application)


def _check_image(tree: Tree, path: Path, image: str) -> None:
    try:
        reference = parse_image(image)
    except InputError as error:
        tree.fail(path, error.message, error.hint)
    if reference.tag or reference.digest:
        tree.fail(path, f"{dotted(path)} is '{image}'", "give the image without tag and digest")


def _values(tree: Tree, raw: Mapping[str, Any]) -> Values:
    values = Values(
        path=raw.get("path", Values.path),
        image_tag=_words(raw.get("image-tag", Values.image_tag)),
        image_digest=_words(raw.get("image-digest", Values.image_digest)),
    )
    for key, listed in (("image-tag", values.image_tag), ("image-digest", values.image_digest)):
        for index, text in enumerate(listed):
            _check_key_path(tree, ("values", key, index), text)
    path: Path = ("values", "path")
    _check_placeholders(tree, path, values.path, ("service", "suffix", "environment"))
    _inside(tree, path, values.path)
    if not {"{suffix}", "{environment}"} & set(_PLACEHOLDER.findall(values.path)):
        hint = "put {suffix} or {environment} into it, so that each environment has its own file"
        tree.fail(path, f"values.path is '{values.path}'", hint)
    return values


def _check_key_path(tree: Tree, path: Path, text: str) -> None:
    try:
        keypath.parse(text)
    except InputError as error:
        tree.fail(path, f"{dotted(path)}: {error.message}", error.hint)


def _environments(tree: Tree, raw: Mapping[str, Any]) -> tuple[Environment, ...]:
    if "environments" not in raw:
        return STRATEGY_ENVIRONMENTS
    listed = raw["environments"]
    environments = tuple(_environment(tree, name, each or {}) for name, each in listed.items())
    _check_names(tree, environments)
    _check_sources(tree, environments)
    return environments


def _environment(tree: Tree, name: str, raw: Mapping[str, Any]) -> Environment:
    path: Path = ("environments", name)
    base = next((each for each in STRATEGY_ENVIRONMENTS if each.name == name), Environment(name))
    changes: dict[str, Any] = {PLAIN[key]: raw[key] for key in PLAIN if key in raw}
    changes |= {
        field: _seconds(tree, (*path, key), raw[key]) for key, field in DURATIONS.items() if key in raw
    }
    changes |= {field: _words(raw[key]) for key, field in WORDS.items() if key in raw}
    if "gates" in raw:
        changes["gates"] = tuple(raw["gates"])
        listed = enumerate(raw["gates"])
        changes["gate_places"] = tuple(_gate(tree, (*path, "gates", index), each) for index, each in listed)
    if "freeze" in raw:
        entries = enumerate(raw["freeze"])
        changes["freeze"] = tuple(_freeze(tree, (*path, "freeze", index), each) for index, each in entries)
    changes |= _lock(tree, (*path, "lock"), raw.get("lock"))
    return replace(base, **changes)


def _gate(tree: Tree, path: Path, raw: Mapping[str, Any]) -> GatePlaces:
    """The health gate knows what may stand in a gate, and says later what is wrong with it."""
    keys = {key: tree.where((*path, key), key=True) for key in raw}
    return GatePlaces(tree.where(path), keys, {key: tree.where((*path, key)) for key in raw})


def _freeze(tree: Tree, path: Path, raw: Mapping[str, Any]) -> Freeze:
    name = raw.get("timezone", Freeze.timezone)
    try:
        zone(name)
    except ValueError as error:
        hint = "give an IANA name such as UTC or America/Sao_Paulo, and see that the system has tzdata"
        tree.fail((*path, "timezone"), f"{error}", hint)
    try:
        cron.parse(raw["cron"])
    except ValueError as error:
        message = f"{dotted((*path, 'cron'))} is {shown(raw['cron'])}: {error}"
        tree.fail((*path, "cron"), message, "write minute, hour, day of month, month, day of week")
    duration = _seconds(tree, (*path, "duration"), raw["duration"])
    if not duration:
        tree.fail(
            (*path, "duration"), f"{dotted((*path, 'duration'))} is 0", "give how long the window lasts"
        )
    return Freeze(raw["cron"], duration, name, raw.get("reason", ""), _words(raw.get("override", ())))


def _lock(tree: Tree, path: Path, raw: str | Mapping[str, Any] | None) -> dict[str, Any]:
    if not raw:
        return {}
    if isinstance(raw, str):
        return {"lock": raw}
    until = _moment(tree, (*path, "until"), raw["until"]) if "until" in raw else None
    return {"lock": raw["reason"], "lock_until": until, "lock_override": _words(raw.get("override", ()))}


def _moment(tree: Tree, path: Path, text: str) -> datetime:
    try:
        found = datetime.fromisoformat(re.sub(r"[Zz]$", "+00:00", text))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        hint = "give date and time with their offset, such as 2026-12-24T18:00:00Z"
        tree.fail(path, f"{dotted(path)} is {shown(text)}", hint)
    return found


def _seconds(tree: Tree, path: Path, value: str | float) -> float:
    seconds = parse_duration(value.strip()) if isinstance(value, str) else float(value)
    if seconds is None or seconds > LONGEST:
        hint = "give a length of time such as 90, 30m or 1h30m, up to 366d"
        tree.fail(path, f"{dotted(path)} is {shown(value)}", hint)
    return seconds


def _words(value: str | list[str] | tuple[str, ...]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _check_placeholders(tree: Tree, path: Path, text: str, allowed: tuple[str, ...]) -> None:
    known = [f"{{{name}}}" for name in allowed]
    for found in _PLACEHOLDER.findall(text):
        if found not in known:
            tree.fail(path, f"{dotted(path)} holds '{found[:60]}'", choose(found, known))


def _inside(tree: Tree, path: Path, text: str) -> None:
    parts = text.rstrip("/").split("/")
    if any(part in ("", ".", "..") or part.lower() == ".git" for part in parts):
        hint = "give a path inside the GitOps repository, without '.', '..' and a leading /"
        tree.fail(path, f"{dotted(path)} is {shown(text)}", hint)


def _check_names(tree: Tree, environments: tuple[Environment, ...]) -> None:
    """No two environments may share a word: a values file or a name would mean both."""
    taken: dict[str, Environment] = {}
    for environment in environments:
        for name in (environment.name, *environment.suffixes):
            other = taken.setdefault(name.lower(), environment)
            if other.name != environment.name:
                message = f"'{name}' means both {other.name} and {environment.name}"
                hint = "give each environment its own name, suffix and aliases"
                tree.fail(("environments", environment.name), message, hint, key=True)


def _check_sources(tree: Tree, environments: tuple[Environment, ...]) -> None:
    """Every ``from`` names an environment, and following them (or the order) ends at a first one."""
    names = [environment.name for environment in environments]
    source: dict[str, str] = {}
    for index, environment in enumerate(environments):
        if environment.source and environment.source not in names:
            message = f"environments.{environment.name}.from is {shown(environment.source)}"
            tree.fail(
                ("environments", environment.name, "from"), message, choose(environment.source, names)
            )
        source[environment.name] = environment.source or (names[index - 1] if index else "")
    for name in names:
        seen = [name]
        while source[seen[-1]]:
            seen.append(source[seen[-1]])
            if seen[-1] in seen[:-1]:
                _report_circle(tree, seen, {each.name for each in environments if each.source})


def _report_circle(tree: Tree, seen: list[str], stated: set[str]) -> None:
    culprit = next((name for name in seen if name in stated), seen[0])
    circle = " ← ".join(seen[seen.index(seen[-1]) :])
    hint = "let one of them be without a source"
    tree.fail(
        ("environments", culprit, "from"), f"environments come from each other in a circle: {circle}", hint
    )


def _check_drift(tree: Tree, config: Config) -> None:
    if config.drift_warn is None or config.drift_fail is None or config.drift_warn <= config.drift_fail:
        return
    message = f"drift.fail is {config.drift_fail}, below drift.warn ({config.drift_warn})"
    tree.fail(("drift", "fail"), message, "let it fail later than it warns")


def _check_services(tree: Tree, config: Config) -> None:
    """Services that share one file must be listed, and told apart by what stands in it."""
    if "{service}" in config.values.path:
        return
    if not config.services:
        hint = "put {service} into it, or list the services"
        tree.fail(
            ("values", "path"),
            f"values.path is {shown(config.values.path)} and no services are listed",
            hint,
        )
    shared = [each for each in config.values.image_tag if "[]" not in each and "{service}" not in each]
    if len(config.services) > 1 and shared:
        message = f"the services share the file of values.path and the version at '{shared[0][:60]}'"
        hint = "put {service} into values.path or image-tag, or choose by image, as in images[].newTag"
        tree.fail(("values", "image-tag"), message, hint)
