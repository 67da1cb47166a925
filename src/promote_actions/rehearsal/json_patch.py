"""JSON Patch (RFC 6902), as an API server applies it: all operations, or none. Pure.

``move`` and ``copy`` are left out: nothing of ours sends them, and an emulator refuses what it can't do.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any


class PatchFailed(Exception):
    """An operation can't be applied: a test that doesn't hold, or a path that isn't there."""


class NoPatch(Exception):
    """What was sent is no patch."""


def apply_patch(document: Any, operations: Sequence[Any]) -> Any:
    """``document`` after ``operations``, itself unchanged. Raises ``PatchFailed`` or ``NoPatch``."""
    made = copy.deepcopy(document)
    for operation in operations:
        if not isinstance(operation, Mapping) or not isinstance(operation.get("path"), str):
            raise NoPatch("a patch is a list of operations with a path")
        apply = _OPERATIONS.get(str(operation.get("op")))
        if apply is None:
            raise PatchFailed(f"Unexpected kind: {operation.get('op')}")
        made = apply(made, steps(operation["path"]), operation.get("value"))
    return made


def steps(pointer: str) -> list[str]:
    """The parts of a JSON pointer (RFC 6901)."""
    if pointer and not pointer.startswith("/"):
        raise PatchFailed(f"'{pointer}' is no pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _parent(document: Any, path: list[str]) -> tuple[Any, str]:
    if not path:
        raise PatchFailed("the whole document can't be changed")
    for step in path[:-1]:
        document = _child(document, step)
    return document, path[-1]


def _child(holder: Any, step: str) -> Any:
    if isinstance(holder, dict) and step in holder:
        return holder[step]
    if isinstance(holder, list) and step.isdigit() and int(step) < len(holder):
        return holder[int(step)]
    raise PatchFailed(f"there is no '{step}'")


def _test(document: Any, path: list[str], value: Any) -> Any:
    found = document
    for step in path:
        found = _child(found, step)
    if found != value or isinstance(found, bool) != isinstance(value, bool):
        raise PatchFailed("testing value failed")
    return document


def _add(document: Any, path: list[str], value: Any) -> Any:
    holder, step = _parent(document, path)
    if isinstance(holder, dict):
        holder[step] = copy.deepcopy(value)
    elif isinstance(holder, list) and (step == "-" or (step.isdigit() and int(step) <= len(holder))):
        holder.insert(len(holder) if step == "-" else int(step), copy.deepcopy(value))
    else:
        raise PatchFailed(f"'{step}' can't be added")
    return document


def _replace(document: Any, path: list[str], value: Any) -> Any:
    holder, step = _parent(document, path)
    _child(holder, step)
    holder[int(step) if isinstance(holder, list) else step] = copy.deepcopy(value)
    return document


def _remove(document: Any, path: list[str], value: Any) -> Any:
    del value
    holder, step = _parent(document, path)
    _child(holder, step)
    del holder[int(step) if isinstance(holder, list) else step]
    return document


_OPERATIONS = {"test": _test, "add": _add, "replace": _replace, "remove": _remove}
