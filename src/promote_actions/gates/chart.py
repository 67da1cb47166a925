"""How a metric went over its window, for the summary's chart. Pure but for its source.

A point looks back over a part of the window only, and never to before its beginning: the chart, too, is of
the new version.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Protocol

POINTS = 24
SHORTEST = 30.0
"""Seconds that a point looks back over at least: two scrapes of the usual interval."""

Course = tuple[tuple[datetime, float], ...]


class Courses(Protocol):
    """Prometheus, as much of it as a chart needs (``adapters.prometheus.Prometheus``)."""

    def course(self, text: str, begin: datetime, end: datetime, step: float) -> Course:
        """The values of the one series that ``text`` gives, every ``step`` seconds; empty when there are
        several or none, and when there is no answer: a chart is never a reason to fail."""


def drawn(source: Courses, query: Callable[[float], str], begin: datetime, end: datetime) -> Course:
    """The course from ``begin`` to ``end``; ``query`` gives the query that looks back so many seconds."""
    seconds = (end - begin).total_seconds()
    back = max(seconds / 5, min(SHORTEST, seconds / 2))
    if back <= 0:
        return ()
    first = begin + timedelta(seconds=back)
    return source.course(query(back), first, end, (seconds - back) / (POINTS - 1))
