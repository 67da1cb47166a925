"""A dotted path into a JSON document: ``status``, ``data.items[0].state``. Pure."""

from __future__ import annotations

import re
from typing import Any

from promote_actions.errors import InputError

_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")
_WHOLE = re.compile(r"\$?\.?(?:[^.\[\]]+|\[\d+\])(?:\.[^.\[\]]+|\[\d+\])*")
MISSING = object()


def steps(path: str, where: str) -> tuple[str | int, ...]:
    """The keys and indexes of ``path``; raises :class:`InputError` that names ``where``."""
    if not _WHOLE.fullmatch(path):
        raise InputError(
            f"{where} has the JSON path '{path[:80]}'", hint="write it like data.items[0].state"
        )
    found = _STEP.findall(path.removeprefix("$").removeprefix("."))
    return tuple(int(index) if index else key for key, index in found)


def find(document: Any, path: tuple[str | int, ...]) -> Any:
    """What is at ``path``, or :data:`MISSING`."""
    for step in path:
        if isinstance(step, int):
            if not isinstance(document, list) or step >= len(document):
                return MISSING
        elif not isinstance(document, dict) or step not in document:
            return MISSING
        document = document[step]
    return document


def as_text(value: Any) -> str:
    """A JSON scalar as it is compared with an expected text."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)
