"""The statistics of objectives, in whole numbers where a verdict hangs on them. Pure.

Verdicts use the Wilson score interval at 95 %: an interval contains a rate exactly when the score test
does not reject it, which needs no root and no rounding. Sources: E. B. Wilson, JASA 22 (1927), 209-212;
nearest-rank percentiles: an observed value, never one between two.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from math import sqrt

Z_SQUARED = Fraction(3_841_459, 1_000_000)
"""The square of 1.959964, the 97.5th percentile of the normal distribution."""

MET, MISSED, UNPROVEN, NO_DATA = "met", "missed", "unproven", "no data"


def verdict(good: int, total: int, target: Fraction) -> str:
    """Whether ``good`` of ``total`` shows that the true rate is at least ``target`` (between 0 and 1).

    ``met`` and ``missed`` when the interval lies on one side of the target, ``unproven`` when the
    target is inside it, ``no data`` without any event: never 0 % and never 100 %.
    """
    if total == 0:
        return NO_DATA
    distance = Fraction(good, total) - target
    if total * distance * distance <= Z_SQUARED * target * (1 - target):
        return UNPROVEN
    return MET if distance > 0 else MISSED


def interval(good: int, total: int) -> tuple[float, float] | None:
    """The Wilson interval of a rate at 95 %, for showing; None without any event."""
    if total == 0:
        return None
    z2, rate = float(Z_SQUARED), good / total
    centre = rate + z2 / (2 * total)
    spread = sqrt(z2 * (rate * (1 - rate) + z2 / (4 * total)) / total)
    scale = 1 + z2 / total
    return max(0.0, (centre - spread) / scale), min(1.0, (centre + spread) / scale)


def nearest_rank(values: Sequence[int], percent: int) -> int | None:
    """The ``percent``-th percentile of ``values`` by nearest rank; None when there are none."""
    if not values:
        return None
    ordered = sorted(values)
    rank = -(-percent * len(ordered) // 100)
    return ordered[max(rank, 1) - 1]


def as_share(percent: float) -> Fraction:
    """A rate in per cent, as people write it (99.9), as an exact share (999/1000)."""
    return Fraction(str(percent)) / 100
