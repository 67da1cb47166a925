"""Holds a configuration against its published JSON Schema, and says what is wrong in one line."""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib import resources
from typing import TYPE_CHECKING, Any

from promote_actions.config.tree import Path, Tree

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator

SCHEMA = "promotion.schema.json"

_TYPES = {
    "object": "a mapping of keys",
    "array": "a list",
    "string": "a text",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "null": "nothing",
}


@functools.cache
def schema() -> Mapping[str, Any]:
    """The JSON Schema of ``promotion.yaml`` (draft 2020-12), as it is published for editors."""
    text = resources.files("promote_actions").joinpath(f"schemas/{SCHEMA}").read_text(encoding="utf-8")
    loaded: Mapping[str, Any] = json.loads(text)
    return loaded


@functools.cache
def _validator() -> Draft202012Validator:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(schema())


@dataclass(frozen=True)
class _Breach:
    """One rule of the schema that one value breaks: ``keyword`` (with ``argument``) of ``rule``."""

    path: Path
    keyword: str
    argument: Any
    rule: Mapping[str, Any]
    instance: Any
    of_key: bool


def check(tree: Tree) -> None:
    """Raise :class:`~promote_actions.errors.InputError` at the first place that breaks the schema."""
    breaches = [_breach(error) for error in _validator().iter_errors(tree.value)]
    if not breaches:
        return

    def place(breach: _Breach) -> tuple[int, int, bool]:
        where = tree.where(breach.path, key=breach.of_key)
        return where.line, where.column, breach.keyword == "required"

    first = min(breaches, key=place)
    message, hint = _words(first)
    if len(breaches) > 1:
        hint += f" ({len(breaches) - 1} more below)"
    tree.fail(first.path, message, hint, key=first.of_key)


def _breach(error: Any) -> _Breach:
    path: Path = tuple(error.absolute_path)
    of_key = True
    if error.validator == "additionalProperties":
        path = (*path, next(key for key in error.instance if key not in error.schema.get("properties", {})))
    elif "propertyNames" in error.absolute_schema_path:
        path = (*path, str(error.instance))
    else:
        of_key = False
    return _Breach(path, error.validator, error.validator_value, error.schema, error.instance, of_key)


def _words(breach: _Breach) -> tuple[str, str]:
    """What is wrong, and the hint with what is allowed."""
    path = breach.path
    if breach.keyword == "additionalProperties":
        known = breach.rule.get("properties", {})
        return f"{dotted(path)} is not a known key", choose(str(path[-1]), known)
    if breach.keyword == "required":
        missing = next(key for key in breach.argument if key not in breach.instance)
        declared = breach.rule.get("properties", {}).get(missing, {})
        example = f": `{missing}: {declared['const']}`" if "const" in declared else ""
        return f"{dotted(path) or 'the file'} has no '{missing}'", f"add it{example}"
    if breach.of_key:
        return f"{dotted(path[:-1])} has the key {shown(path[-1])}", _expected(breach)
    return f"{dotted(path)} is {shown(breach.instance)}", _expected(breach)


def _expected(breach: _Breach) -> str:
    if breach.keyword == "enum":
        return choose(breach.instance, breach.argument)
    if breach.keyword == "const":
        quoted = " without quotes" if breach.instance == str(breach.argument) else ""
        return f"write {breach.argument}{quoted}"
    if breach.keyword == "uniqueItems":
        return "keep each entry once"
    if "errorMessage" in breach.rule:
        return str(breach.rule["errorMessage"])
    types = breach.rule.get("type", [])
    names = [types] if isinstance(types, str) else types
    return "give " + " or ".join(_TYPES.get(name, name) for name in names)


def choose(given: object, allowed: Iterable[str]) -> str:
    """The hint that lists ``allowed``, with the one that ``given`` was perhaps meant to be."""
    words = [str(word) for word in allowed]
    near = difflib.get_close_matches(str(given)[:60].lower().replace("_", "-"), words, n=1)
    meant = f"; did you mean '{near[0]}'?" if near else ""
    return f"use one of {', '.join(words)}{meant}"


def dotted(path: Path) -> str:
    """``environments.qa.gates[0]`` for a path; long keys are cut."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part[:60]}"
    return text.removeprefix(".")


def shown(value: object) -> str:
    """A value as a message shows it: one short line in the file's own spelling."""
    if value is None:
        return "empty"
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if isinstance(value, bool):
        return "true" if value else "false"
    text = str(value)
    return f"'{text[:60]}…'" if len(text) > 60 else f"'{text}'"
