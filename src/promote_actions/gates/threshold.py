"""Threshold expressions: ``<= 0.01``, ``< 1%``, ``>= 99.9%``, ``== 0``. Pure."""

from __future__ import annotations

import math
import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from promote_actions.errors import InputError, one_line

_FORM = re.compile(r"\s*(<=|>=|==|!=|<|>|=)\s*([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*(%?)\s*")
_OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "=": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}


@dataclass(frozen=True)
class Threshold:
    """A comparison with one number. ``text`` is as it was written."""

    text: str
    sign: str
    limit: float

    def holds(self, value: float) -> bool:
        """Whether ``value`` is good. NaN and infinities never are: they are no measurements."""
        return math.isfinite(value) and _OPERATORS[self.sign](value, self.limit)

    def __str__(self) -> str:
        return self.text


def parse(text: str, where: str) -> Threshold:
    """The threshold in ``text``; a per cent sign divides by 100. Raises :class:`InputError` naming
    ``where``, also for an empty text: without a condition nothing may pass."""
    if not text.strip():
        raise InputError(f"{where} has no threshold, so it can't pass", hint="write one like '<= 0.01'")
    found = _FORM.fullmatch(text)
    limit = float(found[2]) if found else math.nan
    if not found or not math.isfinite(limit):
        shown = one_line(text[:80])
        raise InputError(
            f"the threshold of {where} is '{shown}'", hint="write one like '<= 0.01' or '< 1%'"
        )
    return Threshold(text.strip(), found[1], limit / 100 if found[3] else limit)
