"""The exact difference that a promotion makes, as people and ``--dry-run`` see it. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from promote_actions.promotion.model import Move


def unified(moves: Iterable[Move], context: int = 2) -> str:
    """A unified diff of the values files, with line ends as they are (``\\r`` shown as ``␍``)."""
    parts: list[str] = []
    for move in moves:
        before, after = _lines(move.before), _lines(move.content)
        names = (f"a/{move.file}", f"b/{move.file}")
        parts += difflib.unified_diff(before, after, *names, n=context, lineterm="")
    return "\n".join(parts)


def _lines(data: bytes) -> list[str]:
    lines = data.decode(errors="replace").removesuffix("\n").split("\n")
    return [line.replace("\r", "␍") for line in lines]
