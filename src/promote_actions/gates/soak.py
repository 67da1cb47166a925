"""The check ``soak``: has the version been live, and healthy, for long enough? Pure but for its sources.

Nobody sleeps: the time counts from when the version became live in that environment, so running the
check again continues it, and a break in health starts it again. Options: ``duration``.
The strategy asks for 30 minutes before production ("Soak time: 30 minutos").
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from promote_actions.gates.model import Moment, Reading
from promote_actions.gates.options import COMMON, Options

KNOWN = (*COMMON, "duration")
CONTEXT = "promotion/soak"
"""The commit status under which a soak is published."""


@dataclass(frozen=True)
class Live:
    """Since when the version is live and healthy, and how that is known. ``since`` is None while it is
    not; then ``note`` says why. ``now`` is the source's own time."""

    since: datetime | None
    note: str
    now: datetime | None = None
    superseded: bool = False


Source = Callable[[], Live]


def parse(options: Options, default: float) -> float:
    """Seconds of soak."""
    return options.seconds("duration", default)


def judge_soak(live: Live, required: float, now: datetime) -> Reading:
    """Passed when the time is over; waiting with the time that is left; inconclusive when superseded."""
    now = live.now or now
    if live.superseded:
        return Reading("inconclusive", live.note, now, final=True)
    if live.since is None:
        reason = f"the soak of {words(required)} has not begun: {live.note}"
        return Reading("waiting", reason, now, left=required)
    held = max((now - live.since).total_seconds(), 0.0)
    if held >= required:
        reason = f"live for {words(held)}, {words(required)} needed ({live.note})"
        return Reading("passed", reason, now, value=held, begins=live.since)
    left = required - held
    reason = f"{words(left)} of {words(required)} left ({live.note})"
    return Reading("waiting", reason, now, value=held, left=left)


def soak_status(live: Live, required: float, now: datetime) -> tuple[Literal["success", "pending"], str]:
    """State and description of the commit status ``promotion/soak``; GitHub allows 140 characters."""
    reading = judge_soak(live, required, now)
    state: Literal["success", "pending"] = "success" if reading.outcome == "passed" else "pending"
    return state, reading.reason[:140]


class SoakCheck:
    """Takes the readings: ``source`` says since when the version is live."""

    def __init__(self, required: float, source: Source) -> None:
        self._required = required
        self._source = source

    def measure(self, moment: Moment) -> Reading:
        return judge_soak(self._source(), self._required, moment.now)


def words(seconds: float) -> str:
    """A length of time for a person: ``45 s``, ``12 min``, ``1 h 30 min``, ``3 d 4 h``."""
    whole = round(seconds)
    if whole < 120:
        return f"{whole} s"
    minutes = whole // 60
    if minutes < 120:
        return f"{minutes} min" + (f" {whole % 60} s" if whole % 60 and minutes < 10 else "")
    hours, minutes = divmod(minutes, 60)
    if hours < 48:
        return f"{hours} h" + (f" {minutes} min" if minutes else "")
    days, hours = divmod(hours, 24)
    return f"{days} d" + (f" {hours} h" if hours else "")
