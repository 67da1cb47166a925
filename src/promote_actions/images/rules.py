"""Tag rules: one line each, ``type=raw,value=2026.02.1-{{sha}},enable=true``.

A superset of the language of docker/metadata-action
(https://github.com/docker/metadata-action#tags-input): the same types, attributes, defaults and
priorities, and the types ``calver`` and ``environment`` and the attribute ``mutable`` beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from promote_actions.errors import InputError, one_line
from promote_actions.images.fields import split_fields, split_pair

PRIORITIES: Mapping[str, float] = {
    "calver": 1100,
    "schedule": 1000,
    "semver": 900,
    "pep440": 900,
    "match": 800,
    "edge": 700,
    "ref": 600,
    "environment": 300,
    "raw": 200,
    "sha": 100,
}
"""Every type, and the priority of a rule that gives none: the highest comes first."""

_COMMON = ("type", "enable", "priority", "prefix", "suffix", "mutable")
_OWN: Mapping[str, tuple[str, ...]] = {
    "calver": ("value", "format"),
    "schedule": ("pattern",),
    "semver": ("pattern", "value", "match"),
    "pep440": ("pattern", "value", "match"),
    "match": ("pattern", "value", "group"),
    "edge": ("branch",),
    "ref": ("event",),
    "environment": ("value",),
    "raw": ("value",),
    "sha": ("format",),
}
_REQUIRED: Mapping[str, tuple[str, str]] = {
    "semver": ("pattern", "pattern={{version}}"),
    "pep440": ("pattern", "pattern={{version}}"),
    "match": ("pattern", "pattern=v(.*),group=1"),
    "ref": ("event", "event=branch"),
    "raw": ("value", "value=mytag"),
    "environment": ("value", "value=qa"),
}
_DEFAULTS: Mapping[str, Mapping[str, str]] = {
    "calver": {"format": "full"},
    "schedule": {"pattern": "nightly"},
    "match": {"group": "0"},
    "sha": {"prefix": "sha-", "format": "short"},
}
_CHOICES: Mapping[tuple[str, str], tuple[str, ...]] = {
    ("ref", "event"): ("branch", "tag", "pr"),
    ("sha", "format"): ("short", "long"),
    ("calver", "format"): ("full", "sha", "semver", "month", "year"),
}

METADATA_RULES = ("type=schedule", "type=ref,event=branch", "type=ref,event=tag", "type=ref,event=pr")
"""The rules that stand in when there are neither rules nor a version, as docker/metadata-action has it."""

STRATEGY_RULES = (
    "type=calver",
    "type=calver,format=sha",
    "type=sha",
    "type=environment,value=develop,enable={{is_default_branch}}",
    "type=ref,event=pr",
    "type=raw,value=latest,enable={{is_default_branch}}",
)
"""The rules that stand in when there is a version: the strategy's section "Tags Docker Geradas"."""


class Rule(NamedTuple):
    """One rule: its type, its attributes (defaults filled in), and the line that it was written as.

    ``unknown`` are attributes that its type doesn't have; they do nothing.
    """

    type: str
    attributes: Mapping[str, str]
    priority: float
    line: str
    unknown: tuple[str, ...] = ()

    def get(self, name: str) -> str:
        """The attribute ``name`` as it was written, or an empty string."""
        return self.attributes.get(name, "")


def parse_rule(line: str) -> Rule:
    """The rule that ``line`` says; raises :class:`InputError` that shows the line."""
    attributes: dict[str, str] = {}
    for field in split_fields(line, "tags"):
        key, value = split_pair(field) or ("value", field.strip())
        attributes[key] = value
    kind = attributes.pop("type", "raw")
    if kind not in PRIORITIES:
        raise _wrong(
            line, f"there is no type '{one_line(kind[:40])}'", "use one of " + ", ".join(PRIORITIES)
        )
    for key, value in _DEFAULTS.get(kind, {}).items():
        attributes.setdefault(key, value)
    if kind == "ref" and attributes.get("event") == "pr":
        attributes.setdefault("prefix", "pr-")
    attributes.setdefault("enable", "true")
    priority = _priority(line, attributes.get("priority"), PRIORITIES[kind])
    _check(line, kind, attributes)
    unknown = tuple(key for key in attributes if key not in _COMMON and key not in _OWN[kind])
    return Rule(kind, attributes, priority, line, unknown)


def parse_rules(lines: Iterable[str], environments: Iterable[str] = ()) -> tuple[Rule, ...]:
    """The rules of ``lines`` and one for each of ``environments``, the highest priority first.

    Rules of equal priority stay in the order in which they are written.
    """
    rules = [parse_rule(line) for line in lines]
    for name in environments:
        line = f"type=environment,value={name}"
        attributes = {"value": name, "enable": "true"}
        rules.append(Rule("environment", attributes, PRIORITIES["environment"], line))
    return tuple(sorted(rules, key=lambda rule: -rule.priority))


def _priority(line: str, text: str | None, default: float) -> float:
    if text is None:
        return default
    try:
        number = float(text or "0")
    except ValueError:
        number = float("nan")
    if not abs(number) <= 1e15:
        raise _wrong(line, f"the priority '{one_line(text[:20])}' is no number", "write priority=900")
    return number


def _check(line: str, kind: str, attributes: Mapping[str, str]) -> None:
    required = _REQUIRED.get(kind)
    if required and required[0] not in attributes:
        raise _wrong(line, f"type={kind} needs {required[0]}=", f"write for example {required[1]}")
    for (owner, key), allowed in _CHOICES.items():
        if owner == kind and attributes.get(key) not in allowed:
            shown = one_line(attributes.get(key, "")[:40])
            raise _wrong(
                line, f"{key}={shown} is unknown to type={kind}", "use one of " + ", ".join(allowed)
            )
    if kind == "match" and not _is_group(attributes["group"]):
        raise _wrong(line, "group= is no number", "write group=1 for the first pair of brackets")


def _is_group(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 4


def _wrong(line: str, why: str, hint: str) -> InputError:
    return InputError(f"tags: {why} in the rule '{one_line(line[:120])}'", hint=hint)
